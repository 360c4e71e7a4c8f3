"""Untrusted sheets: limits on size, nesting, repeats, numbers, time, memory; nothing run, no file outside the folder.

Each adversarial text is read in a process of its own, whose time and memory are measured. The fuzzing at the end edits
valid sheets (`mutated_sheets`): the outcome is always a graph, or an error meant for the user.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc.errors import ConvcalcError, SpecError
from convcalc.formats.sheet import plan
from convcalc.formats.sheet.read import read_spec
from convcalc.formats.sheet.source import MOST_BYTES
from convcalc.questions.sources import TextNetwork, read_text
from tests.mutated_sheets import mutated, read

MOST_SECONDS = 2.0
SLACK = 1.5  # seconds of CPU, which no other process takes part in: what the reader does past its own limit
MOST_MEGABYTES = 200

MEASURE = """
import json, os, sys, time
import convcalc.algebra.symbolic
from convcalc.errors import ConvcalcError
from convcalc.questions.sources import TextNetwork

def read(text):
    started = time.process_time()
    try:
        TextNetwork(text, "t").graph(*([] if "input" in text.lower() else [(1, 3, 32, 32)]))
        outcome = "graph"
    except ConvcalcError as error:
        outcome = f"{error.title}: {str(error)[:200]}"
    except BaseException as error:
        outcome = f"leaked {error!r:.200}"
    seconds = time.process_time() - started
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return seconds, int(peak) / 1024, outcome

for name, text in json.load(sys.stdin).items():
    if os.fork():
        os.wait()
        continue
    print(json.dumps([name, *read(text)]), flush=True)
    os._exit(0)
"""
# one process that forks for each text, so that each has a memory of its own, and sympy is imported once

SUMS = "A = a+b+c+d+e+f+g+h+i+j+k+l\nB = m+n+o+p+q+r+s+t+u+v+w+z\n"

ADVERSARIAL = {
    "a megabyte and more": "#" * (MOST_BYTES + 1),
    "a megabyte of numbers": "input(3, 8, 8); conv(" + "1," * 490_000 + ")",
    "a megabyte of names": "a\n" * 490_000,
    "a megabyte of words": "a or " * 190_000 + "a",
    "a megabyte of line ends": "input(3, 8, 8)\n" + "\n" * 980_000 + "relu()",
    "a megabyte in one number": "C = " + "9" * 990_000,
    "a megabyte in one hexadecimal number": "C = 0x" + "f" * 990_000,
    "a megabyte in one text": 'input(3, 8, 8); conv(4, 3, padding="' + "x" * 990_000 + '")',
    "a megabyte in one name": "input(3, 8, 8); " + "x" * 990_000 + "()",
    "a megabyte of brackets": "(" * 990_000,
    "a megabyte of closing brackets": ")" * 990_000,
    "as many calls as fit": "input(3, 8, 8)\n" + "relu()\n" * 14_000,
    "as many names as fit": "input(3, 8, 8)\n" + "a\n" * 29_000,
    "as many letters as fit": "input(3, 8, 8)\nconv(" + ",".join(f"a{i}" for i in range(29_000)) + ")",
    "texts with brackets inside": 'f"' + "{a}" * 20_000 + '"',
    "deep brackets": "conv(" * 90 + ")" * 90,
    "deep signs": "C = " + "-" * 50_000 + "1",
    "deep nots": "C = " + "not " * 50_000 + "1",
    "a long sum": "C = " + "+".join("1" * 29_000),
    "deep dots": "a" + ".a" * 29_000,
    "deep squares": "a" + "[0]" * 19_000,
    "deep calls of calls": "input(3, 8, 8)\na" + "()" * 29_000,
    "deep conditions": "".join("  " * i + "if 1:\n" for i in range(99)) + "  " * 99 + "relu()",
    "a ladder of elif": "if 0:\n relu()\n" + "elif 0:\n relu()\n" * 6_000,
    "deep lambdas": "C = " + "lambda: " * 25_000 + "1",
    "a block that calls itself": "def f():\n    f()\ninput(3, 8, 8)\nf()",
    "blocks that call each other": "def f():\n    g()\ndef g():\n    f()\ninput(3, 8, 8)\nf()",
    "blocks that double": "".join(f"def f{i}():\n    f{i + 1}()\n    f{i + 1}()\n" for i in range(38))
    + "def f38():\n    relu()\ninput(3, 8, 8)\nf0()",
    "blocks that double nothing": "".join(f"def f{i}():\n    f{i + 1}()\n    f{i + 1}()\n" for i in range(38))
    + "def f38():\n    pass\ninput(3, 8, 8)\nf0()",
    "deep blocks in deep expressions": "def f(a):\n    relu()\n"
    + "def g(a):\n    f("
    + "(" * 60
    + "a"
    + ")" * 60
    + ")\n"
    "input(3, 8, 8)\ng(1)",
    "a loop over a billion": "input(3, 8, 8)\nfor i in range(1000000000):\n    pass",
    "loops in loops": "input(3, 8, 8)\n"
    + "".join("  " * i + "for i in range(1000):\n" for i in range(6))
    + "  " * 6
    + "relu()",
    "a hundred thousand layers": "input(3, 8, 8)\nfor i in range(99999):\n    relu()",
    "convolutions, each another": "input(3, 8, 8)\nfor i in range(99999):\n    conv(i + 1, 1)",
    "a sum of a hundred thousand": "input(3, 8, 8)\ny = relu()\nfor i in range(50000):\n    y = y + y",
    "channels that double": "input(3, 8, 8)\nfor i in range(1000):\n    y = relu()\n    cat(y)",
    "maps that double": "input(3, 8, 8)\nfor i in range(1000):\n    convT(3, 2, stride=2)",
    "maps that double in letters": "input(3, H, W)\nfor i in range(1000):\n    convT(3, 2, stride=2)",
    "maps that halve in letters": "input(3, H, W)\nfor i in range(1000):\n    conv(3, 3, stride=2, padding=1)",
    "letters that multiply": "C = K\nfor i in range(1000):\n    C = C * K\ninput(C, 8, 8)",
    "letters in powers of sums": "C = K + 1\nfor i in range(1000):\n    C = C * C\ninput(C, 8, 8)",
    "sums of many letters": "C = 0\n" + "".join(f"C = C + a{i}\n" for i in range(150)) + "input(C, C, C)\nflatten()",
    "products of sums": SUMS + "input(A, B, A+1)\nflatten()\nlinear(10)",
    "products of four sums": SUMS + "input(A, B, A+1, B+2)\nflatten()",
    "floors in floors": "C = K\nfor i in range(1000):\n    C = (C * 7 + 3) // 5 + K\ninput(C, 8, 8)",
    "rests of rests": "C = K\nfor i in range(100):\n    C = (C * 7 + 3) % (K + i)\ninput(C, 8, 8)",
    "numbers that grow": "C = 2\nfor i in range(1000):\n    C = C * C\ninput(C, 8, 8)",
    "fractions that grow": "C = 1\nfor i in range(1000):\n    C = C / 3 + 1 / 7\ninput(3, 8, 8)",
    "huge arguments": "input(3, 8, 8)\nconv(1000000000, 1)\nconv(1000000000, 1)\nlinear(1000000000, in_features=8)",
    "a huge kernel": "input(3, 8, 8)\nconvT(8, 1000000000, stride=1000000000)",
    "a huge number of recurrent layers": "input(3, 8)\nlstm(8, num_layers=1000000000)",
    "a huge padding": "input(3, 8, 8)\nconv(8, 3, padding=1000000000)",
    "a huge output": "input(3, 8, 8)\nadaptiveavgpool(1000000000)",
    "huge words of exams": "INPUT 32x32x3\n" + "CONV-3-8 p1\n" * 20_000,
    "an exam of one line": "INPUT 32x32x3, " + "RELU, " * 150_000,
    "a print of many layers": "Sequential(\n" + "".join(f"  ({i}): ReLU()\n" for i in range(50_000)) + ")",
    "a print that is deep": "Sequential(\n"
    + "".join("  " * (i + 1) + "(0): Sequential(\n" for i in range(300))
    + ")" * 300,
    "a print with a deep argument": "Sequential(\n  (0): ReLU(" + "(" * 5000 + "\n)",
    "a print with a long argument": "Sequential(\n  (0): Conv2d(" + "1, " * 300_000 + ")\n)",
}


def test_time_and_memory() -> None:
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(command, input=json.dumps(ADVERSARIAL), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    results = {name: rest for name, *rest in map(json.loads, done.stdout.splitlines())}
    assert results.keys() == ADVERSARIAL.keys(), "a text ended its process"
    for name, (seconds, megabytes, outcome) in results.items():
        assert seconds < MOST_SECONDS + SLACK, (name, seconds, outcome)
        assert megabytes < MOST_MEGABYTES, (name, megabytes, outcome)
        assert outcome.startswith(("graph", "SpecError", "ShapeError", "UnknownName", "UnsupportedOperation")), (
            name,
            outcome,
        )


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.net", "/etc/hostname", "sub/other.net", ".hidden", "..", ".", "", "link.net", "loop.net"),
        *("\x00.net", "x" * 300, "sub", "~", "~root", "pipe.net", "C:\\x"),
    ],
)
def test_include_stays_in_the_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "sheets"
    (folder / "sub").mkdir(parents=True)
    for path in (tmp_path / "secret.net", folder / "sub" / "other.net", folder / ".hidden"):
        path.write_text("SECRET = 7")
    (folder / "link.net").symlink_to(tmp_path / "secret.net")
    (folder / "loop.net").symlink_to(folder / "loop.net")
    os.mkfifo(folder / "pipe.net")
    with pytest.raises(SpecError) as caught:
        read_spec(f"include({name!r})\ninput(SECRET, 8, 8)\nrelu()", "t.net", folder=folder)
    assert "SECRET =" not in str(caught.value)


def test_include_needs_a_folder() -> None:
    with pytest.raises(SpecError, match="there is no sheet"):
        read_spec('include("README.md")\ninput(3, 8, 8)\nrelu()')


def test_included_sheets_end(tmp_path: Path) -> None:
    (tmp_path / "a.net").write_text('include("b.net")\nC = 4')
    (tmp_path / "b.net").write_text('include("a.net")\nD = 5')
    graph = read_spec('include("a.net")\ninput(C, D, D)\nrelu()', folder=tmp_path).graph
    assert graph.inputs == {"input": (1, 4, 5, 5)}
    for i in range(30):
        (tmp_path / f"s{i}.net").write_text(f'include("s{i + 1}.net")')
    with pytest.raises(SpecError, match="at most 20 others"):
        read_spec('include("s0.net")\ninput(3, 8, 8)', folder=tmp_path)


def test_limits_hold_in_an_included_block(tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text("def many():\n    for i in range(200000):\n        relu()\n")
    with pytest.raises(SpecError, match="more than 100,000 layers"):
        read_spec('include("blocks.net")\ninput(3, 8, 8)\nmany()\nconv(4, 3)', folder=tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        '__import__("os").system("touch {path}")',
        'eval("1")',
        'exec("1")',
        'open("{path}", "w")',
        "import os",
        "from os import system",
        'nn.__dict__["x"]()',
        "nn.torch.os",
        "().__class__.__bases__[0].__subclasses__()",
        'getattr(conv, "x")',
        "[x for x in ().__class__.__base__.__subclasses__()]",
        "(lambda: 1)()",
        "conv.__globals__",
        'f"{{__import__}}"',
        '"{{0.__class__}}".format(1)',
        "C: __import__('os') = 3",
        "@eval\ndef f():\n    pass",
        "def f(a: eval('1') = eval('1')):\n    pass",
        "global x",
        "x = yield",
        "print(1)",
        "help()",
        "nn.Module()",
        "nn.Module.forward(1)",
        "nn.Layer(1)",
        "Output(1, 2)",
        "Lazy()",
    ],
)
def test_nothing_is_executed(line: str, tmp_path: Path) -> None:
    path = tmp_path / "touched"
    before = set(sys.modules)
    with pytest.raises(ConvcalcError):
        read_spec("input(3, 8, 8)\nrelu()\n" + line.format(path=path), "t.net", folder=tmp_path)
    assert not path.exists()
    assert not {name for name in set(sys.modules) - before if not name.startswith(("convcalc", "sympy", "difflib"))}


def test_files_are_read_within_limits(tmp_path: Path) -> None:
    path = tmp_path / "big.net"
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(SpecError, match="at most 1,000,000 bytes"):
        read_text(str(path))
    path.write_bytes(b"input(3, 8, 8)\n\xff\xfe")
    with pytest.raises(SpecError, match="line 2 contains bytes that are not text"):
        read_text(str(path))
    with pytest.raises(FileNotFoundError):
        read_text(str(tmp_path / "none.net"))
    with pytest.raises(OSError, match="directory"):
        (tmp_path / "folder.net").mkdir()
        read_text(str(tmp_path / "folder.net"))


@given(st.integers(0, 2**32))
def test_mutated_sheets_are_read_or_refused(seed: int) -> None:
    for i in range(10):
        read(mutated(random.Random(f"{seed} {i}")))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)
    read("input(3, 8, 8)\n" + text)


@given(st.lists(st.sampled_from("()[]{}:;,.=+-*/%<>@#'\"\\ \n\t0aNx")))
def test_any_signs_are_read_or_refused(signs: list[str]) -> None:
    read("".join(signs))


def test_the_guard_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        with plan.guarded("conv"):
            raise TypeError("a bug in a layer")

    with pytest.raises(SpecError, match="conv cannot take these values"):
        broken()
    monkeypatch.setattr(plan, "AUDIBLE", True)
    with pytest.raises(TypeError):
        broken()


def test_a_text_is_a_text() -> None:
    assert TextNetwork("input(3, 8, 8); relu()", "t").graph().nodes
