"""One operator a file; `mcubnn.ops.registry` imports them all."""
