"""The command line of a benchmark: what all have in common, and the material that they take by default."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import voicelane
from voicelane.bench.results import Result

DEMO = Path(voicelane.__file__).parent / "demo" / "conversation.opus"
CORPUS = Path(os.environ.get("CORPUS", "corpus"))
"""The folder of recordings that a benchmark takes where none is named."""
Measure = Callable[[argparse.Namespace], Result]


def add_command(commands: Any, name: str, measure: Measure, text: str) -> argparse.ArgumentParser:
    """A command with the options of all: where its result goes, and the seed of what it draws."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", type=Path, help="write the result here")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(measure=measure)
    return command


def add_conversations(command: argparse.ArgumentParser, text: str = "sound and RTTM files") -> None:
    """`--audio`, a folder of recorded or simulated conversations."""
    command.add_argument("--audio", type=Path, default=CORPUS / "conversations/dev", help=text)


def add_config(command: argparse.ArgumentParser, text: str = "TOML settings of the engine") -> None:
    """`--config`."""
    command.add_argument("--config", type=Path, help=text)
