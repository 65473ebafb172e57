"""`voicelane anonymise` and `voicelane detect`: voices of nobody, and the mark that they carry."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError
from voicelane.base.text import one_line
from voicelane.base.timebase import seconds
from voicelane.cli.captions import heard_session, recorded_session
from voicelane.cli.options import (
    add_command,
    add_models,
    add_people,
    add_plain,
    add_sound,
    config_of,
    source_of,
    tell_remarks,
)

if TYPE_CHECKING:
    from voicelane.sessions.session import Session
    from voicelane.voices.anonymise import Anonymised

FOUND, NOT_FOUND = 0, 1


def anonymise(args: argparse.Namespace) -> int:
    """`voicelane anonymise`: a recording or a session with voices that are nobody's."""
    from voicelane.sessions.recorder import free_folder
    from voicelane.voices.world import world

    world()
    free_folder(args.out)
    with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch:
        recorded = None if Path(args.input).is_file() else recorded_session(args.input)
        found = _anonymised(recorded or heard_session(args, Path(scratch)), args)
    _tell(found)
    return 0


def _anonymised(session: Session, args: argparse.Namespace) -> Anonymised:
    from tqdm import tqdm

    from voicelane.voices.anonymise import anonymised_copy

    layout = "voices {l_bar}{bar}| {n:.0f}/{total:.0f} s"
    with tqdm(total=seconds(session.heard_samples()), bar_format=layout, leave=False, disable=None) as bar:
        return anonymised_copy(
            session,
            args.out,
            config_of(args),
            args.seed,
            mute_overlap=args.overlap == "mute",
            keep_names=args.keep_names,
            plain=args.plain,
            progress=lambda sample: bar.update(seconds(sample) - bar.n) and None,
        )


def _tell(found: Anonymised) -> None:
    """What was done, and what could not be."""
    print(f"{found.folder}: {', '.join(found.speakers)} have voices that are nobody's")
    for remark in found.remarks:
        print(f"  {remark}", file=sys.stderr)


def detect(args: argparse.Namespace) -> int:
    """`voicelane detect`: 0 where every file carries the mark, 1 where one does not."""
    from voicelane.audio.sources import FileSource
    from voicelane.profiles.enrolment import blocks_of
    from voicelane.voices.watermark import FOUND as THRESHOLD
    from voicelane.voices.watermark import heard_mark

    found = []
    for name in args.files:
        source = source_of(name, False, args.track, args.raw, args.channels)
        try:
            if not isinstance(source, FileSource):
                raise ConfigError(f"{name}: the mark is looked for in files; record it first")
            mark = heard_mark(blocks_of(source))
        finally:
            tell_remarks(source)
            source.close()
        found.append(mark.found)
        what = "made or changed by voicelane" if mark.found else "no mark of voicelane was heard"
        at = f", surest from {mark.at_s:.0f} s on" if mark.found else ""
        print(one_line(f"{name}: {what} (score {mark.score:.1f}, {THRESHOLD:g} is needed{at})"))
    return FOUND if all(found) else NOT_FOUND


def add_anonymise(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, anonymise, "give every speaker of a recording a voice that is nobody's")
    command.add_argument("input", metavar="FILE|SESSION", help="a file with sound, or a recorded session")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="a new session, with turns.rttm and overlaps.csv",
    )
    command.add_argument(
        "--overlap",
        choices=("convert", "mute"),
        default="convert",
        help="where several speak at once: one voice for all of them (default), or silence",
    )
    command.add_argument("--keep-names", action="store_true", help="of people; else they are S1, S2, …")
    command.add_argument("--seed", type=int, metavar="N", help="draw the same voices again (default: others)")
    add_sound(command)
    add_people(command, default=False)
    command.set_defaults(session=None)
    add_models(command)
    add_plain(command)


def add_detect(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, detect, "tell whether speech was made or changed by voicelane")
    command.add_argument("files", nargs="+", metavar="FILE", help="sound, whatever became of it")
    add_sound(command)
