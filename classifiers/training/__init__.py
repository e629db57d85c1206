"""How the shipped models are made: corpora, folds, training, calibration, thresholds. Never imported to score posts."""
