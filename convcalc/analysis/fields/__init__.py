"""Receptive fields of a graph."""
