"""Fast kernels behind the operators' contracts: one file a variant, listed in `table.py`."""
