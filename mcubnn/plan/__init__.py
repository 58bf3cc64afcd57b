"""Kernels, lifetimes, arena offsets and memory regions; re-checked by `verify.py`."""
