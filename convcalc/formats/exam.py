"""The notation of exams (``CONV-9-32``, ``POOL-2``, ``FC-64``), read into a graph.

``CONV-9-32`` is 32 filters of 9 x 9. Options follow a layer (``s2 p1``), or are written once at the top for all
convolutions. ``INPUT 32x32x3`` is height, width, channels.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from convcalc.algebra.dims import show_shape
from convcalc.algebra.parse import parse_dim
from convcalc.algebra.types import Dim, Shape
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.formats.sheet.names import build, plain
from convcalc.formats.sheet.plan import UNKNOWN, Reading, Unknown, guarded
from convcalc.formats.sheet.source import LATE, MOST_NODES, Text
from convcalc.layers.demands import TooSmall
from convcalc.network.graph import Graph
from convcalc.network.tensor import Tensor


class Word(NamedTuple):
    """The layer that a word means on a sheet, the arguments that its numbers are for, and any defaults of these."""

    layer: str
    numbers: tuple[str, ...] = ()
    usual: tuple[Any, ...] = ()


WORDS = {
    "CONV": Word("conv", ("kernel_size", "out_channels")),
    "DWCONV": Word("conv", ("kernel_size",)),
    "TCONV": Word("convT", ("kernel_size", "out_channels")),
    "POOL": Word("maxpool", ("kernel_size", "stride"), (2,)),
    "AVGPOOL": Word("avgpool", ("kernel_size", "stride"), (2,)),
    "GAP": Word("gap"),
    "FC": Word("linear", ("out_features",)),
    "FLATTEN": Word("flatten"),
    "BN": Word("bn"),
    "LRN": Word("lrn", ("size",), (5,)),
    "RELU": Word("relu"),
    "LEAKYRELU": Word("leakyrelu", ("negative_slope",), (0.01,)),
    "SIGMOID": Word("sigmoid"),
    "TANH": Word("tanh"),
    "SOFTMAX": Word("softmax"),
    "DROPOUT": Word("dropout", ("p",), (0.5,)),
}


def _meaning(text: str) -> dict[str, str]:
    """Return the meaning of each word, from lists of synonyms that begin with the meaning."""
    return {word: part.split()[0] for part in text.split(";") for word in part.split()[1:]}


SAME_WORD = _meaning(
    "CONV CONVOLUTION CONV1D CONV2D CONV3D; DWCONV DEPTHWISE DEPTHWISECONV; POOL MAXPOOL MAXPOOLING POOLING MP;"
    "TCONV CONVT DECONV UPCONV TRANSPOSEDCONV; AVGPOOL AVERAGEPOOL AVGPOOLING AVERAGEPOOLING AP; BN BATCHNORM "
    "BATCHNORMALIZATION; GAP GLOBALAVGPOOL GLOBALAVERAGEPOOL GLOBALAVERAGEPOOLING GLOBALPOOL;"
    "FC DENSE LINEAR FULLYCONNECTED"
)
OPTIONS = _meaning("stride S STRIDE STRIDES; padding P PAD PADDING; dilation D DILATION; groups G GROUPS")
_FIXED: Mapping[str, Mapping[str, Any]] = {
    "same": {"padding": "same"},
    "valid": {"padding": "valid"},
    **{words: {"padding": 0} for words in ("no padding", "no pad")},
    **{words: {"bias": False} for words in ("nobias", "no bias", "no biases")},
}
_WITHOUT = ("no", "without")

_TWO_WORDS = re.compile(
    r"(?i:\b(max|avg|average|global|batch|leaky|fully|depthwise|transposed)[ _-]+"
    r"(?=(?:avg|average|max)?[ _-]*pool|norm|relu|connected|conv))"
)
_SIZES = re.compile(r"(?<=[\w)])\s*[x×*]\s*(?=[\w(])")
_WORD = rf"(?:(?!{_SIZES.pattern})[^\s,;>→=:])+"
_TOKEN = re.compile(rf"[-*.\[\]•]*(?:{_TWO_WORDS.pattern})*{_WORD}(?:{_SIZES.pattern}{_WORD})*")
_EDGES = "-*.[]•"
LAYER = re.compile(r"([A-Za-z]+?)(?:-?(\d[\w.]*|(?<=-)[A-Za-z]\w*))?((?:-[\w.]+)*)$")
_BEGINS = re.compile(
    r"(?im)^[ \t|*]*((conv|pool|max-?pool|avg-?pool|fc|dense)-?\d+(-[\w-]+)?\b(?!\s*[(=])|input[\s|:=]+\w)"
)


def is_exam(text: str) -> bool:
    """Return whether some line begins with a layer and its numbers, and there are no calls.

    >>> is_exam("INPUT 32x32x3; CONV-5-10"), is_exam("conv(5, 10)")
    (True, False)
    """
    return "(" not in re.sub(r"#.*", "", text) and _BEGINS.search(text[:100_000]) is not None


class Token(NamedTuple):
    """A word of a line, and its column."""

    text: str
    column: int  # from 1


def tokens_of(line: str) -> Iterator[Token]:
    """Yield the words of a line; of a row of a table, only those of the layer, or the sizes of the input.

    >>> [token.text for token in tokens_of("CONV-3 x 5-8 s2 -> MAX POOL  # a comment")]
    ['CONV-3x5-8', 's2', 'MAXPOOL']
    """
    code = re.split(r"#|//", line)[0]
    if not re.search(r"\w", code) or re.match(r"(?i)\W*layer\b", code):  # a rule, or the head of a table
        return
    if "|" in code:
        code = re.sub(r"(?i)^(\s*\|*\s*(?:input\s*\|)?[^|]*).*", r"\1", code).replace("|", " ")
    for match in _TOKEN.finditer(code):
        text = _SIZES.sub("x", _TWO_WORDS.sub(r"\1", match[0]))
        if word := text.strip(_EDGES):
            yield Token(word, match.start() + text.index(word) + 1)


def is_option(text: str) -> bool:
    """Return whether a word is an option and not a layer.

    >>> is_option("s2"), is_option("same"), is_option("CONV-3-8")
    (True, True, False)
    """
    match = re.match(r"(?i)([a-z]+)(\d\w*)?$", text)
    return match is not None and (match[1].upper() in OPTIONS or text.lower() in (*_FIXED, *_WITHOUT))


def split_word(text: str) -> tuple[str, list[str]]:
    """Return the word and the numbers of a layer; raise SpecError if there is no such layer.

    >>> split_word("CONV-9-32"), split_word("dense10")
    (('CONV', ['9', '32']), ('FC', ['10']))
    """
    match = LAYER.match(text)
    word = (match[1] if match else text).upper()
    word = SAME_WORD.get(word, word)
    if match is None or word not in (*WORDS, "INPUT"):
        hint = did_you_mean(word, [*WORDS, *SAME_WORD, "INPUT"])
        hint = hint or f"the layers are {', '.join(WORDS)}; a comment begins with #"
        raise SpecError(f"{text:.40} is not a layer of the exam notation", hint=hint)
    return word, [part for part in (match[2], *match[3].split("-")) if part]


def read_exam(
    text: str, name: str = "sheet", *, inputs: Sequence[Shape] = (), batch: Dim = 1, settings: Mapping[str, Any] = {}
) -> Graph:
    """Return the graph of a sheet in the notation of exams; arguments and errors are those of `read_spec`.

    >>> graph = read_exam("INPUT 32x32x3, CONV5-10, POOL2, FC-10")
    >>> [(node.path, *node.output_shape[1:]) for node in graph.nodes]
    [('conv1', 10, 28, 28), ('pool1', 10, 14, 14), ('flatten1', 1960), ('fc1', 10)]
    """
    return Exam(Text(text, name), inputs, batch, settings).read()


class Exam(Reading):
    """A sheet in the notation of exams being read."""

    states_input = r"(?i)\binput"
    layers = 0

    def _follow(self) -> None:
        self.usual: dict[str, dict[str, Any]] = {"CONV": {}, "POOL": {}}
        if self.input_shapes:
            self.plan.declare("", self.input_shapes[0])
        for number, line in enumerate(self.root.lines, 1):
            self._line(number, line)
        if self.unused and not self.root.errors:
            name = min(self.unused)
            raise SpecError(f"--set {name}: the sheet has no letter {name}", where=self.root.name)

    def _line(self, number: int, line: str) -> None:
        tokens = deque(tokens_of(line))
        while tokens:
            first = tokens[0]
            if self.root.late:
                self.root.stop(self.root.at(number, first.column, LATE))
            try:
                self._item(first.text, tokens)
            except Unknown:
                pass
            except ConvcalcError as error:
                small = isinstance(error, TooSmall) and error.is_spatial
                hint = "the map is smaller than the window: does it need padding, or another stride?" if small else ""
                self.root.report(self.root.placed(error, number, first.column, hint))
                self.plan.flow = UNKNOWN
                while tokens and is_option(tokens[0].text):
                    tokens.popleft()

    def _item(self, text: str, tokens: deque[Token]) -> None:
        """Read a layer with its options; options alone, or after a word without numbers, are for all that follow."""
        word, numbers = "", list[str]()
        if not is_option(text):
            tokens.popleft()
            word, numbers = split_word(text)
        if word == "INPUT":
            self._input(numbers, tokens)
            return
        options: dict[str, Any] = {}
        while tokens and is_option(tokens[0].text):
            options.update(self._option(tokens.popleft().text, tokens))
        if options and not numbers and word in ("", "CONV", "POOL") and not self.layers:
            self.usual[word or "CONV"].update(options)
            return
        if not word:
            raise SpecError(f"{text} is an option without a layer", hint="options follow a layer: CONV-3-64 s2 p1")
        self.layers += 1
        if self.layers > MOST_NODES:
            raise SpecError(f"a network may not have more than {MOST_NODES:,} layers")
        self._layer(word, self._arguments(word, text, numbers), options)

    def _arguments(self, word: str, text: str, numbers: list[str]) -> dict[str, Any]:
        _, names, usual = WORDS[word]
        if len(numbers) > len(names) or (len(numbers) < len(names) and not usual):
            example = "-".join([word, *("K" if n == "kernel_size" else "S" if n == "stride" else "N" for n in names)])
            what = f"{text}: {word} takes {len(names) or 'no'} number{'s' * (len(names) != 1)}"
            meaning = ": K is the size of the filters, N their number" if word == "CONV" else ""
            raise SpecError(what, hint=f"write {example}{meaning}")
        return dict(zip(names, usual)) | {name: self._number(number, text) for name, number in zip(names, numbers)}

    def _number(self, text: str, token: str) -> Any:
        """Return a number of a token: an integer, a decimal, sizes such as 3x5, or a letter."""
        if re.fullmatch(r"\d+(x\d+)+", text):
            return tuple(self._number(part, token) for part in text.split("x"))
        if text in self.settings:
            self.unused.discard(text)
            return plain(self.settings[text])
        if re.fullmatch(r"0?\.\d+|0", text):
            return float(text) if "." in text else 0
        return parse_dim(text, token)

    def _layer(self, word: str, arguments: dict[str, Any], options: dict[str, Any]) -> None:
        layer = WORDS[word].layer
        if self.plan.flow is None:
            hint = "begin with INPUT 32x32x3, or give --input 3x32x32"
            raise SpecError("no input has been given before this layer", hint=hint)
        flow = self.plan.need_flow()
        if word == "FC" and len(flow.shape) > 2:
            flow = self._record("flatten", "flatten", flow, {})
        arguments = {**self.usual.get({"DWCONV": "CONV", "AVGPOOL": "POOL"}.get(word, word), {}), **arguments}
        if word == "DWCONV":
            arguments["out_channels"] = arguments["groups"] = flow.shape[1]
        if word == "SOFTMAX":
            arguments["dim"] = 1
        arguments.update(options)
        if arguments.get("padding") == "same" and (layer != "conv" or arguments.get("stride", 1) != 1):
            arguments["padding"] = "tf_same"  # as exams and Keras mean it: the size divided by the stride
        self._record(layer, word.lower(), flow, arguments)

    def _record(self, layer: str, name: str, flow: Tensor, arguments: dict[str, Any]) -> Tensor:
        with guarded(layer):
            built = build(layer, flow.shape, [], arguments)
        return self.plan.record(built, [flow], name, called=layer)

    def _option(self, text: str, tokens: deque[Token]) -> Mapping[str, Any]:
        if text.lower() in _FIXED:
            return _FIXED[text.lower()]
        match = re.match(r"(?i)([a-z]+)(.*)$", text)
        assert match
        value = match[2] or (tokens.popleft().text if tokens else "")
        without = text.lower() in _WITHOUT
        words = ("no " if without else "") + value.lower()
        if words in _FIXED and words != "nobias":
            return _FIXED[words]
        if not without and re.fullmatch(r"\w+", value):
            return {OPTIONS[match[1].upper()]: self._number(value, text)}
        raise SpecError(f"{text} has no value", hint="write stride 2, padding 1, s2 p1, same or no bias")

    def _input(self, sizes: list[str], tokens: deque[Token]) -> None:
        """Read the sizes of the input as exams write them: height x width x channels, or channels@height x width."""
        if not sizes and not tokens:
            raise SpecError("INPUT needs its sizes", hint="write INPUT 32x32x3: height, width, channels")
        text = sizes[0] if sizes else tokens.popleft().text
        channels, at, rest = text.rpartition("@")
        *parts, last = [self._number(part, text) for part in rest.split("x")]
        if at:
            shape = (self._number(channels, text), *parts, last)
        else:
            shape = (1, *parts, last) if len(parts) == 1 else (last, *parts)
        if not self.input_shapes:
            if self.plan.inputs:
                raise SpecError("the exam notation has one input only")
            self.plan.declare("", shape)
        elif len(self.input_shapes[0]) != len(shape):
            what = f"the input of the sheet is {show_shape(shape)}; --input gives {show_shape(self.input_shapes[0])}"
            raise SpecError(what, hint="--input is written channels first: 3x32x32")
