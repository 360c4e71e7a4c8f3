"""What a call on a spec sheet means: a layer, a merge, a block, arithmetic, or one of the sheet's own forms.

Statements are `readers.spec`'s, values `readers.expressions`'; which layers there are stands in `readers.names`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from convcalc import nn
from convcalc.algebra.dims import Shape, is_symbolic, show
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.tensor import Operand, Tensor
from convcalc.readers import arithmetic
from convcalc.readers.expressions import Expressions, callee_of
from convcalc.readers.hints import explain, guarded, place_of
from convcalc.readers.names import (
    FORMS,
    MERGES,
    any_kind,
    build,
    camel,
    check_arguments,
    check_name,
    check_rank,
    families,
    kinds,
    short_name,
    usage,
)
from convcalc.readers.plan import Plan, Unknown
from convcalc.readers.source import Source, is_placed


class Reading(NamedTuple):
    """A call being read: the values in its brackets, the tensors of its second brackets, the name it is to bear."""

    args: list[Any]
    kwargs: dict[str, Any]
    inputs: list[Tensor]
    name: str


class Calls(Expressions):
    """Reads calls, and records those of layers."""

    given: Sequence[Shape]

    def __init__(self, source: Source, plan: Plan, settings: Mapping[str, Any]) -> None:
        super().__init__(source, plan, settings)
        self.title = ""
        self.root = source
        self.blocks: dict[str, Any] = {}
        self.broken: set[str] = set()
        """Blocks with an error in their first line."""
        self.tried: set[str] = set()
        """Blocks whose lines have been read."""
        self.included: set[str] = set()
        self.places: list[str] = []
        """Where the present line is read from: blocks and included sheets, the innermost last."""

    def _block(self, node: ast.Call, callee: str, reading: Reading) -> Any:
        raise NotImplementedError

    def _include(self, node: ast.Call, args: list[Any], name: str) -> None:
        raise NotImplementedError

    def _call(self, node: ast.Call, name: str) -> Any:
        """A call of arithmetic, of a block, of a layer or merge; with a second pair of brackets on named inputs."""
        flow = self.plan.flow
        tensors: list[Tensor] = []
        if isinstance(node.func, ast.Call):
            if node.keywords or not node.args:
                raise self.source.error(node, "the second brackets name inputs", hint="write conv(64, 3)(e1)")
            tensors = [self._input_of(argument, flow) for argument in node.args]
            node = node.func
        callee = callee_of(node)
        if not callee:
            raise self._no_name(node)
        starred = any(isinstance(argument, ast.Starred) for argument in node.args)
        if starred or any(not keyword.arg for keyword in node.keywords):
            raise self.source.error(node, "a * in brackets is not part of a sheet")
        self._check_callee(node, callee)
        twice = [
            keyword for i, keyword in enumerate(node.keywords) if keyword.arg in {k.arg for k in node.keywords[:i]}
        ]
        if twice:
            raise self.source.error(twice[0], f"{twice[0].arg} is given twice", hint="keep one of them")
        self.plan.flow = flow
        if callee == "input" and len(self.plan.inputs) < len(self.given):
            self._take_letters(node, tuple(self.given[len(self.plan.inputs)]))
        args = self._each(node.args)
        values = self._each([keyword.value for keyword in node.keywords])
        kwargs = {str(keyword.arg): value for keyword, value in zip(node.keywords, values)}
        reading = Reading(args, kwargs, tensors, name)
        try:
            return self._dispatch(node, callee, reading)
        except ConvcalcError as error:
            raise self._explained(error, node, callee, reading) from None

    def _no_name(self, node: ast.Call) -> SpecError:
        """The error for a call of something that is not a plain name."""
        called = node.func
        if isinstance(called, ast.Attribute):
            name = called.attr if called.attr in families() or called.attr in kinds() else "conv"
            kind = any_kind(name)
            example = usage(name, kind) if kind else "conv(64, 3)"
            what = f"{ast.unparse(called):.60} is not part of a sheet"
            return self.source.error(node, what, hint=f"layers go by their bare names, as in {example}")
        return self.source.error(node, "a layer is called by its name", hint="write conv(64, 3)")

    def _input_of(self, node: ast.expr, flow: Any) -> Tensor:
        self.plan.flow = flow
        return self._tensor(node)

    def _check_callee(self, node: ast.Call, callee: str) -> None:
        """Raise UnknownName for a name that nothing bears, before the values in its brackets are computed."""
        if callee in self.broken:
            raise Unknown
        known = (arithmetic.FUNCTIONS, FORMS, self.blocks, MERGES, self.plan.frame.layers)
        if not any(callee in names for names in known):
            if callee == "range":
                raise self.source.error(node, "range stands in a loop only: for i in range(n):")
            below = any(isinstance(line, ast.FunctionDef) and line.name == callee for line in self.source.tree.body)
            if below:
                what = f"the block {callee} is written further down"
                raise self.source.error(node, what, hint="put it before the line that calls it")
            try:
                check_name(callee, list(self.blocks))
            except ConvcalcError as error:
                raise self.source.located(node, error) from None

    def _dispatch(self, node: ast.Call, callee: str, reading: Reading) -> Any:
        args, kwargs, name = reading.args, reading.kwargs, reading.name
        if callee in arithmetic.FUNCTIONS:
            if kwargs or reading.inputs:
                raise SpecError(f"{callee} takes plain values", hint=f"write {arithmetic.USAGE[callee]}")
            return arithmetic.call(callee, args)
        if callee in FORMS:
            if kwargs or reading.inputs:
                raise SpecError(f"{callee} takes plain values in one pair of brackets")
            return getattr(self, f"_{callee}")(node, args, name)
        self._count(node)
        if callee in self.blocks:
            return self._block(node, callee, reading)
        if callee in MERGES or callee in MERGES.values():
            return self._merge(node, callee, reading)
        if callee in self.plan.frame.layers and callee not in families() and callee not in kinds():
            return self._again(callee, reading)
        return self._layer(node, callee, reading)

    def _layer(self, node: ast.Call, callee: str, reading: Reading) -> Any:
        """A call of a layer with one input, or with those of the second brackets."""
        args = [self._setting_of(value, place, callee) for value, place in zip(reading.args, node.args)]
        places = dict(zip(reading.kwargs, node.keywords))
        kwargs = {key: self._setting_of(value, places[key], callee) for key, value in reading.kwargs.items()}
        check_arguments(callee, args, kwargs)
        with guarded(callee):
            layer = camel(callee, args, kwargs) if callee in kinds() else None
        # a parameter takes no input
        inputs = [] if isinstance(layer, Operand) else reading.inputs or [self.plan.need_flow()]
        if layer is None:
            with guarded(callee):
                layer = build(callee, inputs[0].shape, args, kwargs)
        kind = type(layer).__name__
        if inputs:
            check_rank(type(layer), inputs[0].shape)
        with guarded(kind, len(inputs)):
            return self.plan.record(layer, inputs, reading.name or short_name(kind), numbered=not reading.name)

    def _setting_of(self, value: Any, place: ast.AST, callee: str) -> Any:
        """A value as layers take it; raises SpecError for a tensor, which belongs into the second brackets."""
        if isinstance(value, Tensor):
            known = next((n for f in self.plan.frames[::-1] for n, v in f.names.items() if v is value), "e1")
            kind = any_kind(callee)
            inside = "64, 3" if kind and len(kind.arguments) > 5 else ""
            what = f"the brackets of {callee} hold its arguments; an input goes into a second pair"
            raise self.source.error(place, what, hint=f"write {callee}({inside})({known})")
        if isinstance(value, tuple):
            return tuple(self._setting_of(item, place, callee) for item in value)
        if is_symbolic(value) and value.is_integer is not True:
            hint = "// divides and rounds down, ceil(a/b) rounds up"
            raise self.source.error(place, f"{show(value)} need not be a whole number", hint=hint)
        return arithmetic.plain(value)

    def _merge(self, node: ast.Call, callee: str, reading: Reading) -> Tensor:
        """A call of a kind that joins tensors: those in its brackets, with the line before where there is but one."""
        values = [item for value in reading.args for item in (value if isinstance(value, tuple) else (value,))]
        tensors = [*(value for value in values if isinstance(value, Tensor)), *reading.inputs]
        options = [value for value in values if not isinstance(value, Tensor)]
        kind = getattr(nn, MERGES.get(callee, callee))
        for argument, value in zip(node.args, reading.args):
            letter = is_symbolic(value) and value.is_Symbol and show(value) in self.letters
            if letter or isinstance(value, str) or (not kind.arguments and not isinstance(value, (Tensor, tuple))):
                raise self._no_output(argument)
        if callee == "cat" and not options and not reading.kwargs:
            options = [1]  # on a sheet the batch is implied: channels are what is joined
        with guarded(callee):
            layer = kind(*map(arithmetic.plain, options), **reading.kwargs)
        scalar = getattr(layer, "scalar", None) is not None
        if not tensors or (len(tensors) == 1 and not scalar and not reading.inputs):
            tensors = [self.plan.need_flow(), *tensors]
        if len(tensors) == 1 and not scalar and not reading.inputs:
            hint = f"write {callee}(e1) to join it with the line before"
            raise SpecError(f"{callee} joins several outputs, received one", hint=hint)
        name = reading.name or callee.lower()
        with guarded(callee, len(tensors)):
            return self.plan.record(layer, tensors, name, numbered=not reading.name)

    def _again(self, callee: str, reading: Reading) -> Tensor:
        """One more call of a layer that has a name: it keeps its weights."""
        if reading.args or reading.kwargs:
            what = f"{callee} is a layer of this sheet, which is called again by {callee}()"
            raise SpecError(what, hint=f"on a named input: {callee}()(e1)")
        inputs = reading.inputs or [self.plan.need_flow()]
        with guarded(callee, len(inputs)):
            return self.plan.again(callee, inputs)

    def _explained(self, error: ConvcalcError, node: ast.Call, callee: str, reading: Reading) -> ConvcalcError:
        """``error`` at its place in the call, with a hint that would repair it."""
        if is_placed(error):
            return error
        flow = [self.plan.flow] if isinstance(self.plan.flow, Tensor) else []
        first = self.plan.inputs[0].shape if self.plan.inputs else ()
        inputs = reading.inputs or flow
        explain(error, node, callee, inputs, named=bool(reading.inputs), batched=len(first) > 4 and first[1] == 1)
        return self.source.located(place_of(node, callee, error.what), error)

    def _input(self, node: ast.Call, args: list[Any], name: str) -> Tensor:
        if len(self.plan.frames) > 1:
            raise SpecError("input stands outside of blocks", hint="inside a block, x is what flows into it")
        sizes = args[0] if len(args) == 1 and isinstance(args[0], tuple) else tuple(args)
        if not sizes:
            raise SpecError("input needs its sizes without the batch, channels first", hint="write input(3, H, W)")
        for argument, size in zip(node.args, sizes):
            whole = isinstance(size, int) and not isinstance(size, bool) and size > 0
            if not whole and not (is_symbolic(size) and size.is_integer):
                what = f"a size is a whole number of at least 1 or a letter; received {arithmetic.display(size)}"
                raise self.source.error(argument, what)
        declared = len(self.plan.inputs)
        if declared < len(self.given):
            sizes = self._given_sizes(node, sizes, tuple(self.given[declared]))
        return self.plan.declare(name, sizes)

    def _given_sizes(self, node: ast.Call, sizes: Shape, given: Shape) -> Shape:
        """The sizes given from outside in place of the sheet's."""
        if len(sizes) != len(given):
            what = f"this input has {len(sizes)} sizes; --input gives {len(given)}: {'x'.join(map(show, given))}"
            raise SpecError(what, hint=f"write it as {'x'.join(map(ast.unparse, node.args))}, without the batch")
        return given

    def _take_letters(self, node: ast.Call, given: Shape) -> None:
        """Letters in the brackets of ``input`` take the values given from outside; before they are read as letters."""
        names = self.plan.frames[0].names
        new: dict[str, Any] = {}
        for argument, value in zip(node.args, given):
            letter = argument.id if isinstance(argument, ast.Name) else ""
            if not letter or letter in names or letter in self.settings:
                continue
            if new.setdefault(letter, value) != value:
                what = f"--input gives {letter} two values: {show(new[letter])} and {show(value)}"
                raise self.source.error(argument, what)
        names.update(new)

    def _output(self, node: ast.Call, args: list[Any], name: str) -> None:
        if not args:
            raise SpecError("output names what the network gives", hint="write output(mask)")
        for argument, value in zip(node.args, args):
            if not isinstance(value, Tensor):
                raise self._no_output(argument)
            self.plan.outputs.append(value)

    def _net(self, node: ast.Call, args: list[Any], name: str) -> None:
        if len(args) != 1 or not isinstance(args[0], str) or not args[0].strip() or len(args[0]) > 100:
            raise SpecError("net takes the network's name in quotes", hint='write net("tinyunet")')
        self.title = args[0].strip()
