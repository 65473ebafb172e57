"""A server from Python; what it is made of is loaded when it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voicelane.base.errors import ConfigError, VoicelaneError
from voicelane.config import PipelineConfig
from voicelane.serve.settings import ServeSettings, checked
from voicelane.serve.tokens import Tokens

INSTALL = 'a server needs starlette and uvicorn; run `pip install "voicelane[serve]"`'


def serve(
    settings: ServeSettings | None = None,
    config: PipelineConfig | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    listening: Callable[[str], None] = lambda address: None,
) -> None:
    """Run a server until a signal ends it; `listening` hears its address. `certificate` and `key` are PEM
    files, for TLS.

    Raises `ConfigError` where others could reach it and there are no tokens, and for a wrong certificate.
    """
    try:
        from voicelane.serve.app import run
    except ImportError:
        raise VoicelaneError(INSTALL) from None
    settings, tokens = checked(settings or ServeSettings()), Tokens()
    if not settings.is_local and not tokens.clients():
        raise ConfigError(
            f"others could reach {settings.host}, and there is no token yet; make one with "
            "`voicelane tokens add NAME`, or listen on 127.0.0.1"
        )
    run(settings, config or PipelineConfig(), tokens, certificate, key, listening)
