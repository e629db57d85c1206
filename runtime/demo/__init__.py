"""The synthetic election: generated from a seed, run through the real pipeline, compared with its truth file."""
