"""How the encoder is made: a base, tasks that share it, fine-tuning, export, and the fusion with the linear heads.

PyTorch and its kin are imported only inside functions: `pip install 'hustings[torch]'` brings them."""
