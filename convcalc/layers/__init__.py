"""Floor 1: one file for each family of layers, one class for each kind, which states all its facts."""
