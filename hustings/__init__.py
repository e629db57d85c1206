"""What the words mean: values, contracts, the query language, the text analyser, errors."""
