"""Sheets (``*.net``): reading and writing."""
