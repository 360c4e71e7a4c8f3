"""The sheet (``*.net``), read and written."""
