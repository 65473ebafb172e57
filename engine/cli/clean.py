"""`voicelane clean`: a recording with less noise."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError, StoreError
from voicelane.base.text import name_key
from voicelane.cli.options import add_command, tell_remarks

if TYPE_CHECKING:
    from voicelane.audio.sources import FileSource
    from voicelane.config import DenoiserConfig
    from voicelane.labels.scoring import Turn
    from voicelane.profiles.enrolment import Enroller
    from voicelane.stages.recogniser import Person

MODEL = "clean"


def clean(args: argparse.Namespace) -> int:
    """`voicelane clean`: one file into another."""
    from voicelane.cleaning import check_out, clean_file

    config = _config(args)
    check_out(args.out, args.force)
    person = _person(args)
    turns = _turns(args, person) if person and Path(args.input).is_file() else []
    source = _opened(args)
    try:
        with _bar(source) as bar:
            clean_file(source, args.out, config, person, turns, args.force, lambda s: bar.update(s - bar.n))
    finally:
        tell_remarks(source)
        source.close()
    print(f"{f'{person.name} alone' if person else 'cleaned'}: {args.out}")
    return 0


def _config(args: argparse.Namespace) -> DenoiserConfig:
    from voicelane.config import DenoiserConfig
    from voicelane.stages.keeper import MOST_GUIDANCE
    from voicelane.stages.refiner import MOST_STEPS

    if not (math.isfinite(args.strength) and 0.0 <= args.strength <= 1.0):
        raise ConfigError(f"--strength {args.strength:g}: expected 0 … 1")
    steps = int(args.model == MODEL) if args.steps is None else args.steps
    if not 0 <= steps <= MOST_STEPS:
        raise ConfigError(f"--steps {steps}: expected 0 … {MOST_STEPS}")
    if args.steps and (args.keep or args.keep_like):
        raise ConfigError(f"--steps {steps}: one voice is kept without them; leave --steps out")
    config = DenoiserConfig(args.model, args.strength, steps)
    if args.guidance is None:
        return config
    if not (math.isfinite(args.guidance) and 0.0 <= args.guidance <= MOST_GUIDANCE):
        raise ConfigError(f"--guidance {args.guidance:g}: expected 0 … {MOST_GUIDANCE:g}")
    return replace(config, guidance=args.guidance)


def _opened(args: argparse.Namespace) -> FileSource:
    """The file with all of its channels as they are."""
    from voicelane.audio.decoding import RawFormat
    from voicelane.audio.sources import FileSource
    from voicelane.offline import is_microphone

    if is_microphone(args.input):
        raise ConfigError(f"{args.input}: is no file; `voicelane run mic --clean` cleans a microphone")
    raw = RawFormat.parse(args.raw) if args.raw else None
    return FileSource(args.input, track=args.track, raw=raw, channels="all")


def _person(args: argparse.Namespace) -> Person | None:
    """Whom to keep, if anybody; raises `StoreError` where nobody of that name is enrolled."""
    from voicelane.cli.people import open_store
    from voicelane.config import PipelineConfig
    from voicelane.profiles.enrolment import Enroller, in_space

    if args.keep_like:
        return _like(args.keep_like, Enroller(PipelineConfig()))
    if args.keep is None:
        return None
    store = open_store()
    if name_key(args.keep) not in map(name_key, names := store.names()):
        known = f"enrolled are {', '.join(names)}" if names else "nobody is enrolled yet"
        raise StoreError(f"there is no profile named {args.keep!r}; {known}")
    return in_space(store, store.profile(args.keep), Enroller(PipelineConfig())).person()


def _like(path: Path, enroller: Enroller) -> Person:
    """Whoever speaks in a file."""
    import numpy as np

    from voicelane.audio.sources import FileSource
    from voicelane.stages.recogniser import Person

    source = FileSource(path)
    try:
        return Person(path.name, np.stack([enroller.listen(source).recording.embedding]))
    finally:
        source.close()


def _turns(args: argparse.Namespace, person: Person) -> list[Turn]:
    """Who speaks when in a file, which is heard once more for that."""
    from voicelane.base.timebase import seconds
    from voicelane.offline import TurnSink, listen

    source, turns = _opened(args), TurnSink()
    with _bar(source, "turns ") as bar, listen(source, [person], sinks=[turns]) as session:
        while not session.wait(0.2):
            bar.update(seconds(session.pipeline.heard_samples) - bar.n)
    return turns.named()


def _bar(source: FileSource, what: str = "") -> Any:
    from tqdm import tqdm

    layout = what + ("{l_bar}{bar}| {n:.0f}/{total:.0f} s" if source.duration_s else "{n:.0f} s")
    return tqdm(total=source.duration_s, unit="s", bar_format=layout, leave=False, disable=None)


def add_clean(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, clean, "take noise off a recording; rate, channels and length stay")
    command.add_argument("input", metavar="IN", help="a file with sound, or `-` (standard input)")
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="a .wav or .flac")
    command.add_argument(
        "--strength", type=float, default=1.0, metavar="0…1", help="share of the cleaned sound (default 1)"
    )
    command.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="steps of diffusion that refine it (0: none; default 1, with --model 0)",
    )
    whom = command.add_mutually_exclusive_group()
    whom.add_argument("--keep", metavar="NAME", help="turn down everybody but an enrolled person")
    whom.add_argument(
        "--keep-like",
        type=Path,
        metavar="FILE",
        help="turn down everybody but who speaks in another recording",
    )
    command.add_argument(
        "--guidance",
        type=float,
        metavar="0…5",
        help="how strictly the others are turned down (0: not at all)",
    )
    command.add_argument("--force", action="store_true", help="replace a file that is there")
    command.add_argument("--model", default=MODEL, metavar="NAME", help="of the network, or its folder")
    command.add_argument(
        "--track", type=int, metavar="N", help="audio track of a file that holds several, counted from 1"
    )
    command.add_argument(
        "--raw", metavar="CODEC:RATE:CHANNELS", help="what is in a file without a header: s16le:16000:1"
    )
