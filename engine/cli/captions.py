"""`voicelane captions`: who said what in a recording, with the times of all words."""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError, StoreError, VoicelaneError
from voicelane.base.files import write_through
from voicelane.base.text import file_name, one_line
from voicelane.base.timebase import seconds
from voicelane.cli.options import (
    add_command,
    add_models,
    add_people,
    add_sound,
    check_writable,
    config_of,
    source_of,
    tell_remarks,
)

if TYPE_CHECKING:
    from voicelane.sessions.session import Session
    from voicelane.words.captioner import CaptionSettings
    from voicelane.words.recogniser import Recogniser
    from voicelane.words.store import Transcript

FORMATS = ("txt", "srt", "vtt", "ass", "json", "ctm", "stm", "md", "docx")
"""Of `voicelane.words.exports`, which is loaded only when one is written."""
MODEL = "base"
MODEL_HELP = "a Whisper model by name (tiny, base, small, …; fetched when first used) or folder"
TRANSLATE_HELP = "say everything in English as well, below what was said"
LANGUAGE_HELP = "two letters, as en or fr (default: found out)"


def captions(args: argparse.Namespace) -> int:
    """`voicelane captions`: a file or a session to words with speakers."""
    from voicelane.words.recogniser import Recogniser

    format_ = format_of(args.format, args.out)
    if args.out:
        check_writable(args.out)
    with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch:
        recorded = None if Path(args.input).is_file() else recorded_session(args.input)
        tell_fetching(args.captions_model)
        recogniser = Recogniser(args.captions_model, args.language)
        if args.translate:
            recogniser.check_translates()
        session = recorded or heard_session(args, Path(scratch))
        found = recognised(session, recogniser, args.captions_model, args.translate)
        write(found, format_, args.out)
    return 0


def tell_fetching(model: str) -> None:
    """On stderr, where a model has to be fetched first; raises `ModelError` where none has its name."""
    from voicelane.words.recogniser import check_model_name, local_folder

    if Path(model).is_dir():
        return
    check_model_name(model)
    if local_folder(model) is None:
        print(f"fetching the Whisper model {one_line(model)} …", file=sys.stderr, flush=True)


def format_of(asked: str | None, out: Path | None) -> str:
    """The format that was asked for, else that of the file's ending, else `txt`; raises `ConfigError`."""
    ending = out.suffix.lower().removeprefix(".") if out else ""
    found = asked or (ending if ending in FORMATS else "txt")
    if ending and not asked and ending not in FORMATS:
        raise ConfigError(f"{out}: there is no format {ending!r}; choose --format {'|'.join(FORMATS)}")
    if found == "docx" and out is None:
        raise ConfigError("docx is no text; say with --out FILE.docx where it goes")
    return found


def recognised(session: Session, recogniser: Recogniser, model: str, translate: bool = False) -> Transcript:
    """The transcript of a session, whose words are kept in its folder; with `translate` in English, too."""
    from tqdm import tqdm

    from voicelane.words.pieces import pieces_of, speaker_pieces
    from voicelane.words.recording import recognise_session
    from voicelane.words.store import transcript, write_words

    total_s = seconds(session.heard_samples())
    layout = "words {l_bar}{bar}| {n:.0f}/{total:.0f} s"
    with tqdm(total=total_s, bar_format=layout, leave=False, disable=None) as bar:

        def progress(sample: int) -> None:
            bar.update(seconds(sample) - bar.n)

        pieces = speaker_pieces if translate else pieces_of
        found = recognise_session(session, recogniser, Path(model).name, progress, pieces, translate)
    write_words(session.folder, found)
    if not found.words:
        print(f"{session.name}: no words were recognised in it", file=sys.stderr)
    return transcript(session, found)


def write(found: Transcript, format_: str, out: Path | None) -> None:
    """A transcript into a file, or to standard output."""
    from voicelane.words.exports import FORMATS, written

    if out:
        write_through(out, written(found, format_))
    else:
        sys.stdout.write(FORMATS[format_](found))


def recorded_session(name: str) -> Session:
    """A session that is over; raises `StoreError`."""
    from voicelane.sessions.recorder import ABOUT, session_folder
    from voicelane.sessions.session import open_session

    if Path(name).suffix and not (session_folder(name) / ABOUT).exists():
        raise StoreError(f"{name}: there is no such file, and no session of that name")
    session = open_session(name)
    if session.state == "recording":
        raise StoreError(f"{name}: is being recorded; end that before its words are looked for")
    return session


def heard_session(args: argparse.Namespace, scratch: Path) -> Session:
    """A file heard through, recorded under its name for as long as this lasts, or as `--session` says."""
    from tqdm import tqdm

    from voicelane.cli.people import recognisable
    from voicelane.offline import listen
    from voicelane.sessions.recorder import session_folder
    from voicelane.sessions.session import open_session

    config, source = config_of(args), source_of(args.input, False, args.track, args.raw, args.channels)
    folder = session_folder(args.session) if args.session else scratch / file_name(Path(args.input).stem)
    people = recognisable(config, args.people)
    preparing = partial(print, "preparing …", file=sys.stderr, flush=True)
    layout = "turns {l_bar}{bar}| {n:.0f}/{total:.0f} s"
    with (
        tqdm(total=source.duration_s, bar_format=layout, leave=False, disable=None) as bar,
        listen(source, people, folder, config=config, loaded=preparing) as session,
    ):
        while not session.wait(0.2):
            bar.update(seconds(session.pipeline.heard_samples) - bar.n)
    tell_remarks(source)
    return open_session(str(folder))


def export_words(session: Session, format_: str, out: Path | None) -> bool:
    """A session in a format with words; False where it has none and the format can do without."""
    from voicelane.words.store import transcript, words_of

    found = words_of(session)
    if found is None:
        if format_ in ("json", "srt", "vtt"):
            return False
        raise VoicelaneError(f"{session.name} has no words; `voicelane captions {session.name}` makes them")
    write(transcript(session, found), format_of(format_, out), out)
    return True


def asked_captions(args: argparse.Namespace, spoken: bool = False) -> CaptionSettings | None:
    """What `--captions` and `--language` ask for, translated where that is to be `spoken`; raises
    `ConfigError`."""
    if spoken:
        args.captions, args.translate = args.captions or MODEL, True
    if args.captions is None:
        for option in ("language", "translate"):
            if getattr(args, option):
                raise ConfigError(f"--{option} is of captions; add --captions, or leave it out")
        return None
    from voicelane.words.captioner import CaptionSettings

    tell_fetching(args.captions)
    return CaptionSettings(args.captions, args.language, args.translate)


def add_captions_switch(command: argparse.ArgumentParser, text: str) -> None:
    """`--captions [MODEL]` and `--language`, of a command that does something else first of all."""
    command.add_argument("--captions", nargs="?", const=MODEL, metavar="MODEL", help=f"{text}; {MODEL_HELP}")
    command.add_argument("--language", default="", metavar="L", help=LANGUAGE_HELP)
    command.add_argument("--translate", action="store_true", help=TRANSLATE_HELP)


def add_captions(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, captions, "tell who said what in a recording")
    command.add_argument("input", metavar="FILE|SESSION", help="a file with sound, or a recorded session")
    command.add_argument("--captions-model", default=MODEL, metavar="MODEL", help=MODEL_HELP)
    command.add_argument("--language", default="", metavar="L", help=LANGUAGE_HELP)
    command.add_argument("--translate", action="store_true", help=TRANSLATE_HELP)
    command.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    command.add_argument("--format", choices=FORMATS, help="default: what --out ends with, else txt")
    command.add_argument("--session", metavar="NAME|DIR", help="keep what was heard of a file as a session")
    add_sound(command)
    add_people(command)
    add_models(command)
