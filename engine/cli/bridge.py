"""`voicelane bridge`: programs that speak another protocol, beside `voicelane serve`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError, VoicelaneError
from voicelane.cli.options import add_command

if TYPE_CHECKING:
    from voicelane.client.connection import AsyncClient

TOKEN = "VOICELANE_TOKEN"
SERVER = "http://127.0.0.1:8765"
INSTALL = '{} is missing; run `pip install "voicelane[bridge]"`'


async def _until_asked(bridging: Coroutine[Any, Any, None]) -> None:
    """Run it until a signal asks the program to end.

    The loop answers between two steps: an exception out of the signal's own handler may come in the middle of
    one, where others catch it.
    """
    running = asyncio.ensure_future(bridging)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError):  # other systems
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), running.cancel)
    with suppress(asyncio.CancelledError, KeyboardInterrupt):
        await running


def wyoming(args: argparse.Namespace) -> int:
    """`voicelane bridge wyoming`: until Ctrl-C."""
    try:
        from voicelane.serve.protocols.wyoming import Manner, serve
    except ImportError:
        raise VoicelaneError(INSTALL.format("wyoming")) from None
    manner = Manner(args.form, tuple(args.only))

    def tell() -> None:
        print(f"listening at {args.listen}; Ctrl-C ends", flush=True)

    asyncio.run(_until_asked(serve(args.listen, args.upstream, _client(args), manner, tell)))
    return 0


def mcp(args: argparse.Namespace) -> int:
    """`voicelane bridge mcp`: tools over standard input and output."""
    try:
        from voicelane.serve.protocols.mcp import tools
    except ImportError:
        raise VoicelaneError(INSTALL.format("mcp")) from None
    tools(_client(args)).run()
    return 0


def mqtt(args: argparse.Namespace) -> int:
    """`voicelane bridge mqtt`: until Ctrl-C."""
    try:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError:
        raise VoicelaneError(INSTALL.format("paho-mqtt")) from None
    from voicelane.serve.protocols.mqtt import Teller, tell

    host, _, port = args.broker.rpartition(":")
    if not (host and port.isdecimal()):
        raise ConfigError(f"--broker {args.broker}: expected HOST:PORT, as localhost:1883")
    broker = paho.Client(CallbackAPIVersion.VERSION2)
    broker.connect(host, int(port))
    broker.loop_start()
    asyncio.run(_until_asked(tell(_client(args), Teller(broker, args.topic))))
    return 0


def _client(args: argparse.Namespace) -> AsyncClient:
    from voicelane.client.connection import AsyncClient

    return AsyncClient(args.server, os.environ.get(TOKEN, ""))


def add_bridge(commands: Any) -> None:
    """The commands."""
    text = "speak Wyoming, MCP or MQTT for `voicelane serve`"
    bridges = commands.add_parser("bridge", help=text, description=text[0].upper() + text[1:] + ".")
    actions = bridges.add_subparsers(dest="action", required=True, metavar="PROTOCOL")
    proxy = add_command(actions, wyoming, "a proxy before any speech-to-text that knows who speaks")
    proxy.add_argument("--listen", default="tcp://127.0.0.1:10301", metavar="URI", help="where clients come")
    proxy.add_argument("--upstream", required=True, metavar="URI", help="the speech-to-text, tcp://HOST:PORT")
    proxy.add_argument(
        "--form", default="{name}: {text}", metavar="TEXT", help="what becomes of the words of somebody known"
    )
    proxy.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="let the words of this person through alone",
    )
    agent = add_command(actions, mcp, "tools for agents: who speaks, who spoke, rename with consent")
    home = add_command(actions, mqtt, "messages that say who speaks")
    home.add_argument("--broker", default="localhost:1883", metavar="HOST:PORT")
    home.add_argument("--topic", default="voicelane", metavar="TOPIC")
    for command in (proxy, agent, home):
        command.add_argument(
            "--server", default=SERVER, metavar="URL", help=f"`voicelane serve`; its token in {TOKEN}"
        )
