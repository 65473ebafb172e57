"""`voicelane verify`: is this the voice of an enrolled person?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from engine.audio.sources import ArraySource, FileSource, MicrophoneSource
from engine.calibration import Calibration, find_calibration
from engine.config import PipelineConfig
from engine.enrolment import LONGEST_S, Enroller, in_space, mono
from engine.errors import AudioError, ConfigError
from engine.events import Event, Verification
from engine.live import LiveSession
from engine.options import add_command, add_models, config_of, source_of
from engine.people import Person, mean_voice
from engine.people_commands import open_store
from engine.pipeline import Pipeline
from engine.stages.verifier import LiveVerifier, Verifier
from engine.timebase import samples

ACCEPTED, REJECTED = 0, 1
MICROPHONE_S, POLL_S = 10.0, 0.1
FALSE_ACCEPTS = (0.1, 1.0, 5.0)


def verify(args: argparse.Namespace) -> int:
    """`voicelane verify`: 0 if the voice is accepted, 1 if it is rejected."""
    if args.seconds is not None and not 0.5 <= args.seconds <= LONGEST_S:
        raise ConfigError(f"--seconds {args.seconds:g}: expected 0.5 … {LONGEST_S:.0f}")
    config, store = config_of(args), open_store()
    enroller = Enroller(config)
    calibration = find_calibration(config.encoder.model, enroller.space)
    person = in_space(store, store.profile(args.name), enroller).person()
    verifier = Verifier(person, calibration, args.false_accepts)
    source = source_of(args.source)
    try:
        if isinstance(source, MicrophoneSource):
            found = _live(source, Pipeline(config, verifier=verifier), args.seconds or MICROPHONE_S)
        elif args.live:
            found = _live(_cut(source, args.seconds), Pipeline(config, verifier=verifier), LONGEST_S)
        else:
            found = _at_once(_cut(source, args.seconds), enroller, person, verifier)
    finally:
        source.close()
    print(_verdict(found, calibration, args.false_accepts))
    return ACCEPTED if found.accepted else REJECTED


def _cut(source: FileSource, longest_s: float | None) -> ArraySource:
    """A file, or its first seconds."""
    cut = ArraySource(mono(source)[: samples(longest_s or LONGEST_S)])
    cut.name = source.name
    return cut


def _at_once(source: ArraySource, enroller: Enroller, person: Person, verifier: Verifier) -> Verification:
    """The evidence of a whole file."""
    heard = enroller.listen(source).recording
    evidence = verifier.calibration.compare(mean_voice(person.embeddings), heard.embedding, heard.speech_s)
    end = samples(source.duration_s or 0.0)
    found = Verification(end, person.name, *evidence, heard.speech_s, evidence.llr >= verifier.threshold)
    print(_line(found))
    return found


def _live(source: ArraySource | MicrophoneSource, pipeline: Pipeline, longest_s: float) -> Verification:
    """The evidence as it grows, and the last of it."""
    pipeline.warm_up()
    if isinstance(source, MicrophoneSource):
        print(f"speak now, for {longest_s:g} s; Ctrl-C ends", flush=True)
    sink = EvidenceSink()
    session = LiveSession(source, pipeline, [sink])
    try:
        session.start()
        while not session.wait(POLL_S) and pipeline.heard_samples < samples(longest_s):
            pass
    except KeyboardInterrupt:
        print("stopped; what was heard so far decides", file=sys.stderr)
    session.stop()
    if sink.latest is None:
        raise AudioError(f"{source.name}: no speech was found in it; is the right microphone connected?")
    return sink.latest


class EvidenceSink:
    """A line for every `Verification`; the latest one is kept."""

    def __init__(self) -> None:
        self.latest: Verification | None = None

    def put(self, event: Event) -> None:
        if isinstance(event, Verification):
            self.latest = event
            print(_line(event), flush=True)

    def close(self) -> None:
        """Nothing to close."""


def _line(found: Verification) -> str:
    return (
        f"{found.heard_s:6.1f} s of speech, score {found.score:6.2f}, "
        f"log-likelihood ratio {found.llr:+6.2f} {'accept' if found.accepted else 'reject'}"
    )


def _verdict(found: Verification, calibration: Calibration, false_accepts: float) -> str:
    return (
        f"{'ACCEPT' if found.accepted else 'REJECT'} {found.name}: log-likelihood ratio {found.llr:+.2f}, "
        f"threshold {calibration.threshold(false_accepts):+.2f} for {false_accepts:g} % false accepts, "
        f"from {calibration.n_strangers:,} comparisons of {calibration.n_voices} strangers"
    )


def live_verifier(config: PipelineConfig, people: Sequence[Person], false_accepts: float) -> LiveVerifier:
    """The evidence for each speaker of a stream, at a rate in percent."""
    return LiveVerifier(people, find_calibration(config.encoder.model, Enroller(config).space), false_accepts)


def add_verify(commands: Any) -> None:
    command = add_command(commands, verify, "tell whether a voice is that of an enrolled person")
    command.add_argument("name", metavar="NAME", help="of the enrolled person")
    command.add_argument(
        "source", metavar="FILE|mic", help="sound of one person alone: a file, `mic`, or `mic:NAME`"
    )
    command.add_argument(
        "--false-accepts",
        type=float,
        choices=FALSE_ACCEPTS,
        default=1.0,
        help="percent of strangers to accept (default 1)",
    )
    command.add_argument(
        "--seconds",
        type=float,
        help=f"listen no longer (default: a file whole, the microphone {MICROPHONE_S:.0f} s)",
    )
    command.add_argument("--live", action="store_true", help="show how the evidence of a file grows")
    add_models(command)
