"""The zoo: networks by name, one architecture family per file; what it offers stands in `registry`.

A network is found by the text of its file alone, so adding one is writing one function; no list is kept anywhere, and
loading one network imports the file of its family and no other. The zoo knows layers and modules, and no metric.
"""

from convcalc.zoo.registry import Entry, entry, load, names

__all__ = ["Entry", "entry", "load", "names"]
