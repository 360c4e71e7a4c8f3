"""A network as a JSON document, written and read back."""
