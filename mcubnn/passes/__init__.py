"""One pass a file; `pipeline.py` beside them lists the order and verifies between passes."""
