"""`voicelane serve` and `voicelane tokens`: voicelane for other programs."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from voicelane.cli.options import add_command, add_models, config_of


def serve(args: argparse.Namespace) -> int:
    """`voicelane serve`: until Ctrl-C."""
    from voicelane.serve.run import serve as run
    from voicelane.serve.settings import ServeSettings

    given = {name: getattr(args, name) for name in ServeSettings.__dataclass_fields__ if hasattr(args, name)}
    settings = replace(ServeSettings(workers=_cores()), **{k: v for k, v in given.items() if v is not None})
    if not settings.is_local:
        print(
            f"others can reach this server at {settings.host}: every request needs a token"
            + ("" if args.certificate else ", which travels readable without --certificate"),
            file=sys.stderr,
        )
    print("preparing …", file=sys.stderr, flush=True)
    run(settings, config_of(args), args.certificate, args.key, _tell)
    return 0


def _tell(address: str) -> None:
    print(f"listening at {address}; Ctrl-C ends", flush=True)


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def add_token(args: argparse.Namespace) -> int:
    """`voicelane tokens add`: the token is shown this once."""
    from voicelane.serve.tokens import Tokens

    print(Tokens().add(args.name))
    print("keep it: only its hash is kept here, and it is not shown again", file=sys.stderr)
    return 0


def list_tokens(args: argparse.Namespace) -> int:
    """`voicelane tokens list`."""
    from voicelane.serve.tokens import Tokens

    for client in Tokens().clients():
        print(f"{client.name:<24} {client.created}  {client.home()}")
    return 0


def remove_token(args: argparse.Namespace) -> int:
    """`voicelane tokens remove`."""
    from voicelane.serve.tokens import Tokens

    Tokens().remove(args.name)
    return 0


def add_serve(commands: Any) -> None:
    """The commands."""
    command = add_command(commands, serve, "let other programs use voicelane: WebSocket, HTTP, a page")
    add = command.add_argument
    add("--host", metavar="ADDRESS", help="address to listen on (default 127.0.0.1, this machine alone)")
    add("--port", type=int, metavar="N", help="default 8765; 0 takes one that is free")
    add("--workers", type=int, metavar="N", help="processes for live sound (default: one a core)")
    add("--job-workers", type=int, metavar="N", help="processes for recordings (default 1)")
    add("--max-streams", type=int, metavar="N", help="live streams at once (default 64)")
    add("--max-streams-per-client", type=int, metavar="N", help="the same of one token (default 16)")
    add("--max-upload-mb", type=float, metavar="MB", help="size of a recording (default 512)")
    add("--resume-s", type=float, metavar="S", help="a lost connection's stream is kept so long (default 30)")
    add("--words-model", metavar="MODEL", help="Whisper model of words, by name or folder (default base)")
    add("--certificate", type=Path, metavar="FILE.pem", help="for TLS")
    add("--key", type=Path, metavar="FILE.pem", help="of the certificate")
    add_models(command)
    tokens = commands.add_parser("tokens", help="who may use `voicelane serve`").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    named = add_command(tokens, add_token, "make a token for a client", "add")
    named.add_argument("name", help="of the client")
    add_command(tokens, list_tokens, "list the clients that have one", "list")
    add_command(tokens, remove_token, "refuse a client from now on", "remove").add_argument("name")
