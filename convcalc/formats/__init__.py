"""Languages that networks are written in, each read and written: text to graph and back; no analysis."""
