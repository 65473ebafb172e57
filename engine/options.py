"""What the commands of the command line share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.audio.sources import FileSource, MicrophoneSource
from engine.config import PipelineConfig, read_config
from engine.terminal import keep_errors_readable


def source_of(name: str, realtime: bool = False) -> MicrophoneSource | FileSource:
    """The microphone for `mic` or `mic:NAME`, else a file."""
    if name == "mic" or name.startswith("mic:"):
        keep_errors_readable()
        return MicrophoneSource(name[4:] or None)
    return FileSource(name, realtime)


def config_of(args: argparse.Namespace) -> PipelineConfig:
    """The settings file, then what the command line says on top of it."""
    config = read_config(args.config) if args.config else PipelineConfig()
    if args.encoder:
        config = replace(config, encoder=replace(config.encoder, model=args.encoder))
    if args.enhancer:
        config = replace(config, enhancer=replace(config.enhancer, model=args.enhancer))
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


def add_models(command: argparse.ArgumentParser) -> None:
    """The options that choose settings and models."""
    command.add_argument("--config", type=Path, metavar="FILE.toml", help="settings; see the README")
    command.add_argument(
        "--encoder", metavar="NAME", help="an encoder that `voicelane models` lists, or a model folder"
    )
    command.add_argument(
        "--enhancer",
        metavar="off|seed|mlp",
        help="make embeddings of noisy speech more like those of clean speech; or a model folder",
    )
