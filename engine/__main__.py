"""The command line: `voicelane COMMAND`, or `python -m engine COMMAND`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path

import numpy as np
from tqdm import tqdm

from engine.audio.sources import FileSource, MicrophoneSource, input_devices, reopen_microphone
from engine.batch_command import add_batch
from engine.embedding import FileEmbedder
from engine.errors import VoicelaneError
from engine.gui_command import add_gui
from engine.home import private_file
from engine.inference.manifest import verify
from engine.inference.onnx import installed, models_folder, parts
from engine.latency import LatencySink
from engine.live import LiveSession
from engine.names import one_line
from engine.options import add_command, add_models, config_of, source_of
from engine.outbox import Sink
from engine.people_commands import add_enrol, add_profiles, recognisable
from engine.pipeline import Pipeline
from engine.recording import Recorder, free_folder, session_folder
from engine.scoring import Turn, diarisation_error
from engine.session_commands import add_sessions, print_recorded
from engine.sinks import JsonLinesSink, RttmSink, read_rttm
from engine.terminal import TerminalSink, print_shares
from engine.timebase import seconds
from engine.verify_command import FALSE_ACCEPTS, add_verify, live_verifier

DEMO = Path(__file__).parent / "demo" / "conversation.opus"
INTERRUPTED = 130


def run(args: argparse.Namespace) -> int:
    """`voicelane run`: one source through the live engine."""
    source, config = source_of(args.input, args.realtime), config_of(args)
    folder = free_folder(session_folder(args.session)) if args.session is not None else None
    people = recognisable(config, True if args.verify else args.people)
    verifier = live_verifier(config, people, args.verify) if args.verify else None
    pipeline = Pipeline(config, people=people, live_verifier=verifier)
    sinks = _file_sinks(args.rttm, args.jsonl, args.input)
    _warm_up(pipeline)
    recorder = Recorder(folder, source.name, pipeline.space) if folder else None
    sinks += [recorder] if recorder else []
    if isinstance(source, MicrophoneSource):
        print(f"listening to {source.name} at {source.rate} Hz; Ctrl-C ends", flush=True)
    terminal = TerminalSink(source.duration_s)
    reconnect = partial(reopen_microphone, source.device) if isinstance(source, MicrophoneSource) else None
    session = LiveSession(source, pipeline, [terminal, *sinks], reconnect=reconnect)
    interrupted = _until_done(session, terminal)
    print_shares(terminal.turns, terminal.labels)
    if recorder:
        print_recorded(recorder)
    return INTERRUPTED if interrupted and isinstance(source, FileSource) else 0


def _warm_up(pipeline: Pipeline) -> None:
    """The very first start compiles for some seconds, and says so."""
    print("preparing …", file=sys.stderr, flush=True)
    pipeline.warm_up()


def _until_done(session: LiveSession, terminal: TerminalSink) -> bool:
    """Run to the end of the source or to Ctrl-C; True for the latter."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        session.start()
        while not session.wait(0.2):
            terminal.progress(session.pipeline.heard_samples)
        return False
    except KeyboardInterrupt:
        session.stop()
        print("stopped; everything heard so far is written", file=sys.stderr)
        return True


def _file_sinks(rttm: Path | None, jsonl: Path | None, name: str) -> list[Sink]:
    """Sinks for the files that were asked for; none is touched unless all can be written."""
    paths = [p for p in (rttm, jsonl) if p is not None]
    if len({p.resolve() for p in [*paths, Path(name)]}) <= len(paths):
        raise VoicelaneError(f"{paths[-1]}: input and outputs must be different files")
    for path in paths:
        with path.open("a"):
            pass
    sinks: list[Sink] = [RttmSink(rttm, Path(name).stem)] if rttm else []
    return [*sinks, JsonLinesSink(jsonl)] if jsonl else sinks


def demo(args: argparse.Namespace) -> int:
    """`voicelane demo`: the bundled conversation, its score and the latency."""
    args.out.mkdir(parents=True, exist_ok=True)
    rttm, jsonl = args.out / "demo.rttm", args.out / "demo.jsonl"
    source = FileSource(DEMO, realtime=not args.fast)
    reference = read_rttm(DEMO.with_suffix(".rttm"))
    speakers = len({t.speaker for t in reference})
    pipeline = Pipeline(timing=True)
    pipeline.warm_up()
    print(
        f"{source.duration_s:.0f} s of conversation between {speakers} people"
        f"{'' if args.fast else ', played at its own speed'}\n",
        flush=True,
    )
    terminal, latency = TerminalSink(source.duration_s), LatencySink()
    session = LiveSession(source, pipeline, [terminal, latency, *_file_sinks(rttm, jsonl, str(DEMO))])
    if _until_done(session, terminal):
        return INTERRUPTED
    print()
    print_shares(terminal.turns, terminal.labels)
    print()
    final = terminal.labels.turns(terminal.turns)
    for what, turns in (("as it went", terminal.turns), ("at the end", final)):
        error = diarisation_error(
            reference, [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in turns]
        )
        print(
            f"DER {what} {100 * error.rate:.1f} %: {100 * error.miss:.1f} missed, "
            f"{100 * error.false_alarm:.1f} false alarm, {100 * error.confusion:.1f} confused "
            "(no collar, overlap scored)"
        )
    if not args.fast:
        _print_latency(latency)
    print(f"lost samples: {session.lost_samples}\nwritten: {rttm}, {jsonl}")
    return 0


def _print_latency(latency: LatencySink) -> None:
    rows = [(f"compute, {k}", v) for k, v in latency.stages_ms().items()]
    rows += [(f"sound to {k} label", v) for k, v in latency.delays_ms().items()]
    print(f"\n{'ms':<28}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    for name, values in rows:
        if len(values):
            found = (*np.percentile(values, (50, 95, 99)), values.max())
            print(f"{name:<28}" + "".join(f"{v:9.2f}" for v in found))


def devices(args: argparse.Namespace) -> int:
    """`voicelane devices`: microphones that `mic:NAME` can name."""
    found = input_devices()
    for device in found:
        mark = "*" if device["default"] else " "
        print(f"{mark} {device['name']}  ({device['rate']} Hz, {device['channels']} channels)")
    print("* is the default" if found else "no microphone found; connect one and try again")
    return 0


def embed(args: argparse.Namespace) -> int:
    """`voicelane embed`: one vector per file into a .npz; a file that fails is named and left out."""
    embedder, rows, failed = FileEmbedder(config_of(args)), [], False
    with private_file(args.out) as out:
        try:
            for name in tqdm(args.files, unit="file", disable=None):
                try:
                    rows.append((name, *_embedded(embedder, name)))
                except (VoicelaneError, OSError) as problem:
                    failed = True
                    print(f"voicelane: {problem}; left out", file=sys.stderr)
        finally:
            vectors = np.array([r[1] for r in rows], np.float32).reshape(len(rows), embedder.dim)
            paths, durations_s = np.array([r[0] for r in rows], str), np.array([r[2] for r in rows], float)
            np.savez(out, path=paths, embedding=vectors, duration_s=durations_s)
    print(f"{len(rows)} embeddings of {embedder.dim} numbers in {args.out}")
    return 1 if failed else 0


def _embedded(embedder: FileEmbedder, name: str) -> tuple[np.ndarray, float]:
    """Embedding and length in seconds of one file."""
    source = FileSource(name)
    try:
        return embedder.embed(source), source.duration_s or float("nan")
    finally:
        source.close()


def models(args: argparse.Namespace) -> int:
    """`voicelane models`: what is installed, each checksum verified."""
    failed = False
    for folder in installed():
        try:
            manifest, *_ = [verify(part) for part in parts(folder)]
            print(
                f"{manifest.name:<20} {manifest.kind:<10} version {manifest.version:<8} "
                f"sha256 {manifest.sha256[:16]}… verified"
            )
        except VoicelaneError as problem:
            failed = True
            print(f"{folder.name:<20} DAMAGED: {problem}")
    print(f"folder: {models_folder()}")
    return 1 if failed else 0


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(
        prog="voicelane",
        description="Shows who is speaking, while they speak. Everything stays on this machine.",
        epilog="Start with `voicelane demo`; then `voicelane run mic`, or `voicelane run FILE`.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = add_command(commands, run, "tell who speaks, from a microphone or a file")
    command.add_argument("input", metavar="INPUT", help="a sound file, `mic`, or `mic:NAME` (see `devices`)")
    command.add_argument("--rttm", type=Path, metavar="FILE", help="write the final turns here as RTTM")
    command.add_argument(
        "--jsonl", type=Path, metavar="FILE", help="write every event here, one JSON object a line"
    )
    speed = command.add_mutually_exclusive_group()
    speed.add_argument("--realtime", action="store_true", help="play a file at its own speed")
    speed.add_argument(
        "--fast", dest="realtime", action="store_false", help="as fast as possible (default for files)"
    )
    command.add_argument("--max-speakers", type=int, metavar="N", help="never find more than N speakers")
    command.add_argument(
        "--people",
        action=argparse.BooleanOptionalAction,
        help="recognise enrolled people by name (default: if there are any)",
    )
    command.add_argument(
        "--verify",
        type=float,
        choices=FALSE_ACCEPTS,
        metavar="PERCENT",
        help="show how the evidence grows that each speaker is an enrolled person, judged at this rate of "
        "false accepts: 0.1, 1 or 5",
    )
    command.add_argument(
        "--session", metavar="NAME|DIR", help="record sound and events; see `voicelane sessions`"
    )
    add_models(command)

    command = add_command(
        commands, demo, "play the bundled conversation through the live engine and score it"
    )
    command.add_argument(
        "--fast", action="store_true", help="as fast as possible instead of at its own speed"
    )
    command.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder for demo.rttm and demo.jsonl"
    )

    add_command(commands, devices, "list the microphones")

    add_batch(commands)
    add_gui(commands)
    add_enrol(commands)
    add_verify(commands)
    add_profiles(commands)
    add_sessions(commands)

    command = add_command(commands, embed, "one speaker embedding per file, into a .npz file")
    command.add_argument("files", nargs="+", metavar="FILE")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="emb.npz",
        help="arrays `path`, `embedding` float32 (n_files, dim), `duration_s`",
    )
    add_models(command)

    add_command(commands, models, "list the installed models and verify their checksums")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    args = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name that is no text must not end a session
    try:
        return int(args.function(args))
    except VoicelaneError as problem:
        print(f"voicelane: {one_line(str(problem))}", file=sys.stderr)
    except OSError as problem:
        print(one_line(f"voicelane: {problem.filename or 'system'}: {problem.strerror}"), file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 2


if __name__ == "__main__":
    sys.exit(main())
