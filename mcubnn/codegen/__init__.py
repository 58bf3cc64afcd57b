"""C source from a lowered graph and its memory plan; `lower.py` decides, templates print."""
