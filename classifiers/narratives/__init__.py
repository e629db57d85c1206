"""Election narratives, told from protected speech by likeness to example sentences of our own (`classifiers/seeds`)."""
