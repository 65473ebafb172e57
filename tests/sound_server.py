"""The benchmarks' virtual sound card for tests: who needs it, and the command line beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voicelane.bench import sound_card
from voicelane.bench.sound_card import HELP, MISSING

__all__ = ["MISSING", "ROOT", "SoundServer", "needs_sound_server"]
ROOT = Path(__file__).parents[1]
needs_sound_server = pytest.mark.skipif(bool(MISSING) and "CI" not in os.environ, reason=HELP)


class SoundServer(sound_card.SoundServer):
    """With voicelane as a program that hears it."""

    def voicelane(self, *arguments: str | Path, **options: object) -> subprocess.Popen:
        """The command line as a process that hears this server's microphones."""
        return subprocess.Popen(
            [sys.executable, "-m", "voicelane", *map(str, arguments)],
            env=self.env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
