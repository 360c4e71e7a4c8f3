"""``convcalc solve``."""

from typing import Any

import click

from convcalc import cli


@cli.command(
    "Find what letters must be for an output, a size or a budget.",
    'solve "Conv2d(3, 8, k, stride=s, padding=p)" --input 3x224x224 --output 8x112x112 --where "k in 1..7"',
    'solve "conv(8, 5, padding=p)" --input 3xHxW --output 8xHxW',
    'solve "Conv2d(3, 64, k, bias=False)" --params 9408',
    "solve resnet50 --input 3xHxW --at layer4.2.relu:2 --output 2048x7x7",
    'solve "Conv1d(8, 8, 3, dilation=d)" --rf 31',
    "solve resnet50 --input 3xHxH --max-macs 1G",
    "solve resnet50 --set width_per_group=? --max-params 40M",
)
@cli.network
@click.option("--output", metavar="SIZES", help="Output shape to reach, without the batch: 8x112x112.")
@click.option("--at", metavar="LAYER", help="Layer that must have that output.  [default: the network]")
@click.option("--params", type=click.IntRange(min=0), metavar="N", help="Number of parameters to reach.")
@click.option("--rf", type=click.IntRange(min=1), metavar="N", help="Receptive field to reach.")
@click.option("--where", multiple=True, metavar="CLAIM", help="Further condition: 'k in 1..7', 'k odd', 'p <= k//2'.")
@click.option("--max-params", metavar="LIMIT", help="Find the largest letter with at most this many parameters: 25M.")
@click.option("--max-macs", metavar="LIMIT", help="Find the largest letter with at most this many MACs: 600M.")
@click.option("--max-flops", metavar="LIMIT", help="Find the largest letter with at most this many FLOPs.")
@cli.text_or_json()
def command(
    request: cli.Request,
    format_: str,
    **wanted: Any,
) -> None:
    """Find what the letters of NETWORK must be: those in its text, in --input, and in --set NAME=?.

    Shows all solutions, the simplest first; the family they form if there are infinitely many; or, if there is none,
    the closest miss (exit code 1).
    """
    from convcalc.questions.solve import solve

    answer = request.answer(solve, **wanted)
    click.echo(answer.to_text(format_))
    if not answer.answered:
        raise SystemExit(1)
