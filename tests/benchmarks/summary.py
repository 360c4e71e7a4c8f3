"""Speed and memory of a summary, measured in one run with what it is compared with; prints a Markdown table.

Run by hand: ``python tests/benchmarks/summary.py``. Nothing here is a test: no figure is asserted.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

import torch
import torchinfo
from torch import nn as tnn
from torch.utils.flop_counter import FlopCounterMode

import convcalc as cc
from convcalc import nn
from convcalc.analysis.count import report
from convcalc.analysis.fields.flow import Flow

torch.set_num_threads(1)
SHAPE = (1, 3, 224, 224)


class TorchBottleneck(tnn.Module):
    """ResNet-50's block in plain torch (He et al. 2015), so that building is timed as for a user's own model."""

    def __init__(self, c_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = tnn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = tnn.BatchNorm2d(width)
        self.conv2 = tnn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = tnn.BatchNorm2d(width)
        self.conv3 = tnn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = tnn.BatchNorm2d(4 * width)
        self.relu = tnn.ReLU()
        self.shortcut = tnn.Identity()
        if c_in != 4 * width:
            self.shortcut = tnn.Sequential(
                tnn.Conv2d(c_in, 4 * width, 1, stride, bias=False), tnn.BatchNorm2d(4 * width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


def torch_resnet50() -> tnn.Module:
    """Return ResNet-50 on the meta device."""
    with torch.device("meta"):
        layers = [tnn.Conv2d(3, 64, 7, 2, 3, bias=False), tnn.BatchNorm2d(64), tnn.ReLU(), tnn.MaxPool2d(3, 2, 1)]
        c_in = 64
        for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for block in range(count):
                layers.append(TorchBottleneck(c_in, width, stride if block == 0 else 1))
                c_in = 4 * width
        return tnn.Sequential(*layers, tnn.AdaptiveAvgPool2d(1), tnn.Flatten(), tnn.Linear(2048, 1000)).eval()


def torch_counter() -> int:
    """Return the FLOPs of ResNet-50 by torch's own counter, building included."""
    model = torch_resnet50()
    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        model(torch.empty(SHAPE))
    return counter.get_total_flops()


def torchinfo_summary() -> int:
    """Return the parameters of ResNet-50 by torchinfo, building included."""
    return torchinfo.summary(torch_resnet50(), input_size=SHAPE, device="meta", verbose=0).total_params


def convcalc_summary() -> tuple[int, int]:
    """Return the FLOPs and parameters of ResNet-50 by convcalc, building included."""
    totals = cc.summary("resnet50", SHAPE).totals
    return totals["flops"], totals["params"]


def table() -> str:
    """Return the printed table of ResNet-152."""
    return str(cc.summary("resnet152", SHAPE))


def table_without_fields() -> str:
    """Return the same table without computing receptive fields: neither through the graph nor for its rows."""
    real = report.propagate, report.receptive_field
    report.propagate = lambda graph, weighted: Flow([None] * len(graph.nodes), 0)  # type: ignore[assignment]
    report.receptive_field = lambda *_: None  # type: ignore[assignment]
    try:
        return table()
    finally:
        report.propagate, report.receptive_field = real  # type: ignore[misc]


def time_in_turn(*calls: Callable[[], object], rounds: int = 15, block: float = 0.2) -> list[list[float]]:
    """Return mean seconds of each call over blocks of ``block`` seconds, in turn: a slow moment slows all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for call, seconds in zip(calls, times):
            count, start = 0, time.perf_counter()
            while time.perf_counter() - start < block:
                call()
                count += 1
            seconds.append((time.perf_counter() - start) / count)
    return times


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Return the median of the pairwise ratios."""
    return statistics.median(a / b for a, b in zip(slow, fast))


# a separate process, so that the peak memory is the command's and not that of this one, from which it is forked
LAUNCH = """import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6]))"""


def prepare(*words: str) -> Callable[[], tuple[float, float]]:
    """Return a function that runs a process and returns its CPU seconds and its peak memory in MB.

    Its modules keep their bytecode, as those of an installed package do, whatever the environment says.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run() -> tuple[float, float]:
        command = [sys.executable, "-c", LAUNCH, *words]
        result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        seconds, megabytes = json.loads(result.stdout)
        return seconds, megabytes

    return run


def time_commands(rounds: int = 15) -> tuple[float, float, float, float]:
    """Return CPU seconds of the command and of importing its two libraries, their ratio, and the command's peak MB."""
    full = prepare(os.path.join(os.path.dirname(sys.executable), "convcalc"), "summary", "resnet50")
    bare = prepare(sys.executable, "-c", "import click, tabulate")
    full(), bare()
    pairs = [(full(), bare()) for _ in range(rounds)]
    cpu = [(f[0], b[0]) for f, b in pairs]
    return (
        statistics.median(f for f, _ in cpu),
        statistics.median(b for _, b in cpu),
        statistics.median(f / b for f, b in cpu),
        max(f[1] for f, _ in pairs),
    )


LARGE = ("resnet50", "densenet201", "efficientnet_b7", "swin_v2_b", "inception_v4", "yolov3")


def time_long_commands(rounds: int = 3) -> tuple[float, float]:
    """Return the CPU seconds of the list of networks, and of the slowest summary of several large ones."""
    command = os.path.join(os.path.dirname(sys.executable), "convcalc")

    def best(*words: str) -> float:
        return min(prepare(command, *words)()[0] for _ in range(rounds))

    return best("networks"), max(best("summary", name) for name in LARGE)


CHAIN = """import sys, time
import convcalc as cc
from convcalc import nn
start = time.perf_counter()
layers = [nn.Conv2d(8 + i % 2, 9 - i % 2, 3, padding=1) for i in range(int(sys.argv[1]))]
cc.summary(nn.Sequential(*layers), (1, 8, 32, 32)).totals
print(time.perf_counter() - start)"""


def time_chain(length: int) -> float:
    """Return the seconds of a summary of ``length`` convolutions in a row, in a fresh interpreter with empty caches."""
    words = [sys.executable, "-c", CHAIN, str(length)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def bytes_per_node(length: int = 10_000) -> float:
    """Return the memory per node that a report of a long chain holds: model, graph, report and its rows."""
    gc.collect()
    tracemalloc.start()
    model = nn.Sequential(*[nn.Conv2d(8 + i % 2, 9 - i % 2, 3, padding=1) for i in range(length)])
    report = cc.summary(model, (1, 8, 32, 32))
    rows = list(report.rows)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(rows) == length
    return held / length


def main() -> None:
    """Print the table."""
    assert torch_counter() == convcalc_summary()[0] and torchinfo_summary() == convcalc_summary()[1]
    counter, info, convcalc = time_in_turn(torch_counter, torchinfo_summary, convcalc_summary)
    with_fields, without_fields = time_in_turn(table, table_without_fields)
    short, long = zip(*[(time_chain(1_000), time_chain(10_000)) for _ in range(5)])
    cpu, bare, share, peak = time_commands()
    listing, slowest = time_long_commands()
    rows = [
        ("FlopCounterMode on the meta device, building included", f"{statistics.median(counter) * 1e3:.1f} ms", ""),
        ("torchinfo on the meta device, building included", f"{statistics.median(info) * 1e3:.1f} ms", ""),
        ('cc.summary("resnet50", (1, 3, 224, 224))', f"{statistics.median(convcalc) * 1e3:.2f} ms", ""),
        ("FlopCounterMode / convcalc", f"{ratio(counter, convcalc):.0f}", ">= 80"),
        ("torchinfo / convcalc", f"{ratio(info, convcalc):.0f}", ""),
        (
            "ResNet-152's table / the same without receptive fields",
            f"{ratio(with_fields, without_fields):.2f}",
            "<= 1.3",
        ),
        ('python -c "import click, tabulate", CPU', f"{bare * 1e3:.0f} ms", ""),
        ("convcalc summary resnet50, CPU", f"{cpu * 1e3:.0f} ms", ""),
        ("command / import of its two libraries, CPU", f"{share:.2f}", "<= 1.45"),
        ("convcalc networks, CPU", f"{listing:.2f} s", "< 1.5 s"),
        (f"slowest summary of {len(LARGE)} large networks, CPU", f"{slowest:.2f} s", "< 0.25 s"),
        ("peak memory of the command", f"{peak:.1f} MB", "< 35 MB"),
        ("10,000-layer chain / 1,000-layer chain", f"{ratio(long, short):.1f}", "10"),
        ("memory per node of the 10,000-layer chain", f"{bytes_per_node():,.0f} B", "< 4,000 B"),
    ]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}\n"
    )
    print("| what | measured | aim |\n|---|---:|---:|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
