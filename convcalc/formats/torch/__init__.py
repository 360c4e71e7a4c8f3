"""PyTorch, read and written."""
