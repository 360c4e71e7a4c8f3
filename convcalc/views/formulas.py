"""The formulas of a kind as text: by quantity, with the meaning of letters, common mistakes and sources."""

from collections.abc import Iterator, Mapping
from textwrap import TextWrapper

from convcalc.algebra.formula import Formula
from convcalc.layers.base import Layer
from convcalc.layers.formulas import QUANTITIES, Stated
from convcalc.layers.parameters import parameters_of_kind, variants
from convcalc.layers.workings import formulas_of


def formulas_text(kind: type[Layer], width: int | None = None) -> str:
    """Return the formulas of a kind for people, a paragraph for each quantity, wrapped at ``width``.

    >>> from convcalc.layers.activation import ReLU
    >>> print(formulas_text(ReLU).partition("\\n\\n")[0])
    output size: as the input's
    parameters: none
    multiply–accumulates: none
    receptive field: as the input's
    """
    kind = getattr(kind, "becomes", kind)
    paragraphs: list[str] = []
    short = False
    for quantity, stated in formulas_of(kind).items():
        title = QUANTITIES[quantity]
        if len(stated) == 1 and isinstance(stated[0], str):
            line = filled(f"{title}: {stated[0]}", width)
            paragraphs[-1:] = [f"{paragraphs[-1]}\n{line}"] if short else [*paragraphs[-1:], line]
            short = True
            continue
        lines = _parameters(kind) if quantity == "params" else _stated(stated)
        paragraphs.append("\n".join([title, *[filled(line, width) for line in lines]]))
        short = False
    return "\n\n".join(paragraphs)


def formulas_by_quantity(kind: type[Layer]) -> dict[str, dict[str, object]]:
    """Return the formulas of a kind as data: for each quantity, formulas by name, and rules that are sentences.

    >>> from convcalc.layers.linear import Linear
    >>> formulas_by_quantity(Linear)["params"]
    {'formulas': {'parameters': 'i·o + o'}, 'rules': []}
    """
    return {
        quantity: {
            "formulas": {text.name: str(text) for text in stated if isinstance(text, Formula)},
            "rules": [text for text in stated if isinstance(text, str)],
        }
        for quantity, stated in formulas_of(kind).items()
    }


def filled(line: str, width: int | None, indent: str = "    ") -> str:
    """Return one line wrapped at ``width``, all lines but the first indented by ``indent`` more.

    >>> print(filled("  one two three", 10))
      one two
          three
    """
    margin = line[: len(line) - len(line.lstrip())]
    style = TextWrapper(width or 120, subsequent_indent=margin + indent, break_long_words=False, break_on_hyphens=False)
    return style.fill(line)


def _stated(stated: Stated) -> Iterator[str]:
    """Yield the lines of one quantity: formulas and sentences, then letters, common mistakes and sources."""
    formulas = [formula for formula in stated if isinstance(formula, Formula)]
    yield from [f"  {text}" if isinstance(text, str) else f"  {text.name}: {text}" for text in stated]
    yield from _legend(*formulas)
    for formula in formulas:
        yield from _mistakes(formula, f" in the {formula.name}" if len(formulas) > 1 else "")
    yield from dict.fromkeys(f"  source: {formula.source}" for formula in formulas)


def _parameters(kind: type[Layer]) -> Iterator[str]:
    """Yield the lines of the parameters: in total, tensor by tensor, and with arguments that change the formula."""
    parameters, others = parameters_of_kind(kind), variants(kind)
    assert parameters is not None
    yield f"  {parameters.total}"
    if len(parameters.tensors) > 1:
        yield from _table({name: str(formula) for name, formula in parameters.tensors.items()})
    yield from [f"  with {label}: {other.total}" for label, other in others.items()]
    yield from _legend(parameters.total, *[other.total for other in others.values()])
    yield from _mistakes(parameters.total)
    yield f"  source: {parameters.total.source}, other arguments at their defaults"


def _legend(*formulas: Formula) -> list[str]:
    """Return a line for each letter in formulas, with its meaning."""
    meanings: dict[str, str] = {}
    for formula in formulas:
        for symbol, meaning in formula.symbols.items():
            if meaning not in meanings.setdefault(symbol, meaning):
                meanings[symbol] += f"; {meaning}"
    return _table(meanings)


def _table(rows: Mapping[str, str]) -> list[str]:
    margin = max(map(len, rows), default=0)
    return [f"    {name:{margin}}  {text}" for name, text in rows.items()]


def _mistakes(formula: Formula, whose: str = "") -> list[str]:
    lines = [f"    {mistake}: {formula.mistake(mistake)}" for mistake in formula.mistakes]
    return [f"  common mistakes{whose}", *lines] if lines else []
