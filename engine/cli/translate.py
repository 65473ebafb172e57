"""`voicelane translate`: a recording in English, spoken, with subtitles beside it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import AudioError, ConfigError
from voicelane.base.files import write_through
from voicelane.base.text import one_line
from voicelane.base.timebase import seconds
from voicelane.cli.captions import (
    LANGUAGE_HELP,
    MODEL,
    MODEL_HELP,
    heard_session,
    recognised,
    recorded_session,
    tell_fetching,
)
from voicelane.cli.options import add_command, add_models, add_people, add_plain, add_sound, config_of
from voicelane.cli.people import open_store

if TYPE_CHECKING:
    from voicelane.sessions.session import Session
    from voicelane.voices.speaking import Speaker
    from voicelane.words.lines import Line
    from voicelane.words.store import Transcript

SUBTITLES = ".srt"
UNKNOWN = "unknown"


def translate(args: argparse.Namespace) -> int:
    """`voicelane translate`: a file or a session to English speech and subtitles."""
    from voicelane.voices.synthetic import check_output
    from voicelane.voices.world import world
    from voicelane.words.recogniser import Recogniser

    check_output(args.out)
    if args.out.suffix == SUBTITLES or args.out.resolve() == Path(args.input).resolve():
        raise ConfigError(f"{args.out}: input and output must be different files")
    world()
    with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch:
        recorded = None if Path(args.input).is_file() else recorded_session(args.input)
        tell_fetching(args.captions_model)
        recogniser = Recogniser(args.captions_model, args.language)
        recogniser.check_translates()
        session = recorded or heard_session(args, Path(scratch))
        _dub(session, recognised(session, recogniser, args.captions_model, translate=True), args)
    return 0


def _dub(session: Session, found: Transcript, args: argparse.Namespace) -> None:
    """The English speech and its subtitles, both or none."""
    from voicelane.voices.dubbing import above, laid, spoken
    from voicelane.voices.interpreter import ABOUT
    from voicelane.voices.synthetic import synthetic_file
    from voicelane.words.exports import as_srt

    lines = translated_lines(found)
    speakers = _speakers(lines, args)
    sound = laid(spoken(lines, speakers), session.heard_samples())
    with synthetic_file(args.out, ABOUT) as file:
        for block in above(sound, session.sound()) if args.under else sound:
            file.write(block)
    write_through(args.out.with_suffix(SUBTITLES), as_srt(found).encode("utf-8", "replace"))
    print(
        f"{args.out}: {len(lines)} lines in English, {seconds(file.written_samples):.1f} s; subtitles "
        f"{args.out.with_suffix(SUBTITLES)}"
    )


def translated_lines(found: Transcript) -> list[Line]:
    """What can be spoken, in order of time; raises `AudioError` where there is nothing."""
    from voicelane.words.exports import spoken
    from voicelane.words.lines import subtitles

    lines = [line for line in spoken(found, subtitles) if any(map(str.isalnum, line.translation))]
    if not lines:
        raise AudioError(f"{found.name}: no words were recognised in it, so there is nothing to translate")
    return [replace(line, speaker=line.speaker or UNKNOWN) for line in lines]


def _speakers(lines: Sequence[Line], args: argparse.Namespace) -> dict[str, Speaker]:
    """Who speaks for each speaker: with `--keep-voice` their own voice where they consented, else
    nobody's."""
    from voicelane.voices.casting import Cast, own_voices
    from voicelane.voices.speech import engine_for

    config, names = config_of(args), list(dict.fromkeys(line.speaker for line in lines))
    own = own_voices(names, open_store(), config, say_aside) if args.keep_voice else {}
    cast = Cast(engine_for("en"), config, own, args.plain)
    return {name: cast.speaker(name) for name in names}


def say_aside(sentence: str) -> None:
    """On stderr."""
    print(one_line(sentence), file=sys.stderr, flush=True)


def add_translate(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, translate, "speak a recording in English, with subtitles beside it")
    command.add_argument("input", metavar="FILE|SESSION", help="a file with sound, or a recorded session")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="wav, flac, ogg, opus or mp3; FILE.srt beside it",
    )
    command.add_argument(
        "--keep-voice",
        action="store_true",
        help="people who are recognised and consented speak in their own voice; others in a voice of nobody",
    )
    command.add_argument("--under", action="store_true", help="the original is heard softly below")
    command.add_argument("--captions-model", default=MODEL, metavar="MODEL", help=MODEL_HELP)
    command.add_argument("--language", default="", metavar="L", help=LANGUAGE_HELP)
    command.add_argument("--session", metavar="NAME|DIR", help="keep what was heard of a file as a session")
    add_plain(command)
    add_sound(command)
    add_people(command)
    add_models(command)
