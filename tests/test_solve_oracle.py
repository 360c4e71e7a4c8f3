"""Inverse questions put to another solver: OR-tools' CP-SAT lists all solutions of the same question in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from convcalc.analysis.solving.problem import Answers
from convcalc.errors import ShapeError
from convcalc.questions.solve import solve

Expression = Any  # a variable, a linear expression or an int
Solutions = set[tuple[int, ...]]


class Question:
    """Letters with their ranges and constraints; every other variable follows from the letters."""

    def __init__(self, **ranges: tuple[int, int]) -> None:
        self.model = cp_model.CpModel()
        self.letters = {name: self.model.new_int_var(*ends, name) for name, ends in ranges.items()}

    def product(self, a: Expression, b: Expression, most: int = 10**7) -> Expression:
        """Return ``a * b``."""
        if isinstance(a, int) or isinstance(b, int):
            return a * b
        result = self.model.new_int_var(-most, most, "")
        self.model.add_multiplication_equality(result, [a, b])
        return result

    def floor(self, a: Expression, b: Expression, most: int = 10**7) -> Expression:
        """Return ``a // b`` for ``a`` of at least 0, by its definition: ``b * q <= a < b * (q + 1)``."""
        quotient = self.model.new_int_var(0, most, "")
        multiple = self.product(b, quotient)
        self.model.add(a >= 0)
        self.model.add(multiple <= a)
        self.model.add(a < multiple + b)
        return quotient

    def solutions(self) -> Solutions:
        """Return all values of the letters, in the order in which the letters were given."""
        found: Solutions = set()
        letters = list(self.letters.values())

        class Collector(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(self) -> None:
                found.add(tuple(self.value(letter) for letter in letters))

        solver = cp_model.CpSolver()
        solver.parameters.enumerate_all_solutions = True
        solver.parameters.num_workers = 1
        status = solver.solve(self.model, Collector())
        assert status in (cp_model.OPTIMAL, cp_model.INFEASIBLE), "CP-SAT did not come to an end"
        return found


def window(question: Question, n: Expression, k: Any = 1, s: Any = 1, p: Any = 0, d: Any = 1) -> Expression:
    """Return the output size of a convolution or pooling: the number of windows of width d(k − 1) + 1, s apart."""
    spare = n + 2 * p - question.product(d, k - 1) - 1
    return question.floor(spare, s) + 1


def written(**numbers: Any) -> str:
    """Return arguments as a sheet writes them."""
    return ", ".join(f"{name}={value}" for name, value in numbers.items())


def ours(text: str, shape: str, letters: Sequence[str], **wanted: Any) -> Solutions:
    """Return convcalc's solutions, which must be all there are, in the order of ``letters``."""
    try:
        found = solve(text, shape, **wanted).outcome
    except ShapeError:  # no number can stand for the letters: the network takes no such input
        return set()
    assert isinstance(found, Answers) and not found.upto and not found.endless
    assert found.total == len(found.solutions), "more than are shown"
    return {tuple(solution.values[name] for name in letters) for solution in found.solutions}


SPELLED = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation"}
RANGES = {"k": (1, 12), "s": (1, 9), "p": (0, 5), "d": (1, 6)}


@st.composite
def layers(draw: Any, names: Sequence[str] = "kspd", pool: bool = False) -> tuple[dict[str, Any], str]:
    """Draw the arguments of a layer, some of them letters, and its text."""
    letters = draw(st.sets(st.sampled_from(list(names)), min_size=1, max_size=3))
    numbers = {"k": draw(st.integers(1, 4)), "s": draw(st.integers(1, 3)), "p": 0, "d": draw(st.integers(1, 2))}
    values: dict[str, Any] = {name: name if name in letters else numbers[name] for name in "kspd"}
    arguments = written(**{SPELLED[name]: value for name, value in values.items()})
    return values, f"MaxPool1d({arguments})" if pool else f"Conv1d(1, 1, {arguments})"


def asked(question: Question, values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with the question's variables for their letters."""
    return {name: question.letters.get(value, value) for name, value in values.items()}


def letters_of(*layers: dict[str, Any]) -> list[str]:
    return sorted({value for values in layers for value in values.values() if isinstance(value, str)})


def claims(letters: Sequence[str]) -> list[str]:
    return [f"{name} in {RANGES[name][0]}..{RANGES[name][1]}" for name in letters]


def rule(question: Question, values: dict[str, Any], pool: bool) -> None:
    """Bound a padding: by half a pooling's kernel, as torch does; else so that no window is in the padding only."""
    if isinstance(values["p"], int) and values["p"] == 0:
        return
    if pool:
        question.model.add(2 * values["p"] <= values["k"])
    else:
        question.model.add(values["p"] <= question.product(values["d"], values["k"] - 1))


@given(layers() | layers("ksp", pool=True), st.integers(3, 40), st.integers(1, 20))
def test_one_layer(layer: tuple[dict[str, Any], str], n: int, goal: int) -> None:
    values, text = layer
    letters = letters_of(values)
    question = Question(**{name: RANGES[name] for name in letters})
    given_values = asked(question, values)
    question.model.add(window(question, n, **given_values) == goal)
    rule(question, given_values, pool="Pool" in text)
    received = ours(text, f"1x{n}", letters, output=f"1x{goal}", where=claims(letters))
    assert received == question.solutions()


@given(layers("ks"), layers("ksd"), st.integers(6, 40), st.integers(1, 12))
def test_two_layers_that_share_letters(
    first: tuple[dict[str, Any], str], second: tuple[dict[str, Any], str], n: int, goal: int
) -> None:
    letters = letters_of(first[0], second[0])
    question = Question(**{name: RANGES[name] for name in letters})
    middle = window(question, n, **asked(question, first[0]))
    question.model.add(window(question, middle, **asked(question, second[0])) == goal)
    text = f"{first[1]}; {second[1]}"
    received = ours(text, f"1x{n}", letters, output=f"1x{goal}", where=claims(letters))
    assert received == question.solutions()


@given(st.integers(1, 4), st.booleans(), st.integers(1, 2000), st.integers(1, 6))
def test_channels_and_kernels_from_parameters(channels: int, bias: bool, params: int, groups: int) -> None:
    question = Question(C=(1, params), k=(1, 45))
    c, k = question.letters.values()
    question.model.add(question.product(c, channels * question.product(k, k) + bias) == params)
    received = ours(f"Conv2d({channels}, C, k, bias={bias})", f"{channels}x64x64", ["C", "k"], params=params)
    assert received == question.solutions()


@settings(max_examples=settings.default.max_examples // 2)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(-3, 3))
def test_two_widths_from_parameters(a: int, b: int, off: int) -> None:
    params = max(28 * a + (9 * a + 1) * b + off, 1)
    question = Question(a=(1, params), b=(1, params))
    first, second = question.letters.values()
    question.model.add(28 * first + 9 * question.product(first, second) + second == params)
    received = ours("conv(a, 3); conv(b, 3)", "3x9x9", ["a", "b"], params=params)
    assert received == question.solutions()


def test_the_fifty_five() -> None:
    question = Question(k=(1, 5000), s=(1, 5000))
    question.model.add(window(question, 5000, *question.letters.values()) == 500)
    expected = question.solutions()
    received = ours("Conv1d(1, 1, k, stride=s)", "1x5000", ["k", "s"], output="1x500")
    assert received == expected and len(expected) == 55


def test_the_twenty_thousand() -> None:
    """Check the simplest thousand, which are those that convcalc shows."""
    question = Question(k=(1, 500), s=(1, 500), j=(1, 500), t=(1, 500))
    k, s, j, t = question.letters.values()
    question.model.add(window(question, window(question, 500, k, s), j, t) == 40)
    expected = question.solutions()
    found = solve("Conv1d(1, 4, k, stride=s); Conv1d(4, 4, j, stride=t)", "1x500", output="4x40").outcome
    assert isinstance(found, Answers) and (found.total, found.upto) == (len(expected), "") == (20_577, "")
    assert {tuple(solution.values[name] for name in "ksjt") for solution in found.solutions} <= expected
