"""Train small binary networks and export them to ONNX (extra `mcubnn[train]`).

This package exists so that the examples and new users have one complete, readable path from
labelled images to a file the compiler accepts. It depends on torch and on nothing else of
mcubnn: the ONNX file is the only thing the compiler ever sees of a training run.
"""
