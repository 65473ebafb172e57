"""`voicelane sessions`: recorded sessions, listed, shown, exported."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import StoreError
from voicelane.base.files import write_through
from voicelane.base.text import file_name, name_key, one_line
from voicelane.base.timebase import seconds
from voicelane.cli.captions import FORMATS, export_words
from voicelane.cli.options import add_command

if TYPE_CHECKING:
    from voicelane.sessions.recorder import About, Recorder
    from voicelane.sessions.session import Session, Summary

TURN_FORMATS = ("rttm", "csv", "audacity", "elan", "textgrid", "html")
"""Formats that hold no words."""


def print_recorded(recorder: Recorder) -> None:
    """Where a session lies, and what is missing in it."""
    print(f"recorded: {recorder.folder}")
    if recorder.lost_samples:
        print(f"  {seconds(recorder.lost_samples):.2f} s of sound are silent in it: the disk was too slow")


def list_sessions(args: argparse.Namespace) -> int:
    """`voicelane sessions list`: one line each; 1 if one is damaged."""
    from voicelane.sessions.session import session_names, summarise

    failed = False
    for name in session_names():
        try:
            print(f"{name:<24} {_state(summarise(name))}")
        except StoreError as problem:
            failed = True
            print(f"{name:<24} DAMAGED: {problem}")
    return 1 if failed else 0


def show(args: argparse.Namespace) -> int:
    """`voicelane sessions show`: what it is and who spoke how long."""
    from voicelane.cli.terminal import print_shares
    from voicelane.sessions.session import open_session

    session = open_session(args.name)
    about = session.about
    print(f"{session.name}: {_state(session)}, {seconds(session.heard_samples()):.1f} s of sound")
    print(f"folder: {session.folder}")
    print(one_line(f"voicelane {about.version}, encoder {about.encoder}, enhancer {about.enhancer}"))
    _print_notes(about)
    if about.lost_samples:
        print(f"{seconds(about.lost_samples):.2f} s of sound are missing: the disk was too slow")
    print_shares(session.turns(), session.labels)
    return 0


def export(args: argparse.Namespace) -> int:
    """`voicelane sessions export`: to stdout, or into a file; sound into a folder."""
    from voicelane.sessions.exports import TEXT_FORMATS, write_speakers
    from voicelane.sessions.session import open_session

    session = open_session(args.name)
    if args.format == "wav":
        folder = args.out or Path(f"{file_name(session.name)}-speakers")
        for path in write_speakers(session, folder, args.clean):
            print(path)
        return 0
    if args.format not in TURN_FORMATS and export_words(session, args.format, args.out):
        return 0
    text = TEXT_FORMATS[args.format](session)
    if args.out:
        write_through(args.out, text.encode())
    else:
        sys.stdout.write(text)
    return 0


def relabel_speaker(args: argparse.Namespace) -> int:
    """`voicelane sessions relabel`."""
    from voicelane.cli.terminal import print_shares
    from voicelane.sessions.session import open_session, relabel_session

    session = relabel_session(open_session(args.name), args.old, args.new)
    print_shares(session.turns(), session.labels)
    return 0


def suggest(args: argparse.Namespace) -> int:
    """`voicelane sessions suggest`: a line for each voice that may be known; 1 if there is none."""
    from voicelane.cli.people import open_store
    from voicelane.voices.kin import Kin

    found = Kin(open_store()).suggestions(args.name)
    for suggestion in found.made:
        print(one_line(suggestion.sentence()))
    for problem in found.left_out:
        print(f"not compared: {one_line(problem)}", file=sys.stderr)
    if not found.made:
        print("nobody else sounds like the unnamed people in it")
    return 0 if found.made else 1


def remove(args: argparse.Namespace) -> int:
    """`voicelane sessions remove`."""
    from voicelane.sessions.session import remove_session

    for name in args.names:
        remove_session(name)
        print(f"{name}: removed")
    return 0


def note(args: argparse.Namespace) -> int:
    """`voicelane sessions note`."""
    from voicelane.sessions.notes import note_session

    _print_notes(note_session(args.name, args.text))
    return 0


def tag(args: argparse.Namespace) -> int:
    """`voicelane sessions tag`."""
    from voicelane.sessions.notes import tag_session
    from voicelane.sessions.session import summarise

    _print_notes(tag_session(args.name, [*summarise(args.name).about.tags, *args.tags]))
    return 0


def untag(args: argparse.Namespace) -> int:
    """`voicelane sessions untag`: nothing changes where the session lacks one of the tags."""
    from voicelane.sessions.notes import tag_session
    from voicelane.sessions.session import summarise

    before, unwanted = summarise(args.name).about.tags, {name_key(tag) for tag in args.tags}
    if lacking := unwanted - {name_key(tag) for tag in before}:
        there = ", ".join(before) or "none"
        raise StoreError(f"{args.name} has no tag {min(lacking)!r}; its tags are: {there}")
    _print_notes(tag_session(args.name, [tag for tag in before if name_key(tag) not in unwanted]))
    return 0


def search(args: argparse.Namespace) -> int:
    """`voicelane sessions search`: a line for each place; 1 if a session is left out."""
    from voicelane.sessions.page import clock
    from voicelane.words.exports import UNKNOWN
    from voicelane.words.search import search_sessions

    found = search_sessions(" ".join(args.words))
    for hit in found.hits:
        at = "" if hit.sample is None else clock(hit.sample)
        who = hit.who if hit.kind == "words" else hit.kind
        print(f"{hit.session:<24} {at:>8}  {one_line(f'{who or UNKNOWN}: {hit.text}')}")
    for problem in found.left_out:
        print(f"not searched: {one_line(problem)}", file=sys.stderr)
    return 1 if found.left_out else 0


def _print_notes(about: About) -> None:
    if about.tags:
        print(one_line(f"tags: {', '.join(about.tags)}"))
    for line in about.note.splitlines():
        print(one_line(f"note: {line}"))


def _state(session: Session | Summary) -> str:
    return one_line(f"{session.about.started}  {session.about.source}  {session.state}")


def add_sessions(commands: Any) -> None:
    top: argparse.ArgumentParser = commands.add_parser(
        "sessions", help="list, search, export, note, relabel and remove what `run --session` recorded"
    )
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_command(actions, list_sessions, "list the recorded sessions", "list")
    add_command(actions, show, "tell who spoke how long in a session").add_argument("name", metavar="NAME")
    command = add_command(actions, export, "write a session in the format of other programs")
    command.add_argument("name", metavar="NAME", help="of a session, or its folder")
    command.add_argument(
        "--format",
        required=True,
        choices=[*TURN_FORMATS, *FORMATS, "wav"],
        help="wav: one file per speaker; words where `captions` made them",
    )
    command.add_argument("--out", type=Path, metavar="PATH", help="a file (default stdout); wav: a folder")
    command.add_argument("--clean", action="store_true", help="wav: with less noise")
    command = add_command(actions, remove, "delete sessions, their sound included")
    command.add_argument("names", nargs="+", metavar="NAME", help="of a session, or its folder")
    command = add_command(actions, relabel_speaker, "give a speaker of a session a name", "relabel")
    command.add_argument("name", metavar="NAME", help="of a session, or its folder")
    command.add_argument("old", metavar="OLD", help="the speaker's label or name")
    command.add_argument("new", metavar="NEW")
    command = add_command(actions, suggest, "tell who unnamed people of a session may be")
    command.add_argument("name", metavar="NAME", help="of a session, or its folder")
    command = add_command(actions, search, "find names, people, tags, notes and words in all sessions")
    command.add_argument(
        "words", nargs="+", metavar="WORD", help="or how it begins; a session has all of them"
    )
    command = add_command(actions, note, "keep a note of a session")
    command.add_argument("name", metavar="NAME", help="of a session, or its folder")
    command.add_argument("text", metavar="TEXT", help="in the place of the note before; empty: none")
    for act, what in ((tag, "give a session tags"), (untag, "take tags from a session")):
        command = add_command(actions, act, what)
        command.add_argument("name", metavar="NAME", help="of a session, or its folder")
        command.add_argument("tags", nargs="+", metavar="TAG", help="a single word")
