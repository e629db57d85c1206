"""The encoder: a small transformer that reads again the few posts of which the linear heads are not sure."""
