"""The command line: goldens, the texts of errors, exit codes, terminals and pipes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from convcalc import nn
from convcalc.cli import COMMANDS, main
from convcalc.questions.summary import summary
from convcalc.views.table import formats
from convcalc.views.write import write

GOLDENS = Path(__file__).parent / "goldens"

FORMS = {
    "": [],
    "-depth1": ["--depth", "1"],
    "-columns": ["--columns", "layer,spec,input_shape,macs,macs%,buffers,elements", "--batch", "2"],
    "-github": ["--format", "github", "--depth", "2"],
    "-csv": ["--format", "csv"],
    "-json": ["--format", "json"],
}

CASES = {
    **{
        f"{network}{form}": ["summary", network, *options]
        for network in ("lenet5", "alexnet", "vgg16", "resnet50")
        for form, options in FORMS.items()
    },
    "resnet50-letters": ["summary", "resnet50", "--input", "3xHxW"],
    "resnet50-letters-depth1": ["summary", "resnet50", "--input", "3xHxW", "--batch", "N", "--depth", "1"],
    "lenet5-latex": ["summary", "lenet5", "--format", "latex_booktabs"],
    "lenet5-html": ["summary", "lenet5", "--format", "html"],
    "googlenet-depth1": ["summary", "googlenet", "--depth", "1"],
    "compare-depth1": ["compare", "resnet18", "resnet34", "--depth", "1"],
    "compare-renamed": ["compare", "vgg11", "vgg11_bn"],
    "compare-all": ["compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--all"],
    "compare-github": ["compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--format", "github"],
    "compare-json": ["compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--format", "json"],
    "compare-csv": ["compare", "resnet50", "wide_resnet50_2", "--depth", "2", "--format", "csv"],
    "compare-html": ["compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--format", "html"],
    "compare-latex": ["compare", "lenet5", "lenet5", "--set-b", "num_classes=26", "--format", "latex_booktabs"],
    "layers-conv": ["layers", "conv"],
    "layers-maxpool": ["layers", "MaxPool1d"],
    "layers-pattern": ["layers", "*linear"],
    "networks": ["networks"],
    "networks-vgg": ["networks", "vgg*_bn"],
}


def run(*arguments: str) -> Result:
    """The command in this process."""
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, arguments, prog_name="convcalc")


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    result = run(*CASES[name])
    assert (result.exit_code, result.stderr) == (0, "")
    path = GOLDENS / f"{name}.txt"
    if request.config.getoption("--regenerate"):
        path.write_text(result.stdout, encoding="utf-8")
    assert result.stdout == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [[], *[[name] for name in COMMANDS]])
def test_help_shows_an_example_that_works(command: list[str]) -> None:
    text = run(*command, "--help").stdout
    examples = re.findall(r"(?:^ +|Example: )convcalc (.*)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        assert run(*shlex.split(example)).exit_code == 0


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} - {"wrong_sheets"} == set(CASES)  # that one is test_spec_errors'


ERRORS = {
    "summary resnet5": """\
UnknownName: no network is called 'resnet5'
  did you mean resnet50, resnet152, resnet34 or resnet18?""",
    "summary xyzzy": """\
UnknownName: no network is called 'xyzzy'
  `convcalc networks` lists them all""",
    "summary alexnet --input 3x10x10": """\
ShapeError: features.2 = MaxPool2d(3, stride=2): the output height is 0
  input 64 x 1 x 1 from features.1; ⌊(1 + 2·0 − 1·(3 − 1) − 1)/2⌋ + 1 = 0
  the smallest input this network accepts is 63 x 63""",
    "summary alexnet --input 3x62x62": """\
ShapeError: features.12 = MaxPool2d(3, stride=2): the output height is 0
  input 256 x 2 x 2 from features.11; ⌊(2 + 2·0 − 1·(3 − 1) − 1)/2⌋ + 1 = 0
  the smallest input this network accepts is 63 x 63""",
    "summary alexnet --input 3x224x10": """\
ShapeError: features.2 = MaxPool2d(3, stride=2): the output width is 0
  input 64 x 55 x 1 from features.1; ⌊(1 + 2·0 − 1·(3 − 1) − 1)/2⌋ + 1 = 0
  the smallest input this network accepts is 63 x 63""",
    "summary resnet50 --input 1x224x224": """\
ShapeError: conv1 = Conv2d(3, 64, 7, stride=2, padding=3, bias=False): expected 3 channels (in_channels), received 1
  input 1 x 224 x 224 from input""",
    "summary resnet50 --input 3x-1": """\
SpecError: '-1' in '3x-1' is not a size
  a size is an integer such as 224 or a letter such as H
  write it as 3x224x224 or 3xHxW""",
    "summary resnet50 --input 1e9": """\
SpecError: '1e9' in '1e9' is not a size
  a size is an integer such as 224 or a letter such as H
  write it as 3x224x224 or 3xHxW""",
    "summary resnet50 --input 3xnanx224": """\
SpecError: 'nan' in '3xnanx224' is not a size
  a size is an integer such as 224 or a letter such as H
  write it as 3x224x224 or 3xHxW""",
    f"summary resnet50 --input 3x{'7' * 400}x224": """\
SpecError: a size must be from 1 to 1,000,000,000; received a number of 400 digits
  write it as 3x224x224""",
    "summary resnet50 --input 3x0x224": """\
SpecError: a size must be from 1 to 1,000,000,000; received 0
  write it as 3x224x224""",
    "summary resnet50 --input 1x3x224x224": """\
SpecError: resnet50: takes an input of 3 axes, such as 3 x 224 x 224; received 4: 1 x 3 x 224 x 224
  write it without the batch, 3x224x224, and give the batch separately (--batch 1)""",
    "summary resnet50 --input 224x224": """\
SpecError: resnet50: takes an input of 3 axes, such as 3 x 224 x 224; received 2: 224 x 224
  write it as 3x224x224""",
    "summary resnet50 --batch 0": """\
SpecError: batch: a size must be from 1 to 1,000,000,000; received 0
  write it as an integer such as 8, or a letter""",
    "summary resnet50 --batch 2x3": "SpecError: batch: expected one size, received 2: 2 x 3",
    "summary resnet50 --set foo": """\
SpecError: --set: 'foo' is not name=value
  write it as --set num_classes=10""",
    "summary lenet5 --set classes=3": """\
SpecError: lenet5: has no setting 'classes'
  it takes num_classes=10, in_channels=1""",
    "summary lenet5 --set num_classes=1.5": (
        "SpecError: lenet5: num_classes must be an integer of at least 1; received 1.5"
    ),
    "summary resnet50 --columns layer,flop": """\
UnknownName: no column is called 'flop'
  did you mean flops or flops%?""",
    "summary resnet50 --columns ,": """\
UnknownName: no column is called ''
  there are layer, type, spec, inputs, input_shape, output_shape, rf, params, trainable_params, buffers, macs, flops, \
elements, params%, trainable_params%, buffers%, macs%, flops%, elements%""",
    "summary resnet50 --format gitub": """\
UnknownName: no format is called 'gitub'
  did you mean github?""",
    "summary resnet50 --convention troch": """\
UnknownName: there is no convention called 'troch'
  did you mean torch?""",
    "summary resnet50 --depth -1": "SpecError: depth must be at least 0; received -1",
    "summary resnet50 --depth two": """\
UsageError: Invalid value for '--depth': 'two' is not a valid integer.
  see `convcalc summary --help`""",
    "summary resnet50 --format json --depth 1": """\
SpecError: json always has every call and every number
  columns and depth are for tables and csv""",
    "summary": """\
UsageError: Missing argument 'NETWORK'.
  see `convcalc summary --help`""",
    "sumary resnet50": """\
UnknownName: no command is called 'sumary'
  did you mean summary?""",
    "resnet50": """\
UnknownName: no command is called 'resnet50'
  commands: """
    + ", ".join(COMMANDS),
    "networks xyzzy*": """\
UnknownName: no network matches 'xyzzy*'
  `convcalc networks` lists them all""",
}


@pytest.mark.parametrize("command", ERRORS, ids=lambda command: command[:50])
def test_error(command: str) -> None:
    result = run(*command.split(" "))
    assert (result.stdout, result.stderr, result.exit_code) == ("", ERRORS[command] + "\n", 2)


@given(st.text(max_size=12) | st.text("0123456789xHW-, e.", max_size=12))
def test_any_input_is_answered(text: str) -> None:
    result = run("summary", "lenet5", f"--input={text}", "--depth", "0")
    assert result.exit_code in (0, 2)
    assert isinstance(result.exception, (SystemExit, type(None)))
    assert bool(result.stdout) != bool(result.stderr)


@given(st.text(max_size=12) | st.text("num_classes=0123456789[](),'\"*", max_size=16))
def test_any_setting_is_answered(text: str) -> None:
    result = run("summary", "lenet5", f"--set={text}", "--depth", "0")
    assert result.exit_code in (0, 2)
    assert isinstance(result.exception, (SystemExit, type(None)))


def columns_of(text: str) -> dict[str, list[str]]:
    """The columns of a printed table by their titles, read off the line of dashes."""
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
    spans = [match.span() for match in re.finditer("-+", lines[rule])]
    rows = lines[rule + 1 : lines.index("", rule)]
    return {lines[rule - 1][a:b].strip(): [row[a:b].strip() for row in rows] for a, b in spans}


def printed(text: str, label: str) -> int:
    """The number that a footer's line begins with."""
    return int(re.search(rf"^{label} +([\d,]+)", text, re.MULTILINE)[1].replace(",", ""))  # type: ignore[index]


TOTALS = {
    "Params": "Total params",
    "Trainable": "Trainable params",
    "FLOPs": "Total FLOPs",
    "Buffers": "Buffers",
    "Elements": "Elements",
}


@pytest.mark.parametrize("depth", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("network", ["lenet5", "alexnet", "vgg11_bn", "resnet18", "resnext50_32x4d", "googlenet"])
def test_columns_sum_to_the_totals(network: str, depth: int | None) -> None:
    options = [] if depth is None else ["--depth", str(depth)]
    names = "layer,params,trainable_params,flops,macs,buffers,elements"
    text = run("summary", network, "--columns", names, *options).stdout
    columns = columns_of(text)
    for title, label in TOTALS.items():
        assert sum(int(cell.replace(",", "")) for cell in columns[title]) == printed(text, label), title
    assert 2 * sum(int(cell.replace(",", "")) for cell in columns["MACs"]) == printed(text, "Total FLOPs")


def test_batch_multiplies_and_shows() -> None:
    one, eight = run("summary", "lenet5").stdout, run("summary", "lenet5", "--batch", "8").stdout
    assert "  6 x 28 x 28 " in one
    assert "  8 x 6 x 28 x 28 " in eight
    assert printed(eight, "Total FLOPs") == 8 * printed(one, "Total FLOPs")
    assert printed(eight, "Total params") == printed(one, "Total params")


def test_settings_reach_the_network() -> None:
    assert "Linear     10 " not in run("summary", "lenet5", "--set", "num_classes=7", "--set", "in_channels=3").stdout


def test_strict_fails_where_work_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strange(nn.Layer):
        """A kind whose work nobody knows."""

    report = summary(nn.Sequential(nn.Conv2d(3, 8, 3), Strange()), "3x8x8")
    assert run("summary", "lenet5", "--strict").exit_code == 0
    monkeypatch.setattr("convcalc.questions.summary.summary", lambda *_, **__: report)
    assert run("summary", "lenet5").exit_code == 0
    result = run("summary", "lenet5", "--strict")
    assert result.exit_code == 1
    assert result.stderr == "strict: some numbers are incomplete; see ? and ≥ above\n"
    assert columns_of(result.stdout)["FLOPs"] == ["15,552", "?"]
    assert "Total FLOPs           ≥ 15,552 (15.55 kFLOPs)\n" in result.stdout
    assert "Note                  work unknown, so totals are lower bounds: 1\n" in result.stdout


COMMAND = [sys.executable, "-m", "convcalc"]


def in_terminal(width: int, *arguments: str) -> str:
    """What the command prints to a terminal of this width."""
    main_end, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen([*COMMAND, *arguments], stdout=end, env=environment)
    os.close(end)
    text = b""
    while True:
        try:
            part = os.read(main_end, 65536)
        except OSError:  # so Linux tells the end of a terminal
            break
        if not part:
            break
        text += part
    os.close(main_end)
    assert process.wait() == 0
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits_the_terminal(width: int) -> None:
    text = in_terminal(width, "summary", "densenet121")
    assert max(map(len, text.splitlines())) <= width
    assert "\nfeat…yer16.conv2 " in text if width == 80 else "features.denseblock4.denselayer16.conv2" in text
    assert "\x1b" not in text
    assert printed(text, "Total params") == sum(int(cell.replace(",", "")) for cell in columns_of(text)["Params"])


def test_formulas_fold_in_a_narrow_terminal() -> None:
    text = in_terminal(95, "summary", "resnet50", "--input", "3xHxW", "--depth", "1")
    assert max(map(len, text.splitlines())) <= 95
    assert "\n                                                           + 1,048,576·⌈H/16⌉·⌈W/16⌉\n" in text


def test_broken_pipe_is_quiet() -> None:
    with subprocess.Popen(
        [*COMMAND, "summary", "resnet152"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_poor_encodings_do_not_break(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "summary", "alexnet", "--input", "3xHxW"], capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")


def test_version() -> None:
    assert re.fullmatch(r"convcalc \d+\.\d+\.\d+\n", run("--version").stdout)


def test_shell_completes_names() -> None:
    def completed(words: str, place: int) -> list[str]:
        environment = {"_CONVCALC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        result = CliRunner().invoke(main, [], prog_name="convcalc", env=environment)
        return [line.removeprefix("plain,") for line in result.stdout.split()]

    assert completed("convcalc summary resnet1", 2) == ["resnet18", "resnet101", "resnet152"]
    assert completed("convcalc summary lenet5 --convention t", 4) == ["torch"]
    assert completed("convcalc summary lenet5 --format gi", 4) == ["github"]
    assert completed("convcalc compare resnet18 resnet1", 3) == ["resnet18", "resnet101", "resnet152"]
    assert completed("convcalc layers MaxP", 2) == ["MaxPool1d", "MaxPool2d", "MaxPool3d"]
    assert completed("convcalc ", 1) == list(COMMANDS)


def test_every_format_writes() -> None:
    report = summary("lenet5")
    assert len(formats()) > 30
    for name in formats():
        assert "conv1" in write(report, name), name


def test_unreadable_file_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "plan.net")

    monkeypatch.setattr("convcalc.questions.summary.summary", unreadable)
    result = run("summary", "plan.net")
    assert (result.stderr, result.exit_code) == ("FileError: plan.net: No such file or directory\n", 3)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "networks"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (3, "FileError: the output: No space left on device\n")
    result = run("export", "lenet5", "--to", "net", "-o", "/dev/full")
    assert (result.stderr, result.exit_code) == ("FileError: /dev/full: No space left on device\n", 3)


@pytest.mark.parametrize("sign", ["\0", "\ud800"])
def test_signs_that_no_argument_holds(sign: str) -> None:
    for arguments in (("summary", f"x{sign}.json"), ("export", "lenet5", "--to", "net", "-o", sign)):
        result = run(*arguments)
        assert result.exit_code == 2 and result.stderr.startswith("UsageError: ")
        assert "contains a character that no argument or file name can contain" in result.stderr
    with pytest.raises(FileNotFoundError):
        summary("x\0.json")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_prints_no_control_character(name: str) -> None:
    assert re.findall(r"[^\n -~×·–…]", run(name, "--help").stdout) == []


def test_a_formula_does_not_break_in_its_brackets() -> None:
    table = in_terminal(80, "summary", "input(3, H, W); conv(8, 3); maxpool(2); flatten(); linear(10)")
    assert [line for line in table.splitlines() if line.count("⌊") != line.count("⌋")] == []
    assert [line for line in table.splitlines() if line.count("(") != line.count(")")] == []
