"""The command line: `voicelane COMMAND`, or `python -m voicelane COMMAND`.

Each command's module declares its options and loads the engine only when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import one_line
from voicelane.cli.anonymise import add_anonymise, add_detect
from voicelane.cli.batch import add_batch
from voicelane.cli.bridge import add_bridge
from voicelane.cli.captions import add_captions
from voicelane.cli.clean import add_clean
from voicelane.cli.demo import add_demo
from voicelane.cli.digits import add_digits
from voicelane.cli.embed import add_embed
from voicelane.cli.endings import Interrupted, answer_signals, standard_streams
from voicelane.cli.machine import add_machine
from voicelane.cli.models import add_models_command
from voicelane.cli.people import add_enrol, add_profiles
from voicelane.cli.run import add_run
from voicelane.cli.say import add_say
from voicelane.cli.serve import add_serve
from voicelane.cli.sessions import add_sessions
from voicelane.cli.translate import add_translate
from voicelane.cli.verify import add_verify
from voicelane.cli.voices import add_voices


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="voicelane",
        description="Shows who is speaking, while they speak. Everything stays on this machine.",
        epilog="Start with `voicelane demo`; then `voicelane run mic`, or `voicelane run FILE`.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        add_run,
        add_demo,
        add_captions,
        add_batch,
        add_clean,
        add_enrol,
        add_verify,
        add_profiles,
        add_voices,
        add_digits,
        add_sessions,
        add_embed,
        add_serve,
        add_bridge,
        add_anonymise,
        add_detect,
        add_say,
        add_translate,
    ):
        add(commands)
    for entry in entry_points(group="voicelane.commands"):
        entry.load()(commands)
    add_machine(commands)
    add_models_command(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    standard_streams()
    args = parser().parse_args(arguments)
    try:
        answer_signals()
        return int(args.function(args))
    except VoicelaneError as problem:
        print(f"voicelane: {one_line(str(problem))}", file=sys.stderr)
    except OSError as problem:
        print(one_line(f"voicelane: {problem.filename or 'system'}: {problem.strerror}"), file=sys.stderr)
    except Interrupted as end:
        return end.status
    return 2
