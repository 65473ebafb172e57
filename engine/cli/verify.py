"""`voicelane verify`: is this the voice of an enrolled person?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import AudioError, ConfigError
from voicelane.base.timebase import samples
from voicelane.cli.endings import ASKED_TO_END, Interrupted
from voicelane.cli.options import (
    FALSE_ACCEPTS,
    add_command,
    add_models,
    config_of,
    source_of,
    tell_remarks,
    tell_too_little,
)
from voicelane.cli.people import open_store

if TYPE_CHECKING:
    import numpy as np

    from voicelane.audio.sources import ArraySource, FileSource, MicrophoneSource
    from voicelane.config import PipelineConfig
    from voicelane.events import Event, Verification
    from voicelane.live.outbox import Sound
    from voicelane.profiles.enrolment import Enroller
    from voicelane.stages.calibration import Calibration
    from voicelane.stages.recogniser import Person
    from voicelane.stages.verifier import Verifier

ACCEPTED, REJECTED = 0, 1
MICROPHONE_S, POLL_S = 10.0, 0.1
RANDOM = "random"


def verify(args: argparse.Namespace) -> int:
    """`voicelane verify`: 0 if the voice is accepted, 1 if it is rejected."""
    if args.challenge is not None:
        return _challenge(args)
    from voicelane.audio.sources import MicrophoneSource
    from voicelane.profiles.enrolment import LONGEST_S, Enroller, in_space
    from voicelane.stages.calibration import find_calibration
    from voicelane.stages.verifier import Verifier

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
            found = _live(source, config, verifier, args.seconds or MICROPHONE_S)
        elif args.live:
            found = _live(_cut(source, args.seconds), config, verifier, LONGEST_S)
        else:
            found = _at_once(_cut(source, args.seconds), enroller, person, verifier)
    finally:
        tell_remarks(source)
        source.close()
    tell_too_little(source.name, found.heard_s)
    print(_verdict(found, calibration, args.false_accepts))
    return ACCEPTED if found.accepted else REJECTED


def _challenge(args: argparse.Namespace) -> int:
    """0 if the right voice says the digits that are asked for, in time, else 1."""
    from voicelane.profiles.enrolment import Enroller, in_space
    from voicelane.stages.calibration import find_calibration
    from voicelane.stages.verifier import Verifier
    from voicelane.voices.challenge import outcome
    from voicelane.voices.digits import load_digit_reader

    config, store, asked = config_of(args), open_store(), _asked(args)
    enroller = Enroller(config)
    calibration = find_calibration(config.encoder.model, enroller.space)
    person = in_space(store, store.profile(args.name), enroller).person()
    verifier, reader = Verifier(person, calibration, args.false_accepts), load_digit_reader()
    sound = _answer(args, asked)
    found = outcome(enroller.listen(sound), asked, args.language, person, verifier, reader)
    if found.synthetic:
        _warn_of_mark(sound.name)
    print(f"{found.answer.sentence()}\n{_line(found.voice)}")
    print(_verdict(found.voice, calibration, args.false_accepts))
    if found.replayed:
        print("REJECT: the voice fits, the digits do not; a recording cannot answer what is asked for now")
    return ACCEPTED if found.accepted else REJECTED


def _asked(args: argparse.Namespace) -> list[int]:
    """The digits of `--challenge`, or four drawn now, which only a microphone can answer."""
    import numpy as np

    from voicelane.offline import is_microphone
    from voicelane.voices.challenge import N_DIGITS, draw_digits
    from voicelane.voices.digits import language_number, parse_digits

    language_number(args.language)
    if args.live:
        raise ConfigError("--challenge with --live: the answer is judged as a whole; leave out --live")
    if args.challenge == RANDOM:
        if not is_microphone(args.source):
            raise ConfigError(
                f"--challenge: {args.source} cannot answer digits that are drawn now; use `mic`, or say "
                'which digits it answers: --challenge "4 7 1 9"'
            )
        return draw_digits(np.random.default_rng())
    asked = parse_digits(args.challenge)
    if len(asked) != N_DIGITS:
        raise ConfigError(f"--challenge {args.challenge!r}: expected {N_DIGITS} digits")
    return asked


def _answer(args: argparse.Namespace, asked: list[int]) -> ArraySource:
    """What is said within the time limit, or what a file holds of it."""
    from voicelane.audio.sources import FileSource
    from voicelane.profiles.enrolment import record
    from voicelane.voices.challenge import ANSWER_S

    limit_s, source = args.seconds or ANSWER_S, source_of(args.source)
    try:
        if isinstance(source, FileSource):
            return _cut(source, limit_s)
        print(f"say within {limit_s:g} s, with pauses between: {'  '.join(map(str, asked))}", flush=True)
        heard = record(source, limit_s, lambda _: None)
        heard.name = source.name
        return heard
    finally:
        source.close()


def _cut(source: FileSource, longest_s: float | None) -> ArraySource:
    """A file, or its first seconds."""
    from voicelane.audio.sources import ArraySource
    from voicelane.profiles.enrolment import LONGEST_S, mono

    cut = ArraySource(mono(source)[: samples(longest_s or LONGEST_S)])
    cut.name = source.name
    return cut


def _at_once(source: ArraySource, enroller: Enroller, person: Person, verifier: Verifier) -> Verification:
    """The evidence of a whole file."""
    from voicelane.profiles.enrolment import verification_of

    heard = enroller.listen(source)
    _look_for_mark(source.name, [heard.sound])
    found = verification_of(heard, person, verifier)
    print(_line(found))
    return found


def _live(
    source: ArraySource | MicrophoneSource, config: PipelineConfig, verifier: Verifier, longest_s: float
) -> Verification:
    """The evidence as it grows, and the last of it."""
    from voicelane.audio.sources import MicrophoneSource
    from voicelane.offline import listen

    sink = EvidenceSink()
    session = listen(source, sinks=[sink], config=config, verifier=verifier, reconnect=False)
    if isinstance(source, MicrophoneSource):
        print(f"speak now, for {longest_s:g} s; Ctrl-C ends", flush=True)
    try:
        session.start()
        while not session.wait(POLL_S) and session.pipeline.heard_samples < samples(longest_s):
            pass
    except Interrupted as end:
        if end.status != ASKED_TO_END:
            session.stop()
            raise
        print("stopped; what was heard so far decides", file=sys.stderr)
    session.stop()
    _look_for_mark(source.name, sink.heard)
    if sink.latest is None:
        raise AudioError(f"{source.name}: no speech was found in it; is the right microphone connected?")
    return sink.latest


class EvidenceSink:
    """A line for every `Verification`; the latest one and the sound are kept."""

    def __init__(self) -> None:
        self.latest: Verification | None = None
        self.heard: list[np.ndarray] = []

    def hear(self, sound: Sound) -> None:
        """Kept for the search for a mark; never more than ten minutes."""
        self.heard.append(sound.samples)

    def put(self, event: Event) -> None:
        from voicelane.events import Verification

        if isinstance(event, Verification):
            self.latest = event
            print(_line(event), flush=True)

    def close(self) -> None:
        """Nothing to close."""


def _look_for_mark(name: str, sound: Iterable[np.ndarray]) -> None:
    """Warns where a computer made or changed the speech."""
    from voicelane.voices.watermark import heard_mark

    if heard_mark(sound).found:
        _warn_of_mark(name)


def _warn_of_mark(name: str) -> None:
    print(
        f"warning: {name} carries the mark of voicelane: a computer made or changed this speech, "
        "whoever it sounds like",
        file=sys.stderr,
    )


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
    command.add_argument(
        "--challenge",
        nargs="?",
        const=RANDOM,
        metavar="DIGITS",
        help="ask for four random digits, to be said within 8 s: no recording can answer; for a "
        "file, the digits that it should hold",
    )
    command.add_argument(
        "--language", default="en", metavar="en|ar", help="of the digits: English (default) or Arabic"
    )
    command.add_argument("--live", action="store_true", help="show how the evidence of a file grows")
    add_models(command)
