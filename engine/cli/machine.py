"""`voicelane devices`: what this machine can listen with."""

from __future__ import annotations

import argparse
from typing import Any

from voicelane.cli.options import add_command


def devices(args: argparse.Namespace) -> int:
    """`voicelane devices`: microphones that `mic:NAME` can name."""
    from voicelane.audio.sources import input_devices

    found = input_devices()
    for device in found:
        mark = "*" if device["default"] else " "
        print(f"{mark} {device['name']}  ({device['rate']} Hz, {device['channels']} channels)")
    print("* is the default" if found else "no microphone found; connect one and try again")
    return 0


def add_machine(commands: Any) -> None:
    """The command."""
    add_command(commands, devices, "list the microphones")
