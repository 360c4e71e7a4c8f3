"""Floor 1: one file for each family of layers, one class for each kind, with all that is known of it."""
