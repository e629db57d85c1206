"""Linear heads: hashed character and word n-grams, one exact integer sum per head, calibrated, with windows."""
