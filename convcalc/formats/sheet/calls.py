"""What a call on a sheet means: a layer, a merge, a block, arithmetic, or one of a sheet's own forms."""

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

from convcalc import nn
from convcalc.algebra.dims import show
from convcalc.algebra.types import is_symbolic
from convcalc.errors import ConvcalcError, SpecError, did_you_mean
from convcalc.formats.sheet import expressions, names
from convcalc.formats.sheet.expressions import FUNCTIONS, Expressions, is_number
from convcalc.formats.sheet.hints import explain
from convcalc.formats.sheet.plan import Unknown, guarded
from convcalc.formats.sheet.source import Source
from convcalc.network.graph import Via
from convcalc.network.tensor import Operand, Tensor

_JOINING = {ast.Add: "add", ast.Mult: "mul", ast.Sub: "sub", ast.Div: "div", ast.MatMult: "matmul"}


class Call(NamedTuple):
    """A call being read; ``inputs`` stood in second brackets, ``name`` is the one to bear."""

    node: ast.Call
    callee: str
    args: list[Any]
    kwargs: dict[str, Any]
    inputs: list[Tensor]
    name: str


class Block(NamedTuple):
    """A block; ``source`` is the sheet that it stands in, ``gives`` are the names that its lines give."""

    source: Source
    node: ast.FunctionDef
    arguments: list[str]
    defaults: Mapping[str, Any]
    gives: frozenset[str]


class Calls(Expressions):
    """Reads calls, and records those of layers."""

    name = ""

    def _block(self, call: Call) -> Tensor:
        raise NotImplementedError

    def _call(self, node: ast.Call, name: str) -> Any:
        """A call, with a second pair of brackets on named inputs."""
        tensors: list[Tensor] = []
        if isinstance(node.func, ast.Call):
            if node.keywords or not node.args:
                raise self.source.error(node, "the second brackets name inputs", "write conv(64, 3)(e1)")
            tensors = self._each(node.args, self._tensor)
            node = node.func
        callee = names.callee_of(node)
        if not callee:
            raise self._no_name(node)
        keys = [keyword.arg for keyword in node.keywords]
        if None in keys or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.source.error(node, "a * in brackets is not part of a sheet")
        self._check_callee(node, callee)
        for i, keyword in enumerate(node.keywords):
            if keyword.arg in keys[:i]:
                raise self.source.error(keyword, f"{keyword.arg} is given twice", "keep one of them")
        if callee == "input" and len(self.plan.inputs) < len(self.given):
            self._take_letters(node)
        args = self._each(node.args)
        values = self._each([keyword.value for keyword in node.keywords])
        call = Call(node, callee, args, dict(zip(map(str, keys), values)), tensors, name)
        try:
            return self._dispatch(call)
        except ConvcalcError as error:
            raise self._explained(error, call) from None

    def _no_name(self, node: ast.Call) -> ConvcalcError:
        called = node.func
        if isinstance(called, ast.Attribute):
            name = called.attr if names.is_layer(called.attr) else "conv"
            hint = f"layers go by their bare names, as in {names.usage(name)}"
            return self.source.error(node, f"{ast.unparse(called):.60} is not part of a sheet", hint)
        return self.source.error(node, "a layer is called by its name", "write conv(64, 3)")

    def _check_callee(self, node: ast.Call, callee: str) -> None:
        """Raise an error for a name that nothing bears."""
        if callee in self.broken:
            raise Unknown
        if callee in {*FUNCTIONS, *names.FORMS, *names.MERGES, *self.blocks} or callee in self.plan.frame.layers:
            return
        if callee == "range":
            raise self.source.error(node, "range stands in a loop only: for i in range(n):")
        if any(isinstance(line, ast.FunctionDef) and line.name == callee for line in self.source.tree.body):
            what = f"the block {callee} is written further down"
            raise self.source.error(node, what, "put it before the line that calls it")
        try:
            names.check_name(callee, list(self.blocks))
        except ConvcalcError as error:
            raise self.source.located(node, error) from None

    def _dispatch(self, call: Call) -> Any:
        callee, several = call.callee, call.kwargs or call.inputs
        if callee in FUNCTIONS or callee in names.FORMS:
            if several:
                hint = f"write {FUNCTIONS[callee][1]}" if callee in FUNCTIONS else ""
                raise SpecError(f"{callee} takes plain values in one pair of brackets", hint=hint)
            return expressions.call(callee, call.args) if callee in FUNCTIONS else getattr(self, f"_{callee}")(call)
        self._count(call.node)
        if callee in self.blocks:
            return self._block(call)
        if callee in names.MERGES or callee in names.MERGES.values():
            return self._merge(call)
        if names.is_layer(callee):
            return self._layer(call)
        if call.args or call.kwargs:  # one more call of a layer that has a name, and keeps its weights
            what = f"{callee} is a layer of this sheet, which is called again by {callee}()"
            raise SpecError(what, hint=f"on a named input: {callee}()(e1)")
        return self.plan.again(callee, call.inputs or [self.plan.need_flow()])

    def _layer(self, call: Call) -> Any:
        callee = call.callee
        args = [self._setting_of(value, place, callee) for value, place in zip(call.args, call.node.args)]
        places = zip(call.kwargs.items(), call.node.keywords)
        kwargs = {key: self._setting_of(value, place, callee) for (key, value), place in places}
        names.check_arguments(callee, args, kwargs)
        with guarded(callee):
            layer = names.kinds()[callee](*args, **kwargs) if callee in names.kinds() else None
        # a parameter takes no input
        inputs = [] if isinstance(layer, Operand) else call.inputs or [self.plan.need_flow()]
        if layer is None:
            with guarded(callee):
                layer = names.build(callee, inputs[0].shape, args, kwargs)
        if inputs:
            names.check_rank(type(layer), inputs[0].shape)
        return self.plan.record(layer, inputs, names.short_name(type(layer).__name__), call.name)

    def _setting_of(self, value: Any, place: ast.AST, callee: str) -> Any:
        """A value as layers take it."""
        if isinstance(value, Tensor):
            said = ast.unparse(place.value if isinstance(place, ast.keyword) else place)
            what = f"the brackets of {callee} hold its arguments; an input goes into a second pair"
            raise self.source.error(place, what, f"write {names.usage(callee)}({said if len(said) <= 40 else 'e1'})")
        if isinstance(value, tuple):
            return tuple(self._setting_of(item, place, callee) for item in value)
        if is_symbolic(value) and value.is_integer is not True:
            hint = "// divides and rounds down, ceil(a/b) rounds up"
            raise self.source.error(place, f"{show(value)} need not be a whole number", hint)
        return names.plain(value)

    def _merge(self, call: Call) -> Tensor:
        """A call that joins tensors: those in its brackets, with the line before where there is but one."""
        callee = call.callee
        values = [item for value in call.args for item in (value if isinstance(value, tuple) else (value,))]
        tensors = [*(value for value in values if isinstance(value, Tensor)), *call.inputs]
        options = [value for value in values if not isinstance(value, Tensor)]
        kind = getattr(nn, names.MERGES.get(callee, callee))
        for argument, value in zip(call.node.args, call.args):
            letter = is_symbolic(value) and value.is_Symbol and show(value) in self.letters
            if letter or isinstance(value, str) or (not kind.arguments and not isinstance(value, (Tensor, tuple))):
                raise self._no_output(argument)
        if callee == "cat" and not options and not call.kwargs:
            options = [1]  # on a sheet the batch is implied: channels are what is joined
        with guarded(callee):
            layer = kind(*map(names.plain, options), **call.kwargs)
        needed = 1 if call.inputs or getattr(layer, "scalar", None) is not None else 2
        if len(tensors) < needed:
            tensors = [self.plan.need_flow(), *tensors]
        if len(tensors) < needed:
            hint = f"write {callee}(e1) to join it with the line before"
            raise SpecError(f"{callee} joins several outputs, received one", hint=hint)
        via: Via = "function" if callee in names.MERGES else "module"  # add(a, b), but Add()(a, b)
        return self.plan.record(layer, tensors, callee.lower(), call.name, called=callee, via=via)

    def _explained(self, error: ConvcalcError, call: Call) -> ConvcalcError:
        """Return an error of a call with a hint and its place, unless it has them."""
        if error.place is not None:
            return error
        explain(error, call.node, call.callee, call.inputs, self.plan)
        return self.source.located(_node_about(error, call.node, call.callee), error)

    def _binop(self, node: ast.BinOp, name: str) -> Any:
        left, right = self._each([node.left, node.right])
        tensors = [value for value in (left, right) if isinstance(value, Tensor)]
        if not tensors:
            return expressions.apply(node.op, left, right)
        kind = _JOINING.get(type(node.op))
        options: dict[str, Any] = {}
        if len(tensors) == 1:
            scalar, place = (right, node.right) if left is tensors[0] else (left, node.left)
            if kind in (None, "matmul") or not is_number(scalar):
                kind = None
            elif is_symbolic(scalar) and show(scalar) in self.letters:
                raise self._no_output(place)
            options["scalar"] = names.plain(scalar)
            if scalar is left and kind in ("sub", "div"):
                options["reversed"] = True
        if kind is None:
            raise SpecError("outputs of layers are joined by + - * / and @, or by cat(a, b)")
        self._count(node)
        with guarded(kind):
            layer = getattr(nn, names.MERGES[kind])(**options)
        return self.plan.record(layer, tensors, kind, name, called=kind, via="operator")

    def _subscript(self, node: ast.Subscript, name: str) -> Any:
        """A part of a tensor: ``y[:, 0:16]``."""
        value = self._value(node.value)
        if not isinstance(value, Tensor):
            raise SpecError("square brackets take a part of a layer's output", hint="write half = y[:, 0:16]")
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = tuple(self._index(item) for item in items)
        self._count(node)
        with guarded("[ ]"):
            layer = nn.Slice(index)
        return self.plan.record(layer, [value], "slice", name, called="[ ]", via="operator")

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*[end and self._value(end) for end in (node.lower, node.upper, node.step)])
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return Ellipsis
        return self._value(node)

    def _input(self, call: Call) -> Tensor:
        if len(self.plan.frames) > 1:
            raise SpecError("input stands outside of blocks", hint="inside a block, x is what flows into it")
        sizes = tuple(call.args)
        if len(sizes) == 1 and isinstance(sizes[0], tuple):
            sizes = sizes[0]
        if not sizes:
            raise SpecError("input needs its sizes without the batch, channels first", hint="write input(3, H, W)")
        for argument, size in zip(call.node.args, sizes):
            if not (size.is_integer if is_symbolic(size) else type(size) is int and size > 0):
                what = f"a size is a whole number of at least 1 or a letter; received {names.display(size)}"
                raise self.source.error(argument, what)
        if len(self.plan.inputs) < len(self.given):
            given = self.given[len(self.plan.inputs)]
            if len(sizes) != len(given):
                what = f"this input has {len(sizes)} sizes; --input gives {len(given)}: {'x'.join(map(show, given))}"
                hint = f"write it as {'x'.join(map(ast.unparse, call.node.args))}, without the batch"
                raise SpecError(what, hint=hint)
            sizes = given
        return self.plan.declare(call.name, sizes)

    def _take_letters(self, node: ast.Call) -> None:
        """Before they are read as letters, those of ``input`` take the values given from outside."""
        known = self.plan.frames[0].names
        new: dict[str, Any] = {}
        for argument, value in zip(node.args, self.given[len(self.plan.inputs)]):
            letter = argument.id if isinstance(argument, ast.Name) else ""
            if not letter or letter in known or letter in self.settings:
                continue
            if new.setdefault(letter, value) != value:
                what = f"--input gives {letter} two values: {show(new[letter])} and {show(value)}"
                raise self.source.error(argument, what)
        known.update(new)

    def _output(self, call: Call) -> None:
        if not call.args:
            raise SpecError("output names what the network gives", hint="write output(mask)")
        for argument, value in zip(call.node.args, call.args):
            if not isinstance(value, Tensor):
                raise self._no_output(argument)
            self.plan.outputs.append(value)

    def _net(self, call: Call) -> None:
        (name, *rest) = call.args or [None]
        if rest or not isinstance(name, str) or not 0 < len(name.strip()) <= len(name) <= 100:
            raise SpecError("net takes the network's name in quotes", hint='write net("tinyunet")')
        self.name = name.strip()


def _node_about(error: ConvcalcError, node: ast.Call, name: str) -> ast.AST:
    """Return the first argument of a call that an error is about, or the call."""
    if (kind := names.any_kind(name)) is None:
        return node
    given: dict[str | None, ast.AST] = {keyword.arg: keyword for keyword in node.keywords}
    given.update(zip(names.positional(name, kind), node.args))
    return next((given[word] for word in error.about if word in given), node)


def bind(block: Block, call: Call) -> dict[str, Any]:
    known = block.arguments
    values = {**block.defaults, **dict(zip(known, call.args)), **call.kwargs}
    takes = f"{block.node.name} takes {', '.join(known) or 'no arguments'}"
    where = f"it is written on line {block.node.lineno} of {block.source.name}"
    for name in call.kwargs:
        if name not in known:
            raise SpecError(f"{takes}; there is no {name}", hint=did_you_mean(name, known) or where)
        if name in known[: len(call.args)]:
            raise SpecError(f"{takes}; {name} is given twice")
    if len(call.args) > len(known):
        raise SpecError(f"{takes}; received {len(call.args)} values", hint=where)
    missing = [name for name in known if name not in values]
    if missing:
        raise SpecError(f"{takes}; {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", hint=where)
    return values
