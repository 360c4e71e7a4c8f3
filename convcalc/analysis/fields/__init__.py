"""Receptive fields of a graph: of all layers in outline, of one layer in detail, and tiles that follow from them."""
