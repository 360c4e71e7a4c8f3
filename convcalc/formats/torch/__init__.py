"""PyTorch: printed models read, source code written; torch itself is not imported."""
