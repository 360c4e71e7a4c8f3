"""Which sizes a graph takes, and inverse questions."""
