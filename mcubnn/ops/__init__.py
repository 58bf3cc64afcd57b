"""Operators: one file each in `defs`, found by name through `registry`."""
