"""Calls on a sheet, and operators between outputs: what records layers. The values of arguments are in `expressions`.

A call is a layer, a merge, a block, a layer called again, a function of numbers, or a form such as ``input``.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from convcalc import nn
from convcalc.algebra.dims import show
from convcalc.algebra.types import is_symbolic
from convcalc.errors import ConvcalcError, SpecError
from convcalc.formats.sheet import expressions, names
from convcalc.formats.sheet.blocks import SheetCall, call_block, include
from convcalc.formats.sheet.expressions import FUNCTIONS, SheetLanguage, is_number, read_tensor
from convcalc.formats.sheet.hints import explain
from convcalc.formats.sheet.plan import Unknown, guarded
from convcalc.formats.sheet.state import Sheet
from convcalc.network.graph import Via
from convcalc.network.tensor import Operand, Tensor

_SIGNS = {ast.Add: "+", ast.Mult: "*", ast.Sub: "-", ast.Div: "/", ast.MatMult: "@"}


def _call(language: SheetLanguage, node: ast.Call, sheet: Sheet) -> Any:
    """Return the value of a call, which may have inputs in a second pair of brackets."""
    name = sheet.results.get(node, "")
    tensors: list[Tensor] = []
    if isinstance(node.func, ast.Call):
        if node.keywords or not node.args:
            raise sheet.source.error(node, "the second pair of brackets takes inputs", "write conv(64, 3)(e1)")
        tensors = language.each(node.args, sheet, read_tensor)
        node = node.func
    callee = names.callee_of(node)
    if not callee:
        raise _not_a_name(node, sheet)
    keys = [keyword.arg for keyword in node.keywords]
    if None in keys or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise sheet.source.error(node, "a * in brackets is not allowed in a sheet")
    _check_callee(node, callee, sheet)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in keys[:i]:
            raise sheet.source.error(keyword, f"{keyword.arg} is given twice", "keep one of them")
    if callee == "input" and len(sheet.plan.inputs) < len(sheet.input_shapes):
        _take_letters(node, sheet)
    args = language.each(node.args, sheet)
    values = language.each([keyword.value for keyword in node.keywords], sheet)
    call = SheetCall(node, callee, args, dict(zip(map(str, keys), values)), tensors, name)
    try:
        return _make(language, call, sheet)
    except ConvcalcError as error:
        raise _explained(error, call, sheet) from None


def _not_a_name(node: ast.Call, sheet: Sheet) -> ConvcalcError:
    """Return the error for a call of something other than a name."""
    called = node.func
    if isinstance(called, ast.Attribute):
        name = called.attr if names.is_layer(called.attr) else "conv"
        hint = f"write a layer by its name alone, as in {names.usage(name)}"
        return sheet.source.error(node, f"{ast.unparse(called):.60} is not allowed in a sheet", hint)
    return sheet.source.error(node, "a layer is called by its name", "write conv(64, 3)")


def _check_callee(node: ast.Call, callee: str, sheet: Sheet) -> None:
    """Raise an error if nothing that can be called has this name."""
    if callee in sheet.broken:
        raise Unknown
    if callee in {*FUNCTIONS, *names.FORMS, *names.merges(), *sheet.blocks} or callee in sheet.plan.frame.layers:
        return
    if callee == "range":
        raise sheet.source.error(node, "range is allowed only in a loop: for i in range(n):")
    if any(isinstance(line, ast.FunctionDef) and line.name == callee for line in sheet.source.tree.body):
        what = f"the block {callee} is defined further down"
        raise sheet.source.error(node, what, "move it above the line that calls it")
    try:
        names.check_name(callee, list(sheet.blocks))
    except ConvcalcError as error:
        raise sheet.source.located(node, error) from None


def _make(language: SheetLanguage, call: SheetCall, sheet: Sheet) -> Any:
    """Return the value of a call: of a function, form, block, merge or layer, or of a layer once more."""
    callee, has_more = call.callee, call.kwargs or call.inputs
    if callee in FUNCTIONS or callee in names.FORMS:
        if has_more:
            hint = f"write {FUNCTIONS[callee][1]}" if callee in FUNCTIONS else ""
            raise SpecError(f"{callee} takes plain values in one pair of brackets", hint=hint)
        return expressions.call(callee, call.args) if callee in FUNCTIONS else _FORMS[callee](language, call, sheet)
    sheet.count(call.node)
    if callee in sheet.blocks:
        return call_block(language, call, sheet)
    if callee in names.merges():
        return _merge(call, sheet)
    if names.is_layer(callee):
        return _layer(call, sheet)
    if call.args or call.kwargs:  # the layer is made already, and keeps its weights
        what = f"{callee} is a layer of this sheet; call it again with {callee}()"
        raise SpecError(what, hint=f"or, on a named input, with {callee}()(e1)")
    return sheet.plan.again(callee, call.inputs or [sheet.plan.need_flow()])


def _layer(call: SheetCall, sheet: Sheet) -> Any:
    """Record the call of a new layer, on the flow or on named inputs."""
    callee = call.callee
    args = [_argument(value, place, callee, sheet) for value, place in zip(call.args, call.node.args)]
    places = zip(call.kwargs.items(), call.node.keywords)
    kwargs = {key: _argument(value, place, callee, sheet) for (key, value), place in places}
    names.check_arguments(callee, args, kwargs)
    with guarded(callee):
        layer = names.kinds()[callee](*args, **kwargs) if callee in names.kinds() else None
    # a parameter has no input
    inputs = [] if isinstance(layer, Operand) else call.inputs or [sheet.plan.need_flow()]
    if layer is None:
        with guarded(callee):
            layer = names.build(callee, inputs[0].shape, args, kwargs)
    if inputs:
        names.check_rank(type(layer), inputs[0].shape)
    return sheet.plan.record(layer, inputs, layer.sheet_name(), call.name)


def _argument(value: Any, place: ast.AST, callee: str, sheet: Sheet) -> Any:
    """Return a value as layers take it; raise SpecError if it cannot be an argument."""
    if isinstance(value, Tensor):
        text = ast.unparse(place.value if isinstance(place, ast.keyword) else place)
        what = f"the brackets of {callee} take its arguments; its input goes in a second pair"
        raise sheet.source.error(place, what, f"write {names.usage(callee)}({text if len(text) <= 40 else 'e1'})")
    if isinstance(value, tuple):
        return tuple(_argument(item, place, callee, sheet) for item in value)
    if is_symbolic(value) and value.is_integer is not True:
        hint = "// divides and rounds down, ceil(a/b) rounds up"
        raise sheet.source.error(place, f"{show(value)} is not always an integer", hint)
    return names.plain(value)


def _merge(call: SheetCall, sheet: Sheet) -> Tensor:
    """Record a call that joins the tensors in its brackets; a single one is joined with the flow."""
    callee = call.callee
    values = [item for value in call.args for item in (value if isinstance(value, tuple) else (value,))]
    tensors = [*(value for value in values if isinstance(value, Tensor)), *call.inputs]
    options = [value for value in values if not isinstance(value, Tensor)]
    kind = names.merges()[callee]
    for argument, value in zip(call.node.args, call.args):
        letter = is_symbolic(value) and value.is_Symbol and show(value) in sheet.letters
        if letter or isinstance(value, str) or (not kind.arguments and not isinstance(value, (Tensor, tuple))):
            raise sheet.no_output(argument)
    usual = {} if options or callee in names.kinds() else kind.sheet_defaults
    with guarded(callee):
        layer = kind(*map(names.plain, options), **{**usual, **call.kwargs})
    needed = 1 if call.inputs or getattr(layer, "scalar", None) is not None else 2
    if len(tensors) < needed:
        tensors = [sheet.plan.need_flow(), *tensors]
    if len(tensors) < needed:
        hint = f"write {callee}(e1) to join e1 with the line before"
        raise SpecError(f"{callee} joins at least two outputs; received one", hint=hint)
    via: Via = "module" if callee in names.kinds() else "function"  # add(a, b) is a function, Add()(a, b) a module
    return sheet.plan.record(layer, tensors, callee.lower(), call.name, called=callee, via=via)


def _explained(error: ConvcalcError, call: SheetCall, sheet: Sheet) -> ConvcalcError:
    """Return an error of a call with a hint and its place, unless it has them."""
    if error.place is not None:
        return error
    explain(error, call.node, call.callee, call.inputs, sheet.plan)
    return sheet.source.located(_node_about(error, call.node, call.callee), error)


def _join(language: SheetLanguage, node: ast.BinOp, sheet: Sheet) -> Any:
    """Return the value of an operator; between outputs of layers, record the layer that it means."""
    left, right = language.each([node.left, node.right], sheet)
    tensors = [value for value in (left, right) if isinstance(value, Tensor)]
    if not tensors:
        return language.operator(node, node.op, sheet)(left, right)
    kind = names.operators().get(_SIGNS.get(type(node.op), ""))
    options: dict[str, Any] = {}
    if len(tensors) == 1:
        scalar, place = (right, node.right) if left is tensors[0] else (left, node.left)
        if kind is None or "scalar" not in kind.arguments or not is_number(scalar):
            kind = None
        elif is_symbolic(scalar) and show(scalar) in sheet.letters:
            raise sheet.no_output(place)
        options["scalar"] = names.plain(scalar)
        if kind is not None and scalar is left and "reversed" in kind.arguments:
            options["reversed"] = True
    if kind is None:
        raise SpecError("outputs of layers are joined with + - * / and @, or with cat(a, b)")
    sheet.count(node)
    called = kind.sheet_name()
    with guarded(called):
        layer = kind(**options)
    return sheet.plan.record(layer, tensors, called, sheet.results.get(node, ""), called=called, via="operator")


def _part(language: SheetLanguage, node: ast.Subscript, sheet: Sheet) -> Any:
    """Record the layer that takes a part of a tensor: ``y[:, 0:16]``."""
    value = language.value(node.value, sheet)
    if not isinstance(value, Tensor):
        raise SpecError("square brackets take a part of a layer's output", hint="write half = y[:, 0:16]")
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    index = tuple(_index(language, item, sheet) for item in items)
    sheet.count(node)
    with guarded("[ ]"):
        layer = nn.Slice(index)
    return sheet.plan.record(layer, [value], "slice", sheet.results.get(node, ""), called="[ ]", via="operator")


def _index(language: SheetLanguage, node: ast.expr, sheet: Sheet) -> Any:
    """Return one index in square brackets."""
    if isinstance(node, ast.Slice):
        return slice(*[end and language.value(end, sheet) for end in (node.lower, node.upper, node.step)])
    if isinstance(node, ast.Constant) and node.value is Ellipsis:
        return Ellipsis
    return language.value(node, sheet)


def _input(language: SheetLanguage, call: SheetCall, sheet: Sheet) -> Tensor:
    """Declare an input, with the sizes in the call or those from outside."""
    if len(sheet.plan.frames) > 1:
        raise SpecError("input is not allowed inside a block", hint="inside a block, x is its input")
    sizes = tuple(call.args)
    if len(sizes) == 1 and isinstance(sizes[0], tuple):
        sizes = sizes[0]
    if not sizes:
        raise SpecError("input needs its sizes without the batch, channels first", hint="write input(3, H, W)")
    for argument, size in zip(call.node.args, sizes):
        if not (size.is_integer if is_symbolic(size) else type(size) is int and size > 0):
            what = f"a size must be an integer of at least 1, or a letter; received {names.display(size)}"
            raise sheet.source.error(argument, what)
    if len(sheet.plan.inputs) < len(sheet.input_shapes):
        shape = sheet.input_shapes[len(sheet.plan.inputs)]
        if len(sizes) != len(shape):
            what = f"this input has {len(sizes)} sizes; --input gives {len(shape)}: {'x'.join(map(show, shape))}"
            hint = f"write it as {'x'.join(map(ast.unparse, call.node.args))}, without the batch"
            raise SpecError(what, hint=hint)
        sizes = shape
    return sheet.plan.declare(call.name, sizes)


def _take_letters(node: ast.Call, sheet: Sheet) -> None:
    """Give the letters in ``input`` their values from outside, before they are read as letters."""
    constants = sheet.plan.frames[0].names
    new: dict[str, Any] = {}
    for argument, value in zip(node.args, sheet.input_shapes[len(sheet.plan.inputs)]):
        letter = argument.id if isinstance(argument, ast.Name) else ""
        if not letter or letter in constants or letter in sheet.settings:
            continue
        if new.setdefault(letter, value) != value:
            what = f"--input gives {letter} two values: {show(new[letter])} and {show(value)}"
            raise sheet.source.error(argument, what)
    constants.update(new)


def _output(language: SheetLanguage, call: SheetCall, sheet: Sheet) -> None:
    """Make the outputs in the call the outputs of the network."""
    if not call.args:
        raise SpecError("output needs the outputs of the network", hint="write output(mask)")
    for argument, value in zip(call.node.args, call.args):
        if not isinstance(value, Tensor):
            raise sheet.no_output(argument)
        sheet.plan.outputs.append(value)


def _net(language: SheetLanguage, call: SheetCall, sheet: Sheet) -> None:
    """Set the name of the network."""
    (name, *rest) = call.args or [None]
    if rest or not isinstance(name, str) or not 0 < len(name.strip()) <= len(name) <= 100:
        raise SpecError("net takes the network's name in quotes", hint='write net("tinyunet")')
    sheet.name = name.strip()


def _node_about(error: ConvcalcError, node: ast.Call, name: str) -> ast.AST:
    """Return the first argument of a call that an error is about, or else the call."""
    if (kind := names.any_kind(name)) is None:
        return node
    places: dict[str | None, ast.AST] = {keyword.arg: keyword for keyword in node.keywords}
    places.update(zip(names.positional(name, kind), node.args))
    return next((places[word] for word in error.about if word in places), node)


_FORMS: Mapping[str, Callable[[SheetLanguage, SheetCall, Sheet], Any]] = {
    "input": _input,
    "output": _output,
    "include": include,
    "net": _net,
}
"""How to read the calls that are not layers, by the names in `names.FORMS`."""

VALUES: Mapping[type[ast.AST], Callable[..., Any]] = {ast.Call: _call, ast.BinOp: _join, ast.Subscript: _part}
"""The meanings of the nodes that record layers."""
