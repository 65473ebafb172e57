"""`python -m voicelane.bench COMMAND`: every number of the documents comes from one of these."""

from __future__ import annotations

import argparse
import sys

from voicelane.bench import (
    anonymise,
    clean,
    diarisation,
    digits,
    enhancer,
    environment,
    everything,
    gui,
    keep,
    latency,
    live,
    mark,
    peers,
    picture,
    report,
    say,
    scale,
    serve,
    sessions,
    soak,
    steady,
    streams,
    tune,
    vad,
    verification,
    voices,
    words,
)
from voicelane.bench.results import write_result

COMMANDS = (
    vad,
    verification,
    diarisation,
    words,
    anonymise,
    say,
    mark,
    voices,
    digits,
    tune,
    steady,
    environment,
    enhancer,
    clean,
    keep,
    latency,
    live,
    streams,
    serve,
    soak,
    sessions,
    scale,
    peers,
    picture,
    gui,
    everything,
    report,
)
"""Each module has `add(commands)` with its own options, and `measure(args)`, which gives its `Result`."""


def parser() -> argparse.ArgumentParser:
    """All commands."""
    top = argparse.ArgumentParser(prog="python -m voicelane.bench", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for module in COMMANDS:
        module.add(commands)
    return top


def main(arguments: list[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parser().parse_args(arguments)
    result = args.measure(args)
    print(result.markdown())
    if args.json:
        write_result(args.json, result, arguments)


if __name__ == "__main__":
    main()
