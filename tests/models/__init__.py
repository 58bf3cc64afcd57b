"""Networks that several test packages share."""
