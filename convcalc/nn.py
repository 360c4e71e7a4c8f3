"""torch.nn's names, argument order and defaults: layers, containers and composites to write a network with.

Only a list of files: every layer stands in its family's file in `convcalc.layers`, and nothing is defined here.
"""

from convcalc.layers.activation import *
from convcalc.layers.adaptive import *
from convcalc.layers.attention import *
from convcalc.layers.axes import *
from convcalc.layers.base import Layer as Layer
from convcalc.layers.conv import *
from convcalc.layers.dropout import *
from convcalc.layers.embedding import *
from convcalc.layers.linear import *
from convcalc.layers.merging import *
from convcalc.layers.norm import *
from convcalc.layers.padding import *
from convcalc.layers.pool import *
from convcalc.layers.recurrent import *
from convcalc.layers.resize import *
from convcalc.layers.shaping import *
from convcalc.layers.shuffle import *
from convcalc.layers.softmax import *
from convcalc.layers.transposed import *
from convcalc.network.module import Module as Module
from convcalc.network.module import ModuleDict as ModuleDict
from convcalc.network.module import ModuleList as ModuleList
from convcalc.network.module import Sequential as Sequential
from convcalc.network.module import TransformerEncoderLayer as TransformerEncoderLayer
from convcalc.network.tensor import Buffer as Buffer
from convcalc.network.tensor import Parameter as Parameter

__all__ = [
    *("Module", "ModuleDict", "ModuleList", "Sequential", "TransformerEncoderLayer"),
    *(name for name, kind in list(globals().items()) if isinstance(kind, type) and issubclass(kind, Layer)),
]


def __dir__() -> list[str]:
    return sorted(__all__)
