"""Valid sheets with a few tokens or characters changed, to fuzz the readers of text; the tests are elsewhere.

``python -m tests.mutated_sheets 100000 [SEED]`` reads that many texts and reports the outcomes and the time.
"""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path

from convcalc.errors import ConvcalcError
from convcalc.formats.sheet import plan
from convcalc.questions.sources import TextNetwork

DATA = Path(__file__).parent / "data"

SEEDS = [
    re.sub(r" *#.*", "", (DATA / "tinyunet.net").read_text()),
    "INPUT 32x32x3, stride 1\nCONV-9-32 s2 p1, RELU\nPOOL-2\nCONV5-64 padding same -> BN -> POOL-3-2\n"
    "FC-64 no bias\nSOFTMAX",
    "input(3, 32, 32); conv(6, 5); relu(); maxpool(2); flatten(); linear(10)",
    "a = input(3, 16, 16)\nb = input(1, 16, 16)\nc = cat(a, b)\nd = conv(4, 3, padding='same')\n"
    "e = (c + d) * 0.5\noutput(e, d)",
    "input(5, 16)\ny, h, c = lstm(8, num_layers=2)\nq = MultiheadAttention(8, 2)(y, y, y)\nq[:, 0:2]\nsoftmax(-1)",
    "C = round_to(1.2 * K, 8)\ninput(C, H, W)\nconv(2*C, 3, groups=C)\nif 3 > 2:\n    gap()\nelse:\n    relu()\ntanh()",
    "Sequential(\n  (0): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1), padding=same)\n  (1): ReLU(inplace=True)\n)",
    "def f(c, n=2):\n    for i in range(n):\n        conv(c, 3, padding=i)\n    add(conv(c, 1)(x), x)\n"
    "input(4, H, 9)\nz = f(4)\nz2 = f(4, n=1)(z)\nw = Parameter(4, 1, 1)\nmul(w)\nz - 1",
]

WORDS = [
    *("conv", "Conv2d", "relu", "bn", "gn", "ln", "maxpool", "AvgPool2d", "flatten", "linear", "Linear", "cat", "add"),
    *("convT", "input", "output", "include", "net", "def", "for", "if", "else", "in", "range", "not", "and", "or", "x"),
    *(
        "lstm",
        "mha",
        "gap",
        "softmax",
        "Upsample",
        "interpolate",
        "dropout",
        "Reshape",
        "Permute",
        "Slice",
        "Parameter",
    ),
    *("unflatten", "squeeze", "mean", "stack", "matmul", "embedding", "bilinear", "pixelshuffle", "rnn", "identity"),
    *("0", "1", "2", "3", "-1", "7", "64", "1000000000", "99999999999", "1.5", "0.1", "1e9", "True", "None", '"same"'),
    *("H", "W", "C", "K", "e1", "y", "nn.", "(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "==", "<", ">", "+", "-"),
    *(
        "*",
        "/",
        "//",
        "%",
        "**",
        "@",
        ".",
        "...",
        "#",
        "\n",
        "\n    ",
        "    ",
        "\t",
        "'",
        '"',
        "\\",
        "lambda",
        "import",
    ),
    *("CONV-3-8", "POOL-2", "FC-10", "s2", "p1", "same", "INPUT", "32x32x3", "é", "\x00", "\u2028", "\ufeff", "𝔁", "_"),
    *(
        "kernel_size",
        "stride",
        "padding",
        "groups=",
        "bias=False",
        "dim=",
        "output_size=",
        "scale_factor=",
        "bidirectional=True",
    ),
]

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def mutated(random: random.Random) -> str:
    """Return a sheet with a few edits: tokens replaced, dropped, doubled, swapped, or copied; or characters."""
    tokens = TOKEN.findall(random.choice(SEEDS))
    for _ in range(random.randint(1, random.choice([1, 2, 3, 8]))):
        at = random.randrange(len(tokens) + 1)
        edit = random.randrange(10)
        if edit == 0:
            tokens[at:at] = [random.choice(WORDS)]
        elif edit == 1:
            tokens[at : at + 1] = [random.choice(WORDS)]
        elif edit == 2:
            del tokens[at : at + random.randint(1, 3)]
        elif edit == 3:
            tokens[at:at] = tokens[at : at + random.randint(1, 12)]
        elif edit == 4:
            other = TOKEN.findall(random.choice(SEEDS))
            start = random.randrange(len(other))
            tokens[at:at] = other[start : start + random.randint(1, 20)]
        elif edit == 5 and at < len(tokens):
            word = tokens[at]
            place = random.randrange(len(word) + 1)
            tokens[at] = (
                word[:place] + chr(random.choice([random.randrange(128), random.randrange(0xD000)])) + word[place:]
            )
        elif edit >= 7:
            alike = (
                (lambda word: word.isdigit()) if edit == 7 else str.isalpha
            )  # a number for a number, a word for a word
            places = [i for i, word in enumerate(tokens) if alike(word)]
            if places:
                tokens[random.choice(places)] = random.choice([word for word in WORDS if alike(word)])
        elif tokens:
            other_at = random.randrange(len(tokens))
            at = min(at, len(tokens) - 1)
            tokens[at], tokens[other_at] = tokens[other_at], tokens[at]
        tokens = tokens or [""]
    return "".join(tokens)


def read(text: str) -> str:
    """Return the outcome of a text: ``graph``, or the name of an error meant for the user; raise any other error."""
    shapes = [] if "input" in text.lower() else [(1, 3, 32, 32)]
    try:
        TextNetwork(text, "fuzz").graph(*shapes)
    except ConvcalcError as error:
        assert str(error)
        return error.title
    return "graph"


def main(count: int, seed: int) -> None:
    """Read ``count`` mutated sheets and print the outcomes; Python's errors inside layers are not hidden."""
    counts: dict[str, int] = {}
    failures: dict[str, str] = {}
    slowest, started = (0.0, ""), time.perf_counter()
    for i in range(count):
        text = mutated(random.Random(f"{seed} {i}"))
        before = time.perf_counter()
        try:
            outcome = read(text)
        except Exception as error:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
            outcome = f"{type(error).__name__} {error!s:.60} at {where}"
            failures.setdefault(outcome, text)
        counts[outcome] = counts.get(outcome, 0) + 1
        slowest = max(slowest, (time.perf_counter() - before, text))
    print(f"{count} texts in {time.perf_counter() - started:.0f} s; slowest {slowest[0]:.2f} s")
    for outcome, number in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{number:8} {outcome}")
    for outcome, text in failures.items():
        print("-----", outcome, text, sep="\n")
    print("----- slowest", slowest[1], sep="\n")


if __name__ == "__main__":
    plan.AUDIBLE = True
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
