"""Wrong calls of layers are caught by mypy, through a stub that says what the kinds declare."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from convcalc import nn
from convcalc.layers.base import kinds
from tests.nn_stub import STUB, stub

CALLS = """\
import convcalc as cc
from convcalc import nn
from convcalc.layers.base import kinds

H, W = cc.symbols("H W")
nn.Conv2d(3, 8, 3, stride=2, padding="same", bias=False, device="cpu")
nn.Conv2d(3, H, (3, 1), padding=(1, 0))
nn.Conv3d(3, 8, [1, 3, 3])
nn.MaxPool2d(2, ceil_mode=True)
nn.LayerNorm([8, 8], eps=1e-6)
nn.LazyConv2d(8, kernel_size=3)
nn.Sequential(nn.Linear(8, 2), nn.ReLU(inplace=True), nn.Dropout(0.5))
nn.Sequential({"fc": nn.Linear(8, 2)})
nn.Identity(3, anything=4)
nn.Parameter(1, 1, 768)
nn.Mean((2, 3), keepdim=True)


class Block(nn.Module):
    def __init__(self, c: int) -> None:
        self.conv = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x: object) -> object:
        return self.conv(x)


cc.summary(Block(8), "8x5x5", max_params="1M").totals
cc.compare("resnet18", "resnet34", depth=1).to_rows()
cc.layers("conv").kinds
nn.Conv2d(3, "eight", 3)  # wrong: arg-type
nn.Conv2d(3, 8, 3, strid=1)  # wrong: call-arg
nn.Conv2d(3, "eight", strid=1)  # wrong: arg-type call-arg
nn.Conv2d(3, 8)  # wrong: call-arg
nn.Conv2d(3, 8, (3, 3, 3))  # wrong: arg-type
nn.Conv2d(3, 8, 3, padding="valid", bias="no")  # wrong: arg-type
nn.Conv2d(3, 8, 3, padding="full")  # wrong: arg-type
nn.Linear(8, 2.5)  # wrong: arg-type
nn.ReLU(False, 1)  # wrong: call-arg
nn.Conv4d(1)  # wrong: attr-defined
nn.Sequential(3)  # wrong: arg-type
cc.summary(Block(8), 5)  # wrong: arg-type
cc.sizes("alexnet", floor_los=True)  # wrong: call-arg
cc.sumary("alexnet")  # wrong: attr-defined
"""


def test_the_stub_is_fresh() -> None:
    assert STUB.read_text(encoding="utf-8") == stub(), "convcalc/nn.pyi is stale: python -m tests.nn_stub"


def test_mypy_catches_wrong_calls_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "calls.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(STUB.parent.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    caught: dict[str, set[str]] = {}
    for line, code in re.findall(r"^calls\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE):
        caught.setdefault(line, set()).add(code)
    wrong = {str(i): line.split("# wrong: ")[1:] for i, line in enumerate(CALLS.splitlines(), 1)}
    expected = {i: set(codes[0].split()) for i, codes in wrong.items() if codes}
    assert caught == expected, done.stdout


def test_names_are_those_of_every_family() -> None:
    assert all(isinstance(getattr(nn, name), type) for name in nn.__all__)
    loaded = {kind.__name__ for kind in kinds() if kind.__module__.startswith("convcalc.")}
    assert loaded == {name for name in nn.__all__ if issubclass(getattr(nn, name), nn.Layer)} - {"Layer", "Lazy"}
    with pytest.raises(AttributeError):
        nn.Span  # noqa: B018  a class in a family's file that is not a layer


@pytest.mark.parametrize("name", nn.__all__)
def test_every_public_name_is_in_the_stub(name: str) -> None:
    assert re.search(rf"^class {name}\(|import {name} as {name}$", STUB.read_text(), re.MULTILINE)
