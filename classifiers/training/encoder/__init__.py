"""How the encoder is made: a base, tasks that share it, fine-tuning, export, and the fusion with the linear heads.

PyTorch and its kin are imported only inside functions: `uv sync --frozen --inexact --extra torch` brings them."""
