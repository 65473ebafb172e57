"""What a server allows, and where it listens."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from voicelane.base.errors import ConfigError
from voicelane.base.settings import Within, wrong_values

HERE = "127.0.0.1"
NAMES_OF_HERE = ("127.0.0.1", "localhost", "[::1]")
"""What a browser on this machine may call it."""


@dataclass(frozen=True)
class ServeSettings:
    """Limits of a server, per client where nothing else is said."""

    host: str = HERE
    """Address to listen on; others than this machine's own need tokens."""
    port: Annotated[int, Within(0, 65_535)] = 8765
    """0 takes any that is free."""
    workers: Annotated[int, Within(1, 256)] = 1
    """Processes that hear live sound."""
    job_workers: Annotated[int, Within(1, 64)] = 1
    """Processes that analyse recordings, of lower priority."""
    max_streams: Annotated[int, Within(1, 10_000)] = 64
    """Live streams at once, of all clients together."""
    max_streams_per_client: Annotated[int, Within(1, 10_000)] = 16
    """Live streams at once of one token; without tokens everybody is one client."""
    words_model: str = "base"
    """Whisper model of transcriptions and captions, by name or folder."""
    max_captioned: Annotated[int, Within(0, 100)] = 1
    """Live streams at once with captions: each has a recogniser of its own."""
    max_stream_h: Annotated[float, Within(0.0001, 1000.0)] = 12.0
    """Hours of sound of one live stream."""
    most_speed: Annotated[float, Within(1.0, 100.0)] = 4.0
    """Sound may come so many times faster than real time."""
    burst_s: Annotated[float, Within(1.0, 600.0)] = 30.0
    """Seconds of sound that may come at once."""
    waiting_s: Annotated[float, Within(0.5, 60.0)] = 10.0
    """Seconds of sound that may wait for the engine before the client has to."""
    idle_s: Annotated[float, Within(0.1, 86_400.0)] = 300.0
    """A connection on which nothing comes for so long is closed."""
    start_s: Annotated[float, Within(0.1, 600.0)] = 10.0
    """So long a client may take to say what it will send."""
    resume_s: Annotated[float, Within(0.0, 3600.0)] = 30.0
    """A stream whose connection was lost is kept so long."""
    unread_s: Annotated[float, Within(0.1, 600.0)] = 20.0
    """A client that does not read is let go after so long."""
    max_upload_mb: Annotated[float, Within(0.001, 100_000.0)] = 512.0
    """Size of a recording."""
    max_sound_h: Annotated[float, Within(0.0001, 1000.0)] = 12.0
    """Hours of sound in a recording."""
    max_jobs: Annotated[int, Within(1, 10_000)] = 100
    """Jobs of one client that wait, run or keep a result."""
    keep_jobs_s: Annotated[float, Within(1.0, 1e6)] = 3600.0
    """Results of jobs are kept so long."""

    def problems(self) -> list[str]:
        """What no range can say."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return [f"host = {self.host!r}: expected an address, as 127.0.0.1 or 0.0.0.0"]
        return []

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback


def checked(settings: ServeSettings) -> ServeSettings:
    """The settings; raises `ConfigError` with all that is wrong with them."""
    if problems := wrong_values(settings, "serve"):
        raise ConfigError("; ".join(problems))
    return settings
