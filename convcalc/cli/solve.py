"""``convcalc solve``."""

from typing import Any

import click

from convcalc import cli


@cli.command(
    "What letters must be, for an output, a size, a budget.",
    'solve "Conv2d(3, 8, k, stride=s, padding=p)" --input 3x224x224 --output 8x112x112 --where "k in 1..7"',
    'solve "conv(8, 5, padding=p)" --input 3xHxW --output 8xHxW',
    'solve "Conv2d(3, 64, k, bias=False)" --params 9408',
    "solve resnet50 --input 3xHxW --at layer4.2.relu:2 --output 2048x7x7",
    'solve "Conv1d(8, 8, 3, dilation=d)" --rf 31',
    "solve resnet50 --input 3xHxH --max-macs 1G",
    "solve resnet50 --set width_per_group=? --max-params 40M",
)
@cli.network
@click.option("--output", metavar="SIZES", help="The output that is wanted, without the batch: 8x112x112.")
@click.option("--at", metavar="LAYER", help="The layer whose output that is.  [default: the network's]")
@click.option("--params", type=click.IntRange(min=0), metavar="N", help="The number of parameters that is wanted.")
@click.option("--rf", type=click.IntRange(min=1), metavar="N", help="The receptive field that is wanted.")
@click.option("--where", multiple=True, metavar="CLAIM", help="What must hold too: 'k in 1..7', 'k odd', 'p <= k//2'.")
@click.option("--max-params", metavar="LIMIT", help="The largest letter with at most so many parameters, such as 25M.")
@click.option("--max-macs", metavar="LIMIT", help="The largest letter with at most so many MACs, such as 600M.")
@click.option("--max-flops", metavar="LIMIT", help="The largest letter with at most so many FLOPs.")
@cli.text_or_json()
def command(
    asked: cli.Asked,
    format_: str,
    **wanted: Any,
) -> None:
    """What the letters of NETWORK must be: those in its text, in --input, and in --set NAME=?.

    All solutions, the simplest first; the family where they do not end; where there is none, the closest miss (exit
    code 1).
    """
    from convcalc.questions.solve import solve

    answer = asked.by(solve, **wanted)
    click.echo(answer.to_text(format_))
    if not answer.answered:
        raise SystemExit(1)
