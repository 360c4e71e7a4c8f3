"""The notation of exams (``CONV-9-32``, ``POOL-2``, ``FC-64``), read into a graph.

One layer a line, or several with commas, semicolons, arrows or spaces between. ``CONV-9-32`` is 32 filters of 9 x 9,
stride 1 and no padding, ``POOL-2`` a maximum over 2 x 2 with stride 2, ``FC-64`` 64 units, before which a map is
flattened; ``CONV9-32`` and ``conv3-64`` are read too. Options stand behind a layer (``s2 p1``, ``stride 2, padding
same``), or once at the top for all convolutions. ``INPUT 32x32x3`` is height, width, channels, as exams write it. The
spec text has a reader of its own.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from convcalc.algebra.dims import Dim, Shape, parse_dim, show_shape
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.network.graph import Graph
from convcalc.network.tensor import Tensor
from convcalc.readers.arithmetic import plain
from convcalc.readers.exam_words import LAYER, OPTIONS, SAME_WORD, WORDS, Token, is_option, numbers_of, tokens_of
from convcalc.readers.hints import guarded
from convcalc.readers.names import build
from convcalc.readers.plan import UNKNOWN, Plan, Unknown
from convcalc.readers.source import MOST_NODES, MOST_SECONDS, Enough, Text, is_placed


def read_exam(
    text: str,
    name: str = "sheet",
    *,
    inputs: Sequence[Shape] = (),
    batch: Dim = 1,
    settings: Mapping[str, Any] = {},
) -> Graph:
    """The graph of a sheet in the notation of exams.

    ``inputs`` are shapes without the batch, channels first, that take the place of the sheet's own; ``settings`` give
    letters their values. Raises SpecError or ShapeError with line, column and caret.

    >>> graph = read_exam("INPUT 32x32x3, CONV5-10, POOL2, FC-10")
    >>> [(node.path, *node.output_shape[1:]) for node in graph.nodes]
    [('conv1', 10, 28, 28), ('pool1', 10, 14, 14), ('flatten1', 1960), ('fc1', 10)]
    """
    return Exam(Text(text, name), inputs, batch, settings).read()


class Exam:
    """Follows the lines of an exam's sheet."""

    def __init__(self, text: Text, inputs: Sequence[Shape], batch: Dim, settings: Mapping[str, Any]) -> None:
        self.text = text
        self.plan = Plan(batch)
        self.given = inputs
        self.settings = settings
        self.unused = set(settings)
        self.usual: dict[str, dict[str, Any]] = {"CONV": {}, "POOL": {}}
        self.layers = 0

    def read(self) -> Graph:
        """The graph of the whole sheet."""
        try:
            if self.given:
                self.plan.declare("", self.given[0])
            for number, line in enumerate(self.text.lines, 1):
                self._line(number, line)
        except Enough:
            pass
        self.text.finish()
        if self.unused:
            raise SpecError(f"--set {min(self.unused)}: nothing here is named {min(self.unused)}", where=self.text.name)
        return self.plan.graph(self.text.name)

    def _line(self, number: int, line: str) -> None:
        tokens = deque(tokens_of(line))
        while tokens:
            first = tokens.popleft()
            if self.text.late:
                what = f"reading takes longer than {MOST_SECONDS:g} s, the most that a sheet may"
                self.text.errors.append(self.text.at(number, first.column, what))
                raise Enough
            options: dict[str, Any] = {}
            try:
                word = None if is_option(first.text) else self._word(first)
                if word is None:
                    tokens.appendleft(first)
                if word == "INPUT":
                    self._input(first, tokens)
                    continue
                while tokens and is_option(tokens[0].text):
                    options.update(self._take_option(tokens))
                self._item(word, first, options)
            except Unknown:
                pass
            except ConvcalcError as error:
                placed = is_placed(error)
                self.text.report(error if placed else self._located(number, first, error))
                self.plan.flow = UNKNOWN
                while tokens and is_option(tokens[0].text):
                    tokens.popleft()

    def _located(self, number: int, token: Token, error: ConvcalcError) -> ConvcalcError:
        head = f"{error.where}: {error.what}" if error.where else error.what
        here = self.text.at(number, token.column, head, *error.details, hint=error.hint or _hint(error.what))
        return type(error)(here.what, where=here.where, details=here.details, hint=here.hint)

    def _word(self, token: Token) -> str:
        """The word of a layer that a token begins with; raises UnknownName."""
        found = LAYER.match(token.text)
        word = found[1].upper() if found else token.text.upper()
        word = SAME_WORD.get(word, word)
        if found is None or (word not in WORDS and word != "INPUT"):
            known = [*WORDS, *SAME_WORD, "INPUT"]
            hint = did_you_mean(word, known) or f"there are {', '.join(WORDS)}; a remark begins with #"
            raise SpecError(f"{token.text:.40} is no layer of an exam's sheet", hint=hint)
        return word

    def _item(self, word: str | None, token: Token, options: dict[str, Any]) -> None:
        """A layer with its options; options alone, or behind a word without numbers, hold for what follows."""
        numbers = [] if word is None else numbers_of(token.text)
        if not numbers and word in (None, "CONV", "POOL") and options and not self.layers:
            self.usual[word or "CONV"].update(options)
            return
        if word is None:
            raise SpecError(f"{token.text} names no layer", hint="options stand behind a layer: CONV-3-64 s2 p1")
        self.layers += 1
        if self.layers > MOST_NODES:
            raise SpecError(f"a network may not have more than {MOST_NODES:,} layers")
        self._layer(word, self._arguments(word, token, numbers), options)

    def _arguments(self, word: str, token: Token, numbers: list[str]) -> dict[str, Any]:
        """The arguments that a token's numbers are."""
        names, usual = WORDS[word].numbers, WORDS[word].usual
        if not len(names) - len(usual) <= len(numbers) <= len(names):
            example = "-".join([word, *("K" if n == "kernel_size" else "S" if n == "stride" else "N" for n in names)])
            what = f"{token.text}: {word} takes {len(names) or 'no'} number{'s' * (len(names) != 1)}"
            hint = f"write {example}" + (
                ": K is the size of the filters, N how many there are" if word == "CONV" else ""
            )
            raise SpecError(what, hint=hint)
        values: list[Any] = [self._number(text, token.text) for text in numbers]
        values += usual[len(usual) - len(names) + len(values) :] if len(values) < len(names) else ()
        return {name: value for name, value in zip(names, values) if value is not None}

    def _number(self, text: str, token: str) -> Any:
        """A number of a token: whole, with a point, sizes such as 3x5, or a letter."""
        if "x" in text and re.fullmatch(r"\d+(x\d+)+", text):
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
            raise SpecError(
                "no input has been given before this layer", hint="begin with INPUT 32x32x3, or give --input 3x32x32"
            )
        flow = self.plan.need_flow()
        if word == "FC" and len(flow.shape) > 2:
            flow = self._record("flatten", "flatten", flow, {})
        if word in ("CONV", "DWCONV"):
            arguments = {**self.usual["CONV"], **arguments}
        if word in ("POOL", "AVGPOOL"):
            arguments = {**self.usual["POOL"], **arguments}
        if word == "DWCONV":
            arguments["out_channels"] = arguments["groups"] = flow.shape[1]
        if word == "SOFTMAX":
            arguments["dim"] = 1
        arguments.update(options)
        if arguments.get("padding") == "same" and (layer != "conv" or arguments.get("stride", 1) != 1):
            arguments["padding"] = "tf_same"  # what exams and Keras mean by it: the size divided by the stride
        self._record(layer, word.lower(), flow, arguments)

    def _record(self, layer: str, name: str, flow: Tensor, arguments: dict[str, Any]) -> Tensor:
        with guarded(layer, 1):
            return self.plan.record(build(layer, flow.shape, [], arguments), [flow], name)

    def _take_option(self, tokens: deque[Token]) -> dict[str, Any]:
        """An option at the head of the tokens, which are taken away."""
        text = tokens.popleft().text
        if text.lower() in ("same", "valid"):
            return {"padding": text.lower()}
        if text.lower() in ("no", "without", "nobias"):
            if text.lower() != "nobias":
                following = tokens.popleft().text.lower() if tokens else ""
                if following not in ("bias", "biases"):
                    return {"padding": 0} if following in ("padding", "pad") else self._no_value(text)
            return {"bias": False}
        found = re.match(r"(?i)([a-z]+)(.*)$", text)
        assert found
        value = found[2] or (tokens.popleft().text if tokens else "")
        if value.lower() in ("same", "valid"):
            return {"padding": value.lower()}
        if not re.fullmatch(r"\w[\wx]*", value):
            return self._no_value(text)
        return {OPTIONS[found[1].upper()]: self._number(value, text)}

    def _no_value(self, option: str) -> dict[str, Any]:
        raise SpecError(f"{option} has no value", hint="write stride 2, padding 1, s2 p1, same or no bias")

    def _input(self, word: Token, tokens: deque[Token]) -> None:
        """The input's sizes, as exams write them: height, width, channels, or channels@height x width."""
        sizes = numbers_of(word.text)
        if not sizes:
            if not tokens:
                raise SpecError("INPUT needs its sizes", hint="write INPUT 32x32x3: height, width, channels")
            sizes = [tokens.popleft().text]
        channels, at, rest = sizes[0].rpartition("@")
        parts = [self._number(part, sizes[0]) for part in rest.split("x")]
        if at:
            shape = (self._number(channels, sizes[0]), *parts)
        elif len(parts) == 2:
            shape = (1, *parts)
        else:
            shape = (parts[-1], *parts[:-1])
        if not self.given and self.plan.inputs:
            raise SpecError("a sheet of an exam has one input")
        if not self.given:
            self.plan.declare("", shape)
        elif len(self.given[0]) != len(shape):
            what = f"the sheet's input is {show_shape(shape)}; {show_shape(self.given[0])} was given"
            raise SpecError(what, hint="--input is written channels first: 3x32x32")


def _hint(what: str) -> str:
    if re.search(r"the output \w+ is (0|-)", what):
        return "the map is smaller than the window: is padding or another stride meant?"
    return ""
