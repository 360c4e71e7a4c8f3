"""Questions to a graph with letters: which sizes it takes, and what its letters must be for a wanted result."""
