"""`voicelane demo`: the bundled conversation, its score and the latency."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.cli.options import add_command
from voicelane.cli.run import file_sinks, until_done, when_ready

if TYPE_CHECKING:
    from voicelane.live.latency import LatencySink
    from voicelane.live.outbox import Sink

DEMO = Path(__file__).parents[1] / "demo" / "conversation.opus"


def demo(args: argparse.Namespace) -> int:
    """`voicelane demo`: the bundled conversation, its score and the latency."""
    from voicelane.audio.sources import FileSource
    from voicelane.base.timebase import seconds
    from voicelane.cli.terminal import TerminalSink, print_shares
    from voicelane.labels.scoring import Turn, diarisation_error
    from voicelane.live.latency import LatencySink
    from voicelane.live.sinks import read_rttm
    from voicelane.offline import listen

    args.out.mkdir(parents=True, exist_ok=True)
    rttm, jsonl = args.out / "demo.rttm", args.out / "demo.jsonl"
    source = FileSource(DEMO, realtime=not args.fast)
    reference = read_rttm(DEMO.with_suffix(".rttm"))
    speakers = len({t.speaker for t in reference})
    terminal, latency = TerminalSink(source.duration_s), LatencySink()
    own: tuple[Sink, ...] = (terminal, latency)
    sinks = chain(own, when_ready(file_sinks, rttm, jsonl, str(DEMO)))
    session = listen(source, sinks=sinks, timing=True)
    print(
        f"{source.duration_s:.0f} s of conversation between {speakers} people"
        f"{'' if args.fast else ', played at its own speed'}\n",
        flush=True,
    )
    if status := until_done(session, terminal):
        return status
    print()
    print_shares(terminal.labels.whole(terminal.turns), terminal.labels)
    print()
    final = terminal.labels.whole(terminal.turns)
    for what, turns in (("as it went", terminal.turns), ("at the end", final)):
        error = diarisation_error(
            reference, [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in turns]
        )
        print(
            f"DER {what} {100 * error.rate:.1f} %: {100 * error.miss:.1f} missed, "
            f"{100 * error.false_alarm:.1f} false alarm, {100 * error.confusion:.1f} confused "
            "(no collar, overlap scored)"
        )
    if not args.fast:
        _print_latency(latency)
    print(f"lost samples: {session.lost_samples}\nwritten: {rttm}, {jsonl}")
    return 0


def _print_latency(latency: LatencySink) -> None:
    import numpy as np

    rows = [(f"compute, {k}", v) for k, v in latency.stages_ms().items()]
    rows += [(f"sound to {k} label", v) for k, v in latency.delays_ms().items()]
    print(f"\n{'ms':<28}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    for name, values in rows:
        if len(values):
            found = (*np.percentile(values, (50, 95, 99)), values.max())
            print(f"{name:<28}" + "".join(f"{v:9.2f}" for v in found))


def add_demo(commands: Any) -> None:
    """The command and its options."""
    command = add_command(
        commands, demo, "play the bundled conversation through the live engine and score it"
    )
    command.add_argument(
        "--fast", action="store_true", help="as fast as possible instead of at its own speed"
    )
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder for demo.rttm and demo.jsonl"
    )
