"""What the commands of the command line share."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError
from voicelane.base.files import is_replaceable
from voicelane.base.text import one_line

if TYPE_CHECKING:
    from voicelane.audio.sources import FileSource, MicrophoneSource
    from voicelane.config import PipelineConfig

STANDARD = "-"
"""Standard input or output, where a file is expected."""
FALSE_ACCEPTS = (0.1, 1.0, 5.0)
"""Rates in percent that a verification can be judged at."""


def source_of(
    name: str,
    realtime: bool = False,
    track: int | None = None,
    raw: str | None = None,
    channels: str = "auto",
) -> MicrophoneSource | FileSource:
    """The microphone for `mic` or `mic:NAME`, else a file, a named pipe or `-`."""
    from voicelane.audio.decoding import RawFormat
    from voicelane.cli.terminal import keep_errors_readable
    from voicelane.offline import is_microphone, open_source

    live = is_microphone(name)
    if live:
        keep_errors_readable()
    words = ("auto", "mix") if live else ("auto", "mix", "separate")
    chosen = channels if channels in words else channel_number(channels, live)
    return open_source(name, realtime, track, RawFormat.parse(raw) if raw else None, chosen)


def channel_number(text: str, live: bool = False) -> int:
    """A channel as `--channels` names it, of a file or a `live` microphone; raises `ConfigError`."""
    if not text.isdecimal() or int(text) < 1:
        words, of = ("auto, mix", " of a microphone") if live else ("auto, mix, separate", "")
        raise ConfigError(f"--channels {text}: expected {words} or the number of a channel{of}")
    return int(text)


def config_of(args: argparse.Namespace) -> PipelineConfig:
    """The settings file, then what the command line says on top of it."""
    from voicelane.config import PipelineConfig, read_config, with_pack

    config = read_config(args.config) if args.config else PipelineConfig()
    if args.models:
        config = with_pack(config, args.models)
    if args.encoder:
        config = replace(config, encoder=replace(config.encoder, model=args.encoder))
    if args.enhancer:
        config = replace(config, enhancer=replace(config.enhancer, model=args.enhancer))
    if getattr(args, "clean", False) and config.denoiser.model == "off":
        config = replace(config, denoiser=replace(config.denoiser, model="clean"))
    if getattr(args, "max_speakers", None) is not None:
        config = replace(config, diariser=replace(config.diariser, max_speakers=args.max_speakers))
    return config


def add_command(
    commands: Any, function: Callable[[argparse.Namespace], int], text: str, name: str = ""
) -> argparse.ArgumentParser:
    """A command that runs `function` and is called like it, or `name`."""
    command: argparse.ArgumentParser = commands.add_parser(
        name or function.__name__, help=text, description=text[0].upper() + text[1:] + "."
    )
    command.set_defaults(function=function)
    return command


def add_sound(command: argparse.ArgumentParser) -> None:
    """The options that say what of the input is heard, and how."""
    command.add_argument(
        "--track", type=int, metavar="N", help="audio track of a file that holds several, counted from 1"
    )
    command.add_argument(
        "--raw", metavar="CODEC:RATE:CHANNELS", help="what is in a file without a header: s16le:16000:1"
    )
    command.add_argument(
        "--channels",
        default="auto",
        metavar="auto|mix|separate|N",
        help="as they differ (default), their mean, each by itself, or number N alone",
    )


def tell_remarks(source: MicrophoneSource | FileSource) -> None:
    """What the sound of a file that was read is worth knowing for, on stderr."""
    from voicelane.audio.sources import FileSource

    while isinstance(source, FileSource) and source.remarks:
        print(f"{source.name}: {one_line(source.remarks.popleft())}", file=sys.stderr)


def tell_too_little(name: str, speech_s: float) -> None:
    """On stderr, where there is too little speech in a recording to know a voice by."""
    from voicelane.profiles.embedding import TELLING_S

    if speech_s < TELLING_S:
        heard = f"only {speech_s:.1f} s of speech were found" if speech_s else "no speech was found"
        print(
            f"{name}: {heard} in it, too little to tell whose voice it is; give {TELLING_S:g} s or more",
            file=sys.stderr,
        )


def check_writable(path: Path) -> None:
    """Raise `OSError` where an output cannot be written; a pipe is not opened for that."""
    if str(path) == STANDARD:
        return
    if is_replaceable(path):
        with path.open("a"):
            pass
    elif not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def add_models(command: argparse.ArgumentParser) -> None:
    """The options that choose settings and models."""
    command.add_argument("--config", type=Path, metavar="FILE.toml", help="settings, as in docs/settings.md")
    command.add_argument(
        "--models",
        choices=["light", "strong"],
        help="light comes with voicelane; strong is CAM++ and segmentation-3.0, better on real "
        "meetings, for five times the CPU (`voicelane models add strong`)",
    )
    command.add_argument(
        "--encoder", metavar="NAME", help="an encoder that `voicelane models` lists, or a model folder"
    )
    command.add_argument(
        "--enhancer",
        metavar="off|seed|mlp",
        help="make embeddings of noisy speech more like those of clean speech; or a model folder",
    )


def add_plain(command: argparse.ArgumentParser) -> None:
    """How voices are changed."""
    command.add_argument(
        "--plain",
        action="store_true",
        help="move pitch and formants alone, where a network would come nearer",
    )


def add_people(command: argparse.ArgumentParser, default: bool | None = None) -> None:
    """The options that bound and name speakers; a `default` of None: recognise people if there are any."""
    command.add_argument("--max-speakers", type=int, metavar="N", help="never find more than N speakers")
    usual = "if there are any" if default is None else "yes" if default else "no"
    command.add_argument(
        "--people",
        action=argparse.BooleanOptionalAction,
        default=default,
        help=f"recognise enrolled people by name (default: {usual})",
    )
