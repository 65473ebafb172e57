"""`python -m bench COMMAND`: every number of the README comes from one of these."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import engine
from bench.results import printed, sign
from engine import EnhancerConfig

DEMO = Path(engine.__file__).parent / "demo" / "conversation.opus"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def parser() -> argparse.ArgumentParser:
    """All commands; each module has a `measure(args)`."""
    top = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)

    vad = _command(commands, "vad", "frame error of our detector, webrtcvad and silero-vad")
    vad.add_argument("--audio", type=Path, default=CORPUS / "conversations/dev", help="sound and RTTM files")
    vad.add_argument("--noise", type=Path, default=CORPUS / "noise/dev", help="folder of noise recordings")
    vad.add_argument("--snr", type=float, nargs="*", default=[20, 10, 5, 0], help="dB, for clean files")
    vad.add_argument("--config", type=Path, help="TOML settings of the engine")
    vad.add_argument("--without-silero", action="store_true")

    verification = _command(commands, "verification", "EER, minDCF and Cllr of the encoder on a trial list")
    verification.add_argument(
        "--trials", type=Path, default=CORPUS / "trials/english.trials", help="lines of `1|0 file file`"
    )
    verification.add_argument("--root", type=Path, default=CORPUS, help="folder that the files are below")
    verification.add_argument(
        "--noise", type=Path, help="TSV that fixes the noise (default: <trials>.noise.tsv)"
    )
    verification.add_argument("--snr", type=float, help="dB of the noise clip")
    verification.add_argument("--babble", type=float, help="dB of the babble, instead of noise")
    verification.add_argument("--first-s", type=float, help="only the first seconds of each file")
    verification.add_argument(
        "--every", type=int, default=1, help="only the trials between every n-th file, for quick runs"
    )
    verification.add_argument(
        "--encoder", action="append", help="name or folder of an encoder (with --compare: once for each)"
    )
    verification.add_argument("--config", type=Path, help="TOML settings of the engine")

    verification.add_argument(
        "--compare", action="store_true", help="all conditions of --root's trials, beside the peers"
    )
    verification.add_argument("--campplus", type=Path, help="`python -m rt_models.export campplus` made it")
    verification.add_argument("--resemblyzer", action="store_true", help="needs the `peers` extra")
    verification.add_argument("--plot", type=Path, help="DET plot to write with --compare, PNG")
    verification.add_argument("--jobs", type=int, default=1, help="processes of --compare")

    diarisation = _command(commands, "diarisation", "DER and JER on a folder of sound and RTTM files")
    diarisation.add_argument(
        "--audio", type=Path, default=CORPUS / "conversations/dev", help="folder of sound"
    )
    diarisation.add_argument(
        "--reference", type=Path, help="folder of RTTM files (default: that of the sound)"
    )
    diarisation.add_argument("--config", type=Path, help="TOML settings of the engine")

    diarisation.add_argument(
        "--compare", type=Path, metavar="FOLDER", help="also run the systems whose environments lie there"
    )

    tune = _command(commands, "tune", "search the diariser's settings, with cross-validation")
    tune.add_argument("--audio", type=Path, default=CORPUS / "conversations/dev", help="sound and RTTM files")
    tune.add_argument("--reference", type=Path, help="folder of RTTM files (default: that of the sound)")
    tune.add_argument("--config", type=Path, help="TOML settings to begin with")
    tune.add_argument("--trials", type=int, default=64)
    tune.add_argument("--folds", type=int, default=4)
    tune.add_argument("--out", type=Path, help="TOML to write, for --config")

    environment = _command(commands, "environment", "install a system to compare with")
    environment.add_argument("system", choices=["diart", "senko", "sherpa", "small"])
    environment.add_argument("--out", type=Path, required=True, help="folder of environments")

    enhancer = _command(commands, "enhancer", "EER, cost and DER with and without the embedding enhancers")
    enhancer.add_argument("--root", type=Path, default=CORPUS, help="folder of trials and their files")
    enhancer.add_argument("--encoder", default="conv_transformer", help="name or folder of an encoder")
    enhancer.add_argument(
        "--conversations", type=Path, default=CORPUS / "conversations/dev", help="sound and RTTM files"
    )
    enhancer.add_argument("--vectors", type=Path, help="folder that keeps the raw embeddings for another run")
    enhancer.add_argument("--trainings", type=Path, help="folder of WHAT/SEED/METHOD_ENCODER, more networks")
    enhancer.add_argument("--jobs", type=int, default=1, help="processes that embed")

    latency = _command(commands, "latency", "time per stage and frame, real-time factor, sound to label")
    latency.add_argument("--audio", type=Path, default=DEMO, help="sound file, or a folder of them")
    latency.add_argument("--enhancer", default=EnhancerConfig().model, help="off, seed, mlp or a folder")
    latency.add_argument("--frames", type=int, default=10_000, help="20 ms pushes to time")
    latency.add_argument("--repeats", type=int, default=5, help="runs at full speed")
    latency.add_argument("--live-s", type=float, default=60.0, help="seconds to play at real time")

    live = _command(
        commands, "live", "through a microphone at real time: capture to label, jitter, start-up, load"
    )
    live.add_argument("--audio", type=Path, default=DEMO, help="sound file with its RTTM, or a folder")
    live.add_argument("--files", type=int, default=100, help="only the first ones of the folder")
    live.add_argument("--repeats", type=int, default=3, help="times to play each")
    live.add_argument("--starts", type=int, default=5, help="processes to start")

    streams = _command(commands, "streams", "how many live streams one core and all cores carry")
    streams.add_argument("--audio", type=Path, default=DEMO, help="sound file")
    streams.add_argument("--deadlines-ms", type=float, nargs="+", default=[20, 100], help="for the p99")
    streams.add_argument("--length-s", type=float, default=20.0, help="of each try, in real time")
    streams.add_argument("--repeats", type=int, default=5, help="runs at full speed")

    soak = _command(commands, "soak", "hours of sound: memory, files, threads, time per step, speakers")
    soak.add_argument("--audio", type=Path, default=DEMO, help="sound file with its RTTM, repeated")
    soak.add_argument("--hours", type=float, default=8.0, help="of sound, as fast as it goes")
    soak.add_argument("--minutes", type=float, default=15.0, help="at real time")

    scale = _command(commands, "scale", "cost of a second of sound with ever more people")
    scale.add_argument("--manifest", type=Path, default=CORPUS / "manifest.tsv", help="file, split, speaker")
    scale.add_argument("--split", default="dev")
    scale.add_argument("--speakers", type=int, nargs="+", default=[2, 5, 10, 20, 50])
    scale.add_argument("--length-s", type=float, default=600.0, help="of each conversation")

    peers = _command(commands, "peers", "other systems and ours side by side: errors, time, memory, start-up")
    peers.add_argument("--environments", type=Path, required=True, help="what `environment` made")
    peers.add_argument(
        "--audio", type=Path, default=CORPUS / "conversations/dev", help="sound and RTTM files"
    )
    peers.add_argument("--files", type=int, default=3, help="so many of them")
    peers.add_argument("--repeats", type=int, default=5)
    peers.add_argument("--trials", type=Path, help="trial list, for the encoders")
    peers.add_argument("--root", type=Path, default=CORPUS, help="folder that its files are below")
    peers.add_argument("--every", type=int, default=4, help="only every n-th of its files")

    picture = _command(commands, "picture", "draw the bundled conversation as the engine hears it")
    picture.add_argument("--audio", type=Path, default=DEMO, help="sound file with an RTTM beside it")
    picture.add_argument("--out", type=Path, default=Path("docs/demo.png"), help="PNG to write")

    gui = _command(commands, "gui", "paint time, event to picture, and a blocked window, of the desktop app")
    gui.add_argument("--hours", type=float, default=2.0, help="of history")
    gui.add_argument("--speakers", type=int, default=6)
    gui.add_argument("--paints", type=int, default=300, help="pictures of each kind")
    gui.add_argument(
        "--sizes", nargs="+", default=["1280x800", "2560x1440"], help="of the window, WIDTHxHEIGHT in pixels"
    )

    report = _command(commands, "report", "README.md's tables, plots and one HTML page from JSON results")
    report.add_argument("--readme", type=Path, default=Path("README.md"))
    report.add_argument("--results", type=Path, default=Path("docs/results"), help="folder of JSON files")
    report.add_argument("--out", type=Path, default=Path("docs/report.html"), help="plots lie beside it")
    report.add_argument("--run", metavar="TEXT", help="first run the tables' commands that hold this text")
    return top


def _command(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", type=Path, help="write the result here")
    command.add_argument("--seed", type=int, default=0)
    return command


def main() -> None:
    args = parser().parse_args()
    with printed() as said:
        import_module(f"bench.{args.command}").measure(args)
    if args.json:
        sign(args.json, sys.argv[1:], "".join(said))


if __name__ == "__main__":
    main()
