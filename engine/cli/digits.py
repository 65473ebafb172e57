"""`voicelane digits`: spoken digits that nobody has said."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path
from typing import Any

from voicelane.base.errors import ConfigError
from voicelane.cli.options import add_command, check_writable

MOST_STEPS = 300


def digits(args: argparse.Namespace) -> int:
    """`voicelane digits`: digits into a WAV file."""
    import numpy as np

    from voicelane.base.files import written_through
    from voicelane.voices.digits import classes_of, load_digit_speaker, parse_digits

    wanted = classes_of(parse_digits(args.digits), args.language)
    if not 1 <= args.steps <= MOST_STEPS:
        raise ConfigError(f"--steps {args.steps}: expected 1 … {MOST_STEPS}")
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    if seed < 0:
        raise ConfigError(f"--seed {seed}: expected 0 or more")
    check_writable(args.out)
    sound = load_digit_speaker().say(wanted, np.random.default_rng(seed), args.steps)
    with written_through(args.out) as file:
        file.write(_wav(sound))
    print(f"{args.out}: {len(sound) / 16_000:.1f} s; --seed {seed} draws the same again", file=sys.stderr)
    return 0


def _wav(sound: Any) -> bytes:
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, sound, 16_000, "PCM_16", format="WAV")
    return file.getvalue()


def add_digits(commands: Any) -> None:
    command = add_command(commands, digits, "say digits in voices that nobody has")
    command.add_argument("digits", metavar="DIGITS", help='as in "4 7 1 9"')
    command.add_argument("--out", type=Path, required=True, metavar="FILE.wav", help="where the sound goes")
    command.add_argument("--language", default="en", metavar="en|ar", help="English (default) or Arabic")
    command.add_argument("--steps", type=int, default=15, help="of the diffusion (default 15)")
    command.add_argument("--seed", type=int, metavar="N", help="draws the same sound again")
