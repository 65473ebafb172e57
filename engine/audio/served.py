"""Devices of a sound server (PulseAudio, PipeWire) by the names that people know them by."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LIST = ("pactl", "list")
LIST_S = 5.0
VARIABLES = {"sources": "PULSE_SOURCE", "sinks": "PULSE_SINK"}
"""Which source and sink ALSA's device `pulse` stands for, when it is opened."""
FIELD = re.compile(r"^\s+(Name|Description|Sample Specification|Monitor of Sink): (.*)$", re.MULTILINE)
HEADING = re.compile(r"^(?:Source|Sink) #", re.MULTILINE)
SPECIFICATION = re.compile(r"(\d+)ch (\d+)Hz")


@dataclass(frozen=True)
class Served:
    """A source of the server, or a sink."""

    source: str
    """The server's own name of it."""
    name: str
    """For people."""
    rate: int
    channels: int
    monitor: bool
    """Whether it hears what the computer plays."""


def served_devices(kind: str = "sources") -> list[Served]:
    """What the sound server offers, `sources` (microphones first) or `sinks`; nothing where there is no
    server, or no `pactl`."""
    try:
        said = subprocess.run(
            (*LIST, kind),
            capture_output=True,
            check=True,
            timeout=LIST_S,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted(parsed(said.stdout.decode("utf-8", "replace")), key=lambda device: device.monitor)


def parsed(listing: str) -> list[Served]:
    """The sources that `pactl list sources` tells of; two of one name have the server's behind it."""
    found = [_source(dict(FIELD.findall(part))) for part in HEADING.split(listing)[1:]]
    whole = [device for device in found if device is not None]
    names = [device.name for device in whole]
    return [
        device if names.count(device.name) == 1 else _renamed(device, f"{device.name} ({device.source})")
        for device in whole
    ]


def _source(fields: dict[str, str]) -> Served | None:
    """A source from its fields, None where some are missing."""
    specification = SPECIFICATION.search(fields.get("Sample Specification", ""))
    source = fields.get("Name", "")
    if not (specification and source):
        return None
    channels, rate = map(int, specification.groups())
    monitor = fields.get("Monitor of Sink", "n/a") != "n/a"
    return Served(source, fields.get("Description", "").strip() or source, rate, channels, monitor)


def _renamed(device: Served, name: str) -> Served:
    return Served(device.source, name, device.rate, device.channels, device.monitor)


@contextmanager
def opened_as(source: str, kind: str = "sources") -> Iterator[None]:
    """While it lasts, ALSA's device `pulse` is opened as that source, or sink; nothing where it is empty."""
    variable = VARIABLES[kind]
    before = os.environ.get(variable)
    if source:
        os.environ[variable] = source
    try:
        yield
    finally:
        if before is not None:
            os.environ[variable] = before
        elif source:
            del os.environ[variable]
