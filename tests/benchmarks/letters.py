"""Speed with letters as sizes, compared with torch.export and FlopCounterMode in one run; prints a Markdown table.

Run by hand: ``python tests/benchmarks/letters.py``. Nothing here is a test: no figure is asserted. Each figure is the
median over fresh interpreters, since a second run in the same one would be served by caches; sympy, numpy and torch are
imported before the clock starts.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

RESNET = """
import convcalc as cc
from convcalc.algebra.dims import show
clock()
report = cc.summary("resnet50", "3xHxW")
cells = [(row.name, row.output_shape, row.rf, *row.counts.values()) for row in report.rows]
totals = [show(report.totals[name]) for name in ("macs", "flops", "params", "elements")]
stop()
assert cc.compile(report.totals, "H W")(224, 224)["macs"] == 4089184256 and len(cells) == len(report.graph.nodes)
"""

EXPORT = """
import torch
from torch.utils.flop_counter import FlopCounterMode
from tests.benchmarks.summary import torch_resnet50
module, example = torch_resnet50().to_empty(device="cpu"), torch.zeros(2, 3, 224, 224)
clock()
size = torch.export.Dim("H", min=64, max=4096), torch.export.Dim("W", min=64, max=4096)
program = torch.export.export(module, (example,), dynamic_shapes=({2: size[0], 3: size[1]},), strict=False)
with FlopCounterMode(display=False) as counter, torch.device("meta"):
    torch_resnet50()(torch.empty(1, 3, 224, 224))
stop()
assert counter.get_total_flops() == 8178368512
"""

UNET = """
from convcalc.questions.sizes import sizes
clock()
answer = sizes(SHEET)
stop()
assert answer.legal.describe() == ["H ≡ 0 (mod 16), W ≡ 0 (mod 16)"]
"""

MILLION = """
import numpy
import convcalc as cc
totals = cc.summary("resnet50", "3xHxW").totals
h = numpy.arange(1_000_000) % 1000 + 32
w = numpy.arange(1_000_000) // 1000 + 32
clock()
values = cc.compile(totals, "H W")(h, w)
stop()
assert values["macs"][224 - 32 + 1000 * (224 - 32)] == 4089184256
"""

ZOO = """
import convcalc as cc
from convcalc import zoo
from convcalc.questions.sources import read
from convcalc.errors import ConvcalcError
worst = 0.0
for name in zoo.names():
    source = read(name)
    letters = "DHW"[-(len(source.input) - 1):]
    start = time.perf_counter()
    try:
        cc.summary(name, "x".join([str(source.input[0]), *letters])).rows
    except ConvcalcError:
        continue
    worst = max(worst, time.perf_counter() - start)
print(worst)
"""

SHEET = """
input(3, H, W)
def double(c):
    for i in range(2):
        conv(c, 3, padding=1)
        bn()
        relu()
e1 = double(64); maxpool(2)
e2 = double(128); maxpool(2)
e3 = double(256); maxpool(2)
e4 = double(512); maxpool(2)
double(1024)
up4 = convT(512, 2, stride=2); cat(e4, up4); double(512)
up3 = convT(256, 2, stride=2); cat(e3, up3); double(256)
up2 = convT(128, 2, stride=2); cat(e2, up2); double(128)
up1 = convT(64, 2, stride=2); cat(e1, up1); double(64)
conv(2, 1)
"""

HEAD = """
import sys, time
import importlib, pkgutil
import sympy
sys.path.insert(0, ROOT)
import convcalc
for module in pkgutil.walk_packages(convcalc.__path__, "convcalc."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
def clock():
    global begun
    begun = time.perf_counter()
def stop():
    print(time.perf_counter() - begun)
"""


def seconds(code: str, rounds: int = 5) -> float:
    """Return the median of the seconds that ``code`` prints, each time in a fresh interpreter."""
    text = f"ROOT = {str(ROOT)!r}\nSHEET = {SHEET!r}\n{HEAD}{code}"
    runs = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True) for _ in range(rounds)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Print the table."""
    rows = [
        ("ResNet-50 in H and W: all columns and collected totals", seconds(RESNET), "< 0.35 s"),
        ("torch.export with dynamic H and W, then FlopCounterMode at one size", seconds(EXPORT, 3), ""),
        ("legal sizes of a U-Net with four levels", seconds(UNET), "< 1 s"),
        ("all totals of ResNet-50, compiled, at 10⁶ sizes", seconds(MILLION), "< 1 s"),
        ("the slowest network of the zoo, sizes in letters", seconds(ZOO, 1), "< 5 s"),
    ]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| what, after the imports | measured | aim |\n|---|---:|---:|")
    for what, measured, aim in rows:
        print(f"| {what} | {measured:.3f} s | {aim} |")


if __name__ == "__main__":
    main()
