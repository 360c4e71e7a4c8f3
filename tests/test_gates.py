"""Gates: how limits are written, what is reported when one fails, and exit codes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.analysis.count.gates import MOST, Limit, check, every_gate, parse_limit, parse_limits
from convcalc.analysis.count.report import Report
from convcalc.errors import ConvcalcError, SpecError
from convcalc.questions.summary import summary
from tests.test_cli import run

LIMITS = {
    "0": 0,
    "25_000_000": 25_000_000,
    "25,000,000": 25_000_000,
    "600M": 600_000_000,
    "4.1G": 4_100_000_000,
    "4.1e9": 4_100_000_000,
    "4.1E+9": 4_100_000_000,
    "1.5k": 1500,
    "1.5K": 1500,
    "2T": 2 * 10**12,
    "3P": 3 * 10**15,
    "1e3M": 10**9,
    "7.000": 7,
    "1e24": MOST,
}


@pytest.mark.parametrize("text", LIMITS)
def test_limits_are_read_exactly(text: str) -> None:
    assert parse_limit(text) == Limit(LIMITS[text])


HINT = "\n  write an integer: 25_000_000, 600M, 4.1G, 4.1e9"
WRONG = {
    "": f"limit: '' is not a limit{HINT}",
    "many": f"limit: 'many' is not a limit{HINT}",
    "600m": f"limit: '600m' is not a limit{HINT}",
    "600 M": f"limit: '600 M' is not a limit{HINT}",
    "-5": f"limit: '-5' is not a limit{HINT}",
    "+5": f"limit: '+5' is not a limit{HINT}",
    "1e-3": f"limit: '1e-3' is not a limit{HINT}",
    "nan": f"limit: 'nan' is not a limit{HINT}",
    "inf": f"limit: 'inf' is not a limit{HINT}",
    "0x10": f"limit: '0x10' is not a limit{HINT}",
    "1,00": f"limit: '1,00' is not a limit{HINT}",
    "1__0": f"limit: '1__0' is not a limit{HINT}",
    ".5M": f"limit: '.5M' is not a limit{HINT}",
    "٣": f"limit: '٣' is not a limit{HINT}",
    "9" * 400: f"limit: '{'9' * 27}...' is not a limit{HINT}",
    "1.5": f"limit: 1.5 is not an integer{HINT}",
    "4.0891842567G": f"limit: 4.0891842567G is not an integer{HINT}",
    "4.12345e3": f"limit: 4.12345e3 is not an integer{HINT}",
    "2e24": "limit: a limit must be between 0 and 10²⁴; received 2e24",
    "1e999": "limit: a limit must be between 0 and 10²⁴; received 1e999",
    "+5%": "limit: +5% needs another network to refer to\n  `convcalc compare A B` compares B with A",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:12])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_limit(text)
    assert str(raised.value) == WRONG[text]


def test_percents() -> None:
    assert parse_limit("+5%", relative=True) == Limit(percent=Fraction(5))
    assert parse_limit("-2.5 %", relative=True) == Limit(percent=Fraction(-5, 2))
    for text, message in {
        "5%": "--max-params: '5%' is not a limit\n"
        "  write an integer: 25_000_000, 600M, 4.1G, 4.1e9, or +5% relative to A",
        "-101%": "--max-params: a percentage must be at least -100%; received -101%",
    }.items():
        with pytest.raises(SpecError) as error:
            parse_limits({"max_params": text}, relative=True)
        assert str(error.value) == message


@given(st.text(max_size=12) | st.text("0123456789_,.eEkMG+-%", max_size=12), st.booleans())
def test_any_limit_is_answered(text: str, relative: bool) -> None:
    try:
        limit = parse_limit(text, relative=relative)
    except ConvcalcError:
        return
    assert 0 <= limit.number <= MOST
    assert relative or limit.percent is None


@given(st.integers(0, 10**12), st.sampled_from("kMGT"))
def test_units_multiply(number: int, unit: str) -> None:
    times = 1000 ** ("kMGT".index(unit) + 1)
    assert parse_limit(f"{number}{unit}").number == number * times
    assert parse_limit(f"{number * times:,}").number == number * times


class Strange(nn.Layer):
    """A kind whose work and field are unknown."""

    def field(self, *_: object) -> None:
        return None


def small(shape: str = "3x9x9", layer: nn.Layer | None = None) -> Report:
    return summary(nn.Sequential(layer or nn.Conv2d(3, 8, 3)), shape)


def strange(**limits: str) -> Report:
    return summary(nn.Sequential(nn.Conv2d(3, 8, 3), Strange()), "3x9x9", **limits)


def fails(report: Report, base: Report | None = None, **given: str) -> list[str]:
    return check(report, parse_limits(given, relative=base is not None), base)


def test_bounds_belong_to_what_is_allowed() -> None:
    report = small()  # 224 parameters, 49 * 216 MACs, a field of 3
    assert fails(report, max_params="224", max_macs="10584", max_flops="21168", min_rf="3") == []
    assert fails(report, max_params="223", max_macs="10583", max_flops="21167", min_rf="4") == [
        "max-params: 224 parameters exceed 223 by 1",
        "max-macs: 10,584 MACs exceed 10,583 by 1",
        "max-flops: 21,168 FLOPs exceed 21,167 by 1",
        "min-rf: a receptive field of 3 falls short of 4 by 1",
    ]


def test_every_gate_has_its_row_and_its_option() -> None:
    assert list(every_gate()) == ["max-params", "max-macs", "max-flops", "min-rf"]
    for command in ("summary", "compare"):
        text = run(command, "--help").stdout
        assert all(f"--{name} LIMIT" in text for name in every_gate())


def test_what_is_unknown_fails_and_says_why() -> None:
    report = strange()
    assert fails(report, max_params="224") == []
    assert fails(report, max_macs="1G", min_rf="1") == [
        "max-macs: cannot be decided: ≥ 10,584 MACs are only a lower bound; unknown for 1",
        "min-rf: cannot be decided: the receptive field is not defined",
    ]
    assert fails(report, max_macs="10000") == ["max-macs: ≥ 10,584 MACs exceed 10,000 by 584 or more"]
    unknown = summary(nn.Sequential(Strange(), Strange()), "3x9x9")
    assert fails(unknown, max_macs="0") == ["max-macs: cannot be decided: the MACs are unknown for 0, 1"]


def test_letters_are_decided_where_they_can_be() -> None:
    report = small("3xHxW", nn.Conv2d(3, 8, 3, padding=1))
    assert fails(report, max_params="224", min_rf="3") == []
    assert fails(report, max_macs="1G", max_flops="431") == [
        "max-macs: cannot be decided: whether 216·H·W MACs exceed 1,000,000,000 depends on H, W",
        "max-flops: 432·H·W FLOPs exceed 431 by 432·H·W - 431",
    ]


def test_letters_against_letters() -> None:
    a = summary("conv(C, 3, padding=1); conv(C, 3, padding=1)", "CxHxW")
    b = summary("conv(C, 5, padding=2)", "CxHxW")
    assert fails(b, a, max_params="+50%", max_macs="+39%") == []
    assert fails(b, a, max_macs="+0%") == ["max-macs: 25·C²·H·W MACs exceed 18·C²·H·W (A's 18·C²·H·W +0%) by 7·C²·H·W"]
    assert fails(b, a, max_params="+30%") == [
        "max-params: cannot be decided: whether 25·C² + C parameters exceed (234·C² + 26·C)/10 (A's 18·C² + 2·C +30%) "
        "depends on C"
    ]


@pytest.mark.parametrize(
    ("network", "shape", "limit", "messages"),
    [
        (nn.Conv2d(3, 8, (11, 7)), "3x20x20", "8", ["min-rf: a receptive field of 7 falls short of 8 by 1"]),
        (nn.Conv2d(3, 8, (11, 7)), "3x20x20", "7", []),
        (nn.ConvTranspose2d(3, 8, 3, 2), "3x20x20", "2", ["min-rf: a receptive field of 1 falls short of 2 by 1"]),
        (nn.AdaptiveAvgPool2d(1), "3x20x20", "1G", []),  # no unit can see more than the whole input
        (nn.AdaptiveAvgPool2d((1, None)), "3x20x20", "2", ["min-rf: a receptive field of 1 falls short of 2 by 1"]),
    ],
)
def test_field_of_every_unit_along_every_axis(network: nn.Layer, shape: str, limit: str, messages: list[str]) -> None:
    assert fails(small(shape, network), min_rf=limit) == messages


def test_a_field_that_is_only_bounded() -> None:
    sizes = (997, 991, 983, 977)  # their common period is too long to list
    layers = [layer for n in sizes for layer in (nn.Upsample(size=(n, n)), nn.MaxPool2d(3, 2))]
    report = summary(nn.Sequential(*layers[:-1]), "3x1009x1009")
    assert fails(report, min_rf="2") == [
        "min-rf: cannot be decided: a receptive field of at most 14 may fall short of 2"
    ]
    assert fails(report, min_rf="20") == ["min-rf: a receptive field of at most 14 falls short of 20 by 6"]
    assert fails(small(), report, min_rf="+0%") == [
        "min-rf: cannot be decided: A's receptive field is not known exactly"
    ]


def test_percents_count_from_a() -> None:
    a, b = small(), small(layer=nn.Conv2d(3, 16, 5))  # 224 and 1,216 parameters, fields of 3 and 5
    assert fails(b, a, max_params="+442.9%", min_rf="+66%") == []
    assert fails(b, a, max_params="+442%") == ["max-params: 1,216 parameters exceed 1,214 (A's 224 +442%) by 2"]
    assert fails(a, b, max_params="-82%", min_rf="-40%") == [
        "max-params: 224 parameters exceed 218 (A's 1,216 -82%) by 6"
    ]
    assert fails(a, b, min_rf="-39%") == ["min-rf: a receptive field of 3 falls short of 4 (A's 5 -39%) by 1"]
    assert fails(b, strange(), max_params="+500%", max_macs="+5%", min_rf="+0%") == [
        "max-macs: cannot be decided: not all MACs of A are known",
        "min-rf: cannot be decided: A's receptive field is not defined",
    ]
    whole = small(layer=nn.AdaptiveAvgPool2d(1))
    assert fails(whole, a, min_rf="+1000%") == []
    assert fails(a, whole, min_rf="+0%") == ["min-rf: a receptive field of 3, where A sees all its input"]


@given(st.integers(1, 64), st.integers(1, 64), st.integers(-100, 200))
def test_percents_are_exact(old: int, new: int, percent: int) -> None:
    a, b = (small(layer=nn.Conv2d(3, c, 3)) for c in (old, new))
    allowed = Fraction(100 + percent, 100) * old * 28
    failures = fails(b, a, max_params=f"{percent:+d}%")
    assert bool(failures) == (new * 28 > allowed)
    if failures:
        assert failures[0].endswith(f" by {new * 28 - allowed.__floor__():,}")


def test_exit_codes_of_summary() -> None:
    result = run("summary", "resnet50", "--max-macs", "600M", "--max-params", "25_557_032", "--min-rf", "9k")
    assert result.exit_code == 1
    assert result.stderr == "max-macs: 4,089,184,256 MACs exceed 600,000,000 by 3,489,184,256\n"
    assert "Total params          25,557,032\n" in result.stdout
    result = run("summary", "resnet50", "--max-macs", "4.1G", "--max-flops", "8.2e9")
    assert (result.exit_code, result.stderr) == (0, "")


def test_exit_codes_of_compare() -> None:
    options = ("--max-params", "+2%", "--max-macs", "417864", "--max-flops", "800k")
    result = run("compare", "lenet5", "lenet5", "--set-b", "num_classes=26", *options)
    assert result.exit_code == 1
    assert result.stderr == (
        "max-params: 63,066 parameters exceed 62,940 (A's 61,706 +2%) by 126\n"
        "max-flops: 835,728 FLOPs exceed 800,000 by 35,728\n"
    )
    assert "~   fc3 " in result.stdout
    result = run("compare", "resnet50", "lenet5", "--max-params", "61706", "--min-rf", "1000")
    assert (result.exit_code, result.stderr) == (0, "")  # B is checked, not A


def test_a_wrong_limit_is_reported_before_anything_is_read() -> None:
    result = run("summary", "no such network", "--max-macs", "lots")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"SpecError: --max-macs: 'lots' is not a limit{HINT}\n"
    result = run("summary", "resnet50", "--max-params", "-5%")
    assert result.stderr == (
        "SpecError: --max-params: -5% needs another network to refer to\n  `convcalc compare A B` compares B with A\n"
    )


def test_strict_and_gates_are_both_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "convcalc.questions.summary.summary", lambda *_, max_params, **__: strange(max_params=max_params)
    )
    result = run("summary", "lenet5", "--strict", "--max-params", "200")
    assert result.exit_code == 1
    assert result.stderr == (
        "strict: some numbers are incomplete; see ? and ≥ above\nmax-params: 224 parameters exceed 200 by 24\n"
    )
