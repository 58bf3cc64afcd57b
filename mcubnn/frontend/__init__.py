"""Reading model files: every reader ends in the same `Graph` of source operators."""
