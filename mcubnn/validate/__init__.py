"""Is the device right: bit for bit, on labels, and beside the framework."""
