"""`voicelane voices`: voices that belong to nobody."""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError
from voicelane.base.text import one_line
from voicelane.cli.options import add_command, add_models, config_of
from voicelane.cli.people import open_store

if TYPE_CHECKING:
    import numpy as np

    from voicelane.voices.voice import Voice

MOST_NEW = 100
STEM = "pseudo"


def new(args: argparse.Namespace) -> int:
    """`voicelane voices new`: voices drawn, told and kept."""
    import numpy as np

    from voicelane.voices.library import VoiceLibrary
    from voicelane.voices.pseudo import load_pseudo_voices

    if not 1 <= args.count <= MOST_NEW:
        raise ConfigError(f"--count {args.count}: expected 1 … {MOST_NEW}")
    seed = secrets.randbelow(2**31) if args.seed is None else args.seed
    if seed < 0:
        raise ConfigError(f"--seed {seed}: expected 0 or more")
    drawing, library = load_pseudo_voices(_encoder_id(args)), VoiceLibrary()
    like, rng = _like(args), np.random.default_rng(seed)
    found = [drawing.new(name, rng, like) for name in library.unused(STEM, args.count)]
    for voice in found:
        library.add(voice)
        print(_line(voice))
    print(f"kept in {library.folder}; --seed {seed} draws the same again", file=sys.stderr)
    return 0


def _encoder_id(args: argparse.Namespace) -> str:
    from voicelane.stages.encoder import load_encoder

    return load_encoder(config_of(args).encoder).id


def _like(args: argparse.Namespace) -> str | np.ndarray:
    """`low`, `high`, `any`, or the embedding of an enrolled person."""
    from voicelane.profiles.enrolment import Enroller, in_space
    from voicelane.stages.recogniser import mean_voice
    from voicelane.voices.pseudo import BANDS

    if args.like in BANDS:
        return str(args.like)
    store = open_store()
    person = in_space(store, store.profile(args.like), Enroller(config_of(args))).person()
    return mean_voice(person.embeddings)


def list_voices(args: argparse.Namespace) -> int:
    """`voicelane voices list`."""
    from voicelane.voices.library import VoiceLibrary

    library = VoiceLibrary()
    voices, refused = library.voices()
    for voice in voices:
        print(_line(voice))
    for sentence in refused:
        print(one_line(sentence), file=sys.stderr)
    if not voices and not refused:
        print("no voices yet; `voicelane voices new` makes one")
    return 2 if refused else 0


def show(args: argparse.Namespace) -> int:
    """`voicelane voices show`: what is known of a voice, and which others are nearest to it."""
    from voicelane.voices.library import VoiceLibrary, nearest

    library = VoiceLibrary()
    voice = library.voice(args.name)
    print(_line(voice))
    print(f"{len(voice.embedding)} numbers of the encoder {voice.encoder_id[:12]}…")
    for other, cosine in nearest(voice, library.voices()[0]):
        print(f"cosine {cosine:+.2f} to {other.name}")
    return 0


def remove(args: argparse.Namespace) -> int:
    """`voicelane voices remove`."""
    from voicelane.voices.library import VoiceLibrary

    VoiceLibrary().remove(args.name)
    return 0


def _line(voice: Voice) -> str:
    owner = "nobody's" if voice.kind == "pseudo" else "a person's"
    return f"{voice.name:<20} {owner}, {voice.pitch_hz:.0f} Hz"


def add_voices(commands: Any) -> None:
    text = "make, list and remove voices that belong to nobody"
    top: argparse.ArgumentParser = commands.add_parser("voices", help=text, description=text)
    actions = top.add_subparsers(dest="action", required=True, metavar="ACTION")
    command = add_command(actions, new, "draw voices that nobody has, and keep them")
    command.add_argument(
        "--like", default="any", metavar="low|high|NAME", help="of such a pitch, or near an enrolled person"
    )
    command.add_argument("--seed", type=int, metavar="N", help="draws the same voices again")
    command.add_argument("--count", type=int, default=1, metavar="N", help="how many (default 1)")
    add_models(command)
    add_command(actions, list_voices, "list the voices", "list")
    add_command(actions, show, "tell what is known of a voice").add_argument("name", metavar="NAME")
    add_command(actions, remove, "delete a voice").add_argument("name", metavar="NAME")
