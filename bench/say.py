"""Speech in somebody's voice: how like the person it is, whether it is taken for them, how well it is
understood."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelane import PipelineConfig
from voicelane.bench.anonymise import ENCODER, LEAST_S, pairs_of
from voicelane.bench.encoders import System, campplus, ours
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.scripted import SENTENCES
from voicelane.bench.trials import error_rates
from voicelane.bench.words import MODEL
from voicelane.config import EncoderConfig
from voicelane.voices import Engine, Fitter, Speaker, engine_for, measured_pitch_hz
from voicelane.words import Recogniser, Spoken, normalised, word_errors

WAYS = (("conv_transformer", "network"), ("conv_transformer", "plain"), ("lstm", "plain"))
"""Encoders whose embedding of a reference is what the speech is made from, and how it is made: by `network`
where that comes nearer, else pitch and formants are moved."""
LONG_TEXT = " ".join(SENTENCES)
SILENT_SAMPLES = 8_000
"""Before and behind what is recognised."""
WARM_UP = "One, two, three."


class Reference(NamedTuple):
    """What is known of the person whose voice is wanted."""

    embedding: np.ndarray
    pitch_hz: float


class Clone(NamedTuple):
    """What was said in a person's voice."""

    sound: np.ndarray
    text: str
    by_network: bool = False


def add(commands: Any) -> None:
    """The `say` command."""
    text = "how like a person speech in their voice is, and how well it is understood"
    add = add_command(commands, "say", measure, text).add_argument
    add("--corpus", type=Path, default=CORPUS, help="folder with manifest.tsv, of which `dev` is taken")
    add("--people", type=int, default=24, help=f"each with two recordings of {LEAST_S:g} s or more")
    add("--campplus", type=Path, help="CAM++ as a model folder: a second judge")
    add("--model", default=MODEL, help="a Whisper model, by name or folder")


def measure(args: argparse.Namespace) -> Result:
    """Cosines, EER and WER in percent, CPU seconds per second, seconds to the first sound."""
    pairs, engine = pairs_of(args), engine_for("en")
    judges = {"ours": ours(ENCODER)} | ({"CAM++": campplus(args.campplus)} if args.campplus else {})
    plain = np.concatenate([*Speaker(engine, None, Fitter()).speak(SENTENCES[0])])
    recogniser, found = Recogniser(args.model, "en"), {}
    for encoder, way in WAYS:
        clones, cpu_per_s = said(pairs, engine, encoder, way == "plain")
        judged = {judge: likeness(system, clones, pairs, plain) for judge, system in judges.items()}
        told = {"judges": judged, "wer": wer(clones, recogniser), "cpu_per_s": cpu_per_s}
        found[f"{encoder}, {way}"] = told | {"by_network": sum(c.by_network for c in clones)}
    texts = [Clone(np.concatenate([*Speaker(engine, None, Fitter()).speak(t)]), t) for t in SENTENCES[:12]]
    content = {
        "people": len(pairs),
        "conditioned": found,
        "wer_of_the_engine": wer(texts, recogniser),
        "first_sound_s": first_sound_s(pairs, engine),
    }
    return Result(content, tables(content))


def said(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], engine: Engine, encoder: str, plain: bool
) -> tuple[list[Clone], float]:
    """A sentence in the voice of each first recording, and CPU seconds per second of it."""
    fitter = Fitter(PipelineConfig(encoder=EncoderConfig(model=encoder)), plain)
    clones, began_s = [], time.process_time()
    for i, (reference, _) in enumerate(pairs):
        target = Reference(fitter.embed(reference), measured_pitch_hz(reference))
        text = SENTENCES[i % len(SENTENCES)]
        speaker = Speaker(engine, target, fitter)
        by_network = speaker.change is not None and speaker.change.clone is not None
        clones.append(Clone(np.concatenate([*speaker.speak(text)]), text, by_network))
    cpu_s = time.process_time() - began_s
    return clones, round(cpu_s / (sum(len(c.sound) for c in clones) / 16_000), 3)


def likeness(
    judge: System, clones: Sequence[Clone], pairs: Sequence[tuple[np.ndarray, np.ndarray]], plain: np.ndarray
) -> dict[str, float]:
    """Mean cosines of the clones, and the EER between clones and the second recordings of all people."""
    theirs = np.stack([judge.embed(second) for _, second in pairs])
    made, own = np.stack([judge.embed(c.sound) for c in clones]), judge.embed(plain)
    cosines, same = made @ theirs.T, np.eye(len(pairs), dtype=bool)
    return {
        "to_the_person": round(float(cosines[same].mean()), 3),
        "to_strangers": round(float(cosines[~same].mean()), 3),
        "to_the_engine": round(float((made @ own).mean()), 3),
        "engine_to_the_person": round(float((theirs @ own).mean()), 3),
        "eer": error_rates(cosines[same], cosines[~same])["eer"],
    }


def wer(clones: Sequence[Clone], recogniser: Recogniser) -> float:
    """In percent of the words; what the recogniser says over and over counts once."""
    wrong = n_words = 0
    for clone in clones[:12]:
        heard = "".join(word.text for word in recogniser.hear(np.pad(clone.sound, SILENT_SAMPLES)).words)
        wanted = normalised(clone.text)
        wrong += word_errors([*map(Spoken, wanted)], [*map(Spoken, once(normalised(heard)))])
        n_words += len(wanted)
    return round(100 * wrong / n_words, 2)


def once(words: Sequence[str]) -> Sequence[str]:
    """Words without the repetition of all of them: Whisper runs in circles at times."""
    for period in range(3, len(words) - 2):
        if all(a == b for a, b in zip(words, words[period:], strict=False)):
            return words[:period]
    return words


def first_sound_s(pairs: Sequence[tuple[np.ndarray, np.ndarray]], engine: Engine) -> float:
    """From a long text to the first sound in another voice, models loaded; wall clock."""
    fitter = Fitter()
    target = Reference(fitter.embed(pairs[0][0]), measured_pitch_hz(pairs[0][0]))
    for _ in Speaker(engine, target, fitter).speak(WARM_UP):
        pass
    began_s = time.monotonic()
    next(Speaker(engine, target, fitter).speak(LONG_TEXT))
    return round(time.monotonic() - began_s, 3)


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    rows: list[list[Cell]] = [
        [*name.split(", "), judge, *row.values(), told["wer"], told["cpu_per_s"]]
        for name, told in found["conditioned"].items()
        for judge, row in told["judges"].items()
    ]
    header = ["conditioned by", "way", "judge", "cosine to the person", "to strangers"]
    header += ["to the engine's voice", "engine's voice to the person", "EER %", "WER %", "CPU s per s"]
    by_network = {name: told["by_network"] for name, told in found["conditioned"].items()}
    notes = (
        f"{found['people']} people whom nothing was trained on; WER of the engine's own voice "
        f"{found['wer_of_the_engine']:.2f} %; a sentence that the recogniser repeats counts once",
        f"by the network, where it was nearer: {by_network['conv_transformer, network']} of the people",
        f"first sound of a long text after {found['first_sound_s']:.2f} s",
    )
    return (table(header, rows, "", *notes),)
