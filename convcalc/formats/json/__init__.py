"""Networks as JSON documents: reading and writing."""
