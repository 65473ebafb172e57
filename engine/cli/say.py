"""`voicelane say`: text as speech, in the voice of a consenting person, of a recording, or of nobody."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError
from voicelane.base.files import read_text
from voicelane.base.timebase import seconds
from voicelane.cli.options import add_command, add_models, add_plain, config_of
from voicelane.cli.people import open_store

if TYPE_CHECKING:
    from voicelane.config import PipelineConfig
    from voicelane.voices.voice import Voice

MOST_BYTES = 1 << 20


def say(args: argparse.Namespace) -> int:
    """`voicelane say`: a text into a file."""
    from voicelane.voices.fitting import Fitter
    from voicelane.voices.speaking import Speaker
    from voicelane.voices.speech import check_speed, checked_text, engine_for
    from voicelane.voices.synthetic import check_output, synthetic_file
    from voicelane.voices.targets import whose
    from voicelane.voices.world import world

    check_speed(args.speed)
    check_output(args.out)
    world()
    engine = engine_for(args.language, args.engine)
    text, config = checked_text(given_text(args.text), engine), config_of(args)
    voice = chosen_voice(args, config)
    speaker = Speaker(engine, voice, Fitter(config, args.plain))
    with synthetic_file(args.out, whose(voice)) as file:
        for sound in speaker.speak(text, args.speed):
            file.write(sound)
    print(f"{args.out}: {seconds(file.written_samples):.1f} s of speech, {whose(voice)}")
    return 0


def given_text(text: str) -> str:
    """The text itself, or that of a file of this name; raises `ConfigError`."""
    path = Path(text)
    try:
        is_file = len(text) < 4_096 and "\n" not in text and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return text
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"{path}: a text of more than a megabyte is too long; say it in parts")
    try:
        return read_text(path)
    except ValueError:
        raise ConfigError(f"{path}: is no text; give a file of plain text") from None


def chosen_voice(args: argparse.Namespace, config: PipelineConfig) -> Voice:
    """The voice that was asked for; raises `StoreError` without consent."""
    from voicelane.profiles.enrolment import Enroller
    from voicelane.stages.calibration import find_calibration
    from voicelane.voices.targets import consenting_voice, pseudo_voice, reference_voice

    enroller = Enroller(config)
    if args.person:
        return consenting_voice(args.person, open_store(), enroller)
    if args.voice:
        return pseudo_voice(args.voice, enroller.space.encoder_id)
    calibration = find_calibration(config.encoder.model, enroller.space)
    return reference_voice(args.like, open_store(), enroller, calibration)


def add_say(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, say, "say a text in the voice of somebody who allows it, or of nobody")
    command.add_argument("text", metavar="TEXT|FILE", help="what to say, or a file with it")
    whose = command.add_mutually_exclusive_group(required=True)
    whose.add_argument("--as", dest="person", metavar="NAME", help="an enrolled person who consented to it")
    whose.add_argument("--like", type=Path, metavar="FILE", help="the voice of a recording of one person")
    whose.add_argument("--voice", metavar="NAME", help="one that `voicelane voices new` made")
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="wav, flac, ogg, opus or mp3, with the mark"
    )
    command.add_argument("--speed", type=float, default=1.0, help="0.5 … 2 (default 1)")
    command.add_argument(
        "--language",
        default="en",
        metavar="L",
        help="of the text; others than en need espeak-ng (default en)",
    )
    command.add_argument(
        "--engine", default="", metavar="NAME", help="a speech engine that a package plugs in"
    )
    add_plain(command)
    add_models(command)
