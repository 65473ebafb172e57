"""`voicelane run`: who speaks, live, from a microphone or a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from voicelane.base.errors import ConfigError, VoicelaneError
from voicelane.cli.captions import add_captions_switch, asked_captions
from voicelane.cli.endings import ASKED_TO_END, CLOSED, Interrupted, Outlet
from voicelane.cli.options import (
    FALSE_ACCEPTS,
    STANDARD,
    add_command,
    add_models,
    add_people,
    add_sound,
    check_writable,
    config_of,
    source_of,
)

if TYPE_CHECKING:
    from voicelane.cli.terminal import TerminalSink
    from voicelane.config import PipelineConfig
    from voicelane.live.outbox import Sink
    from voicelane.live.session import LiveSession
    from voicelane.voices.voice import Voice


def run(args: argparse.Namespace) -> int:
    """`voicelane run`: one source through the live engine."""
    if Path(STANDARD) not in (args.rttm, args.jsonl):
        return _run(args, file_sinks)
    results = sys.stdout
    with redirect_stdout(sys.stderr):  # standard output is for them alone
        return _run(args, partial(_sinks_to, results))


def _sinks_to(results: TextIO, *asked: Any) -> list[Sink]:
    """Sinks, `-` of which is the stream `results`."""
    with redirect_stdout(results):
        return file_sinks(*asked)


def _run(args: argparse.Namespace, sinks_for: Callable[..., list[Sink]]) -> int:
    from voicelane.audio.meeting import NAME as MEETING
    from voicelane.audio.meeting import MeetingSource
    from voicelane.audio.sources import FileSource
    from voicelane.cli.people import live_verifier, recognisable
    from voicelane.cli.sessions import print_recorded
    from voicelane.cli.terminal import TerminalSink, print_shares
    from voicelane.offline import Opened, listen
    from voicelane.sessions.recorder import free_folder, session_folder

    config = config_of(args)
    source: Opened
    if args.input == MEETING:
        source = MeetingSource()
    else:
        source = source_of(args.input, args.realtime, args.track, args.raw, args.channels)
    folder = free_folder(session_folder(args.session)) if args.session is not None else None
    people = recognisable(config, True if args.verify else args.people)
    verifier = live_verifier(config, people, args.verify) if args.verify else None
    check_outputs(args.rttm, args.jsonl, args.input)
    spoken = speaks(args)
    captions, own = asked_captions(args, spoken) or False, _own_voices(args, config)
    live = not isinstance(source, FileSource)
    terminal = TerminalSink(source.duration_s)
    session = listen(
        source,
        people,
        folder,
        captions,
        sinks=chain(
            (terminal,),
            speech_sinks(args, config, own, patient=not (live or args.realtime)) if spoken else (),
            when_ready(sinks_for, args.rttm, args.jsonl, args.input),
        ),
        config=config,
        live_verifier=verifier,
        loaded=partial(print, "preparing …", file=sys.stderr, flush=True),
    )
    if live:
        print(f"listening to {source.name} at {source.rate} Hz; Ctrl-C ends", flush=True)
    files = [path for path in (args.rttm, args.jsonl, args.speak_out) if path not in (None, Path(STANDARD))]
    alone = not files and not spoken and session.recorder is None
    status = until_done(session, terminal, alone)
    print_shares(terminal.labels.whole(terminal.turns), terminal.labels)
    if session.recorder:
        print_recorded(session.recorder)
    return 0 if status == ASKED_TO_END and live else status


def speaks(args: argparse.Namespace) -> bool:
    """Whether a translation is to be heard; raises `ConfigError` or `OSError` where it cannot be written."""
    if args.speak_out is None:
        if args.keep_voice and not args.speak:
            raise ConfigError("--keep-voice is of speech; add --speak or --speak-out, or leave it out")
        return bool(args.speak)
    from voicelane.voices.synthetic import check_output

    check_output(args.speak_out)
    if args.speak_out.resolve() in {Path(args.input).resolve(), *_resolved(args.rttm, args.jsonl)}:
        raise ConfigError(f"{args.speak_out}: input and outputs must be different files")
    return True


def _resolved(*paths: Path | None) -> list[Path]:
    return [path.resolve() for path in paths if path is not None]


def _own_voices(args: argparse.Namespace, config: PipelineConfig) -> dict[str, Voice]:
    """With `--keep-voice`, those of all enrolled people who consented."""
    if not args.keep_voice:
        return {}
    from voicelane.cli.people import open_store
    from voicelane.cli.translate import say_aside
    from voicelane.voices.casting import own_voices

    store = open_store()
    return own_voices(store.names(), store, config, say_aside)


def speech_sinks(
    args: argparse.Namespace, config: PipelineConfig, own: dict[str, Voice], patient: bool
) -> Iterator[Sink]:
    """What says the translation, to the loudspeaker and into a file; opened when somebody takes it."""
    from voicelane.audio.loudspeaker import Loudspeaker
    from voicelane.cli.translate import say_aside
    from voicelane.voices.interpreter import Ear, PlayedSpeech, SpeechFile, interpreter
    from voicelane.voices.world import world

    world()
    ears: list[Ear] = [PlayedSpeech(Loudspeaker())] if args.speak else []
    ears += [SpeechFile(args.speak_out)] if args.speak_out else []
    yield interpreter(config, own, ears, say_aside, patient)


def when_ready(sinks_for: Callable[..., list[Sink]], *asked: Any) -> Iterator[Sink]:
    """Sinks whose files are opened when somebody takes them: not before the models are there, since what is
    in the files stays if they are not."""
    yield from sinks_for(*asked)


def until_done(session: LiveSession, terminal: TerminalSink, alone: bool = False) -> int:
    """Run to the end of the source, or until a signal comes; the status to end with.

    What is said `alone` to a reader who has gone need not be found out.
    """
    try:
        session.start()
        while not session.wait(0.2):
            terminal.progress(session.pipeline.heard_samples)
            if alone and isinstance(sys.__stdout__, Outlet) and sys.__stdout__.gone:
                session.stop()
                return CLOSED
        return 0
    except Interrupted as end:
        session.stop()
        print("stopped; everything heard so far is written", file=sys.stderr)
        return end.status


def check_outputs(rttm: Path | None, jsonl: Path | None, name: str) -> None:
    """Raise `VoicelaneError` or `OSError` unless all files asked for can be written; what is in them
    stays."""
    paths = [p for p in (rttm, jsonl) if p is not None]
    inputs = [] if name == STANDARD else [Path(name).resolve()]
    if len({*(p.resolve() for p in paths), *inputs}) < len(paths) + len(inputs):
        raise VoicelaneError(f"{paths[-1]}: input and outputs must be different files")
    for path in paths:
        check_writable(path)


def file_sinks(rttm: Path | None, jsonl: Path | None, name: str) -> list[Sink]:
    """Sinks for the files that were asked for; none is touched unless all can be written."""
    from voicelane.live.sinks import JsonLinesSink, RttmSink

    check_outputs(rttm, jsonl, name)
    uri = "stdin" if name == STANDARD else Path(name).stem
    sinks: list[Sink] = [RttmSink(rttm, uri)] if rttm else []
    return [*sinks, JsonLinesSink(jsonl)] if jsonl else sinks


def add_run(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, run, "tell who speaks, from a microphone or a file")
    command.add_argument(
        "input",
        metavar="INPUT",
        help="a file with sound, `-` (standard input), `mic`, `mic:NAME` (see `devices`), or `mic+system`: "
        "both sides of a meeting",
    )
    add_sound(command)
    command.add_argument(
        "--rttm", type=Path, metavar="FILE", help="write the final turns here as RTTM; `-` is standard output"
    )
    command.add_argument(
        "--jsonl",
        type=Path,
        metavar="FILE",
        help="write every event here, one JSON object a line; `-` is standard output",
    )
    speed = command.add_mutually_exclusive_group()
    speed.add_argument("--realtime", action="store_true", help="play a file at its own speed")
    speed.add_argument(
        "--fast", dest="realtime", action="store_false", help="as fast as possible (default for files)"
    )
    add_people(command)
    command.add_argument(
        "--verify",
        type=float,
        choices=FALSE_ACCEPTS,
        metavar="PERCENT",
        help="show how the evidence grows that each speaker is an enrolled person, judged at this rate of "
        "false accepts: 0.1, 1 or 5",
    )
    add_captions_switch(command, "show who says what")
    command.add_argument(
        "--speak", action="store_true", help="say what is said in English, by the loudspeaker, while it runs"
    )
    command.add_argument(
        "--speak-out", type=Path, metavar="FILE", help="the same into a file: wav, flac, ogg, opus or mp3"
    )
    command.add_argument(
        "--keep-voice",
        action="store_true",
        help="spoken English in the voices of those who are recognised and consented; others get nobody's",
    )
    command.add_argument(
        "--clean", action="store_true", help="take noise off the sound first; a session keeps both sounds"
    )
    command.add_argument(
        "--session", metavar="NAME|DIR", help="record sound and events; see `voicelane sessions`"
    )
    add_models(command)
