"""torch.nn's names, argument order and defaults: layers, containers and composites to write a network with.

Only a list of files: every layer stands in its family's file in `convcalc.layers`, and nothing is defined here.
"""

from convcalc.layers.base import Layer
from convcalc.layers.conv import *
from convcalc.layers.local import *
from convcalc.layers.merging import *
from convcalc.layers.transposed import *
from convcalc.network.module import Module, ModuleDict, ModuleList, Sequential

__all__ = [
    *("Module", "ModuleDict", "ModuleList", "Sequential"),
    *(name for name, kind in list(globals().items()) if isinstance(kind, type) and issubclass(kind, Layer)),
]
