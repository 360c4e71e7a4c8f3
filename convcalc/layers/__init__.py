"""Floor 1: one class per kind of layer, one file per family. All that convcalc knows of a kind stands in its class."""
