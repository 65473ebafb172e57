"""`voicelane enrol` and `voicelane profiles`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from getpass import getpass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import AudioError, ConfigError, LockedError, ModelError, StoreError
from voicelane.base.text import check_name, name_key
from voicelane.cli.options import add_command, add_models, config_of, source_of, tell_remarks, tell_too_little

if TYPE_CHECKING:
    from voicelane.audio.sources import MicrophoneSource, PullSource
    from voicelane.config import PipelineConfig
    from voicelane.profiles.enrolment import Enroller, Enrolment
    from voicelane.profiles.profile import Profile
    from voicelane.profiles.store import ProfileStore
    from voicelane.stages.recogniser import Person
    from voicelane.stages.verifier import LiveVerifier

ONE_PERSON = 0.3
NEW_PASSPHRASE = "VOICELANE_NEW_PASSPHRASE"


def open_store() -> ProfileStore:
    """The profiles; if they are encrypted, a terminal is asked for the passphrase."""
    from voicelane.profiles.store import ProfileStore

    return ProfileStore(ask=_ask)


def _ask() -> str:
    from voicelane.profiles.encryption import PASSPHRASE, given_passphrase

    if os.environ.get(PASSPHRASE) or not sys.stdin.isatty():
        return given_passphrase()
    return _typed()


@cache
def _typed() -> str:
    """Asked for once."""
    return getpass("passphrase of the profiles: ")


def _ask_new(variable: str) -> str:
    """A passphrase to come, from the environment or twice from the terminal."""
    if found := os.environ.get(variable):
        return found
    if not sys.stdin.isatty():
        raise StoreError(f"a passphrase is needed; set {variable}, or use a terminal, which asks for it")
    first, second = getpass("new passphrase: "), getpass("the same again: ")
    if first != second:
        raise StoreError("the two are not the same; nothing was changed")
    return first


def recognisable(config: PipelineConfig, wanted: bool | None) -> list[Person]:
    """The enrolled people for a pipeline; those who cannot be compared are named on stderr.

    Without `wanted` (None) trouble with the profiles is told and stops nothing.
    """
    if wanted is False:
        return []
    try:
        return _recognisable(config, bool(wanted))
    except (StoreError, ModelError) as problem:
        if wanted:
            raise
        print(f"nobody is recognised by name: {problem}", file=sys.stderr)
        return []


def _recognisable(config: PipelineConfig, wanted: bool) -> list[Person]:
    from voicelane.profiles.enrolment import Enroller, known_people

    store = open_store()
    people, refused = known_people(store, Enroller(config)) if store.names() else ([], [])
    for sentence in refused:
        print(f"left out: {sentence}", file=sys.stderr)
    if wanted and not people:
        raise StoreError("there is nobody to recognise; enrol people first: `voicelane enrol NAME FILE`")
    if people:
        print(f"recognising {', '.join(p.name for p in people)}", file=sys.stderr)
    return people


def live_verifier(config: PipelineConfig, people: Sequence[Person], false_accepts: float) -> LiveVerifier:
    """The evidence for each speaker of a stream, at a rate in percent."""
    from voicelane.profiles.enrolment import Enroller
    from voicelane.stages.calibration import find_calibration
    from voicelane.stages.verifier import LiveVerifier

    return LiveVerifier(people, find_calibration(config.encoder.model, Enroller(config).space), false_accepts)


def enrol(args: argparse.Namespace) -> int:
    """`voicelane enrol`: recordings of one person into a profile."""
    from voicelane.profiles.enrolment import ENOUGH_S, LEAST_S, Enroller, in_space, keep_recording

    name, store, enroller = check_name(args.name), open_store(), Enroller(config_of(args))
    known = name_key(name) in {name_key(n) for n in store.names()}
    if known and not args.replace:
        in_space(store, store.profile(name), enroller)
    found = [_listened(enroller, source, args.seconds) for source in args.sources]
    speech_s = sum(e.recording.speech_s for e in found)
    if speech_s < LEAST_S and not args.force:
        raise AudioError(
            f"{name}: only {speech_s:.1f} s of speech were found, {LEAST_S:.0f} s are the least; "
            f"speak {ceil(ENOUGH_S - speech_s):.0f} s more, or say --force"
        )
    kept = [keep_recording(e, args.keep_audio) for e in found]
    profile = store.add(name, enroller.space, kept, args.replace)
    if args.consent_cloning:
        store.set_consent(profile.name, True)
    print(f"{profile.name} is enrolled: {_summary(profile)}")
    if args.consent_cloning:
        print(f"  {profile.name} allows speech in their voice; `voicelane profiles consent` withdraws that")
    if strays(profile):
        print("  its recordings do not sound like one person; `--replace` starts anew")
    return 0


def _listened(enroller: Enroller, name: str, seconds: float) -> Enrolment:
    """One recording, and its report."""
    from voicelane.audio.sources import MicrophoneSource

    source = source_of(name)
    try:
        heard = enroller.listen(
            _recorded(source, seconds) if isinstance(source, MicrophoneSource) else source
        )
    finally:
        tell_remarks(source)
        source.close()
    r = heard.recording
    print(
        f"{source.name}: {r.speech_s:.1f} s of speech, {r.snr_db:.0f} dB over the noise, "
        f"consistency {r.consistency:.2f}"
    )
    tell_too_little(source.name, r.speech_s)
    for sentence in heard.advice():
        print(f"  {sentence}")
    return heard


def _recorded(source: MicrophoneSource, seconds: float) -> PullSource:
    from tqdm import tqdm

    from voicelane.profiles.enrolment import LONGEST_S, record

    if not 1.0 <= seconds <= LONGEST_S:
        raise ConfigError(f"--seconds {seconds}: expected 1 … {LONGEST_S:.0f}")
    print(f"speak now, for {seconds:.0f} s", flush=True)
    with tqdm(total=seconds, unit="s", bar_format="{l_bar}{bar}|", leave=False, disable=None) as bar:
        return record(source, seconds, lambda at_s: bar.update(at_s - bar.n) and None)


def strays(profile: Profile) -> bool:
    """Whether a recording of the profile is far from the others."""
    import numpy as np

    vectors = np.stack([r.embedding for r in profile.recordings])
    others = vectors.sum(axis=0) - vectors
    cosines = (vectors * others).sum(axis=1) / (np.linalg.norm(others, axis=1) + 1e-9)
    return len(vectors) > 1 and bool(cosines.min() < ONE_PERSON)


def list_profiles(args: argparse.Namespace) -> int:
    """`voicelane profiles list`: one line each; 1 if one is damaged."""
    store, failed = open_store(), False
    for name in store.names():
        try:
            print(f"{name:<24} {_summary(store.profile(name))}")
        except LockedError:
            raise
        except StoreError as problem:
            failed = True
            print(f"{name:<24} DAMAGED: {problem}")
    print(f"folder: {store.folder}")
    return 1 if failed else 0


def show(args: argparse.Namespace) -> int:
    """`voicelane profiles show`: everything but the numbers of the voice."""
    store = open_store()
    profile = store.profile(args.name)
    print(f"{profile.name}: {_summary(profile)}")
    print(f"created {profile.created}, updated {profile.updated}, id {profile.id}")
    print(_consent(store, profile.name))
    for number, r in enumerate(profile.recordings, 1):
        audio = store.audio(r)
        print(
            f"{number}: {r.speech_s:.1f} s of speech, {r.snr_db:.0f} dB over the noise, consistency "
            f"{r.consistency:.2f}, sound {audio if audio else 'not kept'}"
        )
    return 0


def consent(args: argparse.Namespace) -> int:
    """`voicelane profiles consent`: give it, withdraw it, or tell."""
    store = open_store()
    if args.given is not None:
        store.set_consent(args.name, args.given)
    print(f"{args.name}: {_consent(store, args.name)}")
    return 0


def _consent(store: ProfileStore, name: str) -> str:
    given = store.consent(name)
    return f"speech in this voice: allowed since {given}" if given else "speech in this voice: not allowed"


def rename(args: argparse.Namespace) -> int:
    """`voicelane profiles rename`."""
    open_store().rename(args.old, args.new)
    return 0


def merge(args: argparse.Namespace) -> int:
    """`voicelane profiles merge`."""
    open_store().merge(args.name, args.into)
    return 0


def remove(args: argparse.Namespace) -> int:
    """`voicelane profiles remove`."""
    open_store().remove(args.name)
    return 0


def export(args: argparse.Namespace) -> int:
    """`voicelane profiles export`."""
    from voicelane.profiles.transfer import export_profiles

    store = open_store()
    profiles = [store.profile(name) for name in _unique(args.names or store.names())]
    if not profiles:
        raise StoreError("nobody is enrolled, so there is nothing to export")
    export_profiles(store, profiles, args.file)
    print(f"{args.file}: {', '.join(p.name for p in profiles)}; this file is not encrypted")
    return 0


def import_(args: argparse.Namespace) -> int:
    """`voicelane profiles import`."""
    from voicelane.profiles.transfer import import_profiles

    names = import_profiles(open_store(), args.file, args.replace)
    print(f"imported: {', '.join(names)}")
    return 0


def encrypt(args: argparse.Namespace) -> int:
    """`voicelane profiles encrypt`."""
    from voicelane.profiles.encryption import PASSPHRASE

    store = open_store()
    store.encrypt(_ask_new(PASSPHRASE))
    print(f"{store.folder}: voices and kept sound are encrypted; names, dates and sound qualities are not")
    print("Keep the passphrase: without it nobody can bring the voices back, and everybody must enrol again.")
    return 0


def decrypt(args: argparse.Namespace) -> int:
    """`voicelane profiles decrypt`."""
    store = open_store()
    store.decrypt()
    print(f"{store.folder}: readable without a passphrase")
    return 0


def passphrase(args: argparse.Namespace) -> int:
    """`voicelane profiles passphrase`."""
    store = open_store()
    store.change_passphrase(_ask_new(NEW_PASSPHRASE))
    print(f"{store.folder}: opened by the new passphrase only")
    return 0


def _unique(names: Sequence[str]) -> list[str]:
    return list({name_key(name): name for name in names}.values())


def _summary(profile: Profile) -> str:
    n = len(profile.recordings)
    return (
        f"{profile.speech_s:.1f} s of speech in {n} recording{'s' if n > 1 else ''}, "
        f"version {profile.version}, {profile.space}"
    )


def add_enrol(commands: Any) -> None:
    command = add_command(commands, enrol, "learn a person's voice, to show the name while they speak")
    command.add_argument("name", metavar="NAME", help="of the person; a known one gets more recordings")
    command.add_argument(
        "sources", nargs="+", metavar="FILE", help="sound files of that person alone, or `mic`, `mic:NAME`"
    )
    command.add_argument("--seconds", type=float, default=15.0, help="of the microphone (default 15)")
    command.add_argument("--force", action="store_true", help="even with too little speech")
    command.add_argument("--replace", action="store_true", help="forget earlier recordings of that person")
    command.add_argument(
        "--keep-audio", action="store_true", help="keep the sound too, to enrol anew with another encoder"
    )
    command.add_argument(
        "--consent-cloning",
        action="store_true",
        help="the person allows speech in their voice (`say --as NAME`); `profiles consent` withdraws that",
    )
    add_models(command)


def add_profiles(commands: Any) -> None:
    top: argparse.ArgumentParser = commands.add_parser("profiles", help="list and change the enrolled people")
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_command(actions, list_profiles, "list everybody who is enrolled", "list")
    add_command(actions, show, "tell everything about one profile").add_argument("name", metavar="NAME")
    command = add_command(actions, consent, "tell or change whether speech may be made in a person's voice")
    command.add_argument("name", metavar="NAME")
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--give", dest="given", action="store_const", const=True, help="they agree")
    choice.add_argument("--withdraw", dest="given", action="store_const", const=False, help="no longer")
    command = add_command(actions, rename, "change the name of a profile")
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    command = add_command(actions, merge, "give all recordings of one profile to another")
    command.add_argument("name", metavar="FROM")
    command.add_argument("into", metavar="INTO")
    add_command(actions, remove, "delete a profile and its sound").add_argument("name", metavar="NAME")
    command = add_command(actions, export, "write profiles into one file, to carry elsewhere")
    command.add_argument("file", type=Path, metavar="FILE.zip")
    command.add_argument("names", nargs="*", metavar="NAME", help="everybody if none is given")
    command = add_command(actions, import_, "read profiles from such a file", "import")
    command.add_argument("file", type=Path, metavar="FILE.zip")
    command.add_argument("--replace", action="store_true", help="in the place of profiles with equal names")
    add_command(actions, encrypt, "make the voices unreadable without a passphrase")
    add_command(actions, decrypt, "make them readable without one again")
    add_command(actions, passphrase, "choose another passphrase")
