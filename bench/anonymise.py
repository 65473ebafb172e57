"""Anonymised speech as the VoicePrivacy challenge judges it: who is still recognised, what is still
understood."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import ArraySource, Turn, listen, open_session, read_rttm
from voicelane.base import samples
from voicelane.bench.diarisation import annotation
from voicelane.bench.encoders import System, campplus, ours
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.scripted import conversation
from voicelane.bench.sound import read_mono
from voicelane.bench.trials import error_rates
from voicelane.bench.words import MODEL, recognised_words, words
from voicelane.voices import APART, N_DRAWN, Draw, Fitter, anonymise, converted, drawing, most_apart
from voicelane.words import Recogniser, recognise, shifted, word_errors

ENCODER = "conv_transformer"
PIECE_S = 5.0
ATTACKERS = ("none: as it was", "ignorant", "lazy-informed")
LEAST_S = 3.0
Embed = Callable[[np.ndarray], np.ndarray]


def add(commands: Any) -> None:
    """The `anonymise` command."""
    text = "who is recognised in anonymised speech, and what is understood of it"
    add = add_command(commands, "anonymise", measure, text).add_argument
    add("--corpus", type=Path, default=CORPUS, help="folder with manifest.tsv, of which `dev` is taken")
    add("--people", type=int, default=40, help="each with two recordings")
    add("--conversations", nargs="*", default=["cv-2spk-clean", "cv-3spk-clean"], help="of conversations/dev")
    add("--campplus", type=Path, help="CAM++ as a model folder, a second attacker's encoder")
    add("--model", default=MODEL, help="a Whisper model, by name or folder")
    add("--plain", action="store_true", help="pitch and formants are moved alone, without the network")
    add("--sentences", type=int, default=16, help="of the conversation whose words are known")


def measure(args: argparse.Namespace) -> Result:
    """EER in percent for each attacker; errors of words and turns before and after, in percent."""
    fitter, rng = Fitter(plain=args.plain), np.random.default_rng(args.seed)
    draw = drawing(fitter.encoder_id)
    systems = {"ours": ours(ENCODER)} | ({"CAM++": campplus(args.campplus)} if args.campplus else {})
    content: dict[str, Any] = {
        "people": args.people,
        "eer": privacy(pairs_of(args), fitter, draw, rng, systems),
        "conversations": [talk(args.corpus, name, fitter, draw, rng) for name in args.conversations],
        "words": understood(args, fitter, draw, rng),
    }
    return Result(content, tables(content))


def pairs_of(args: argparse.Namespace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two recordings of each of so many people that nothing was trained on."""
    lines = (args.corpus / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]
    own: dict[str, list[str]] = {}
    for name, split, _, speaker, length_s, *_ in (line.split("\t") for line in lines):
        if split == "dev" and float(length_s) >= LEAST_S:
            own.setdefault(speaker, []).append(name)
    people = sorted(speaker for speaker, names in own.items() if len(names) > 1)
    chosen = np.random.default_rng(args.seed).permutation(len(people))[: args.people]
    files = [own[people[i]] for i in chosen.tolist()]
    return [
        (read_mono(args.corpus / a)[: samples(PIECE_S)], read_mono(args.corpus / b)[: samples(PIECE_S)])
        for a, b, *_ in files
    ]


def privacy(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
    fitter: Fitter,
    draw: Draw,
    rng: np.random.Generator,
    systems: dict[str, System],
) -> dict[str, dict[str, float]]:
    """Encoder → attacker → EER in percent: enrolment and trial as they are, the trial anonymised, both.

    The lazy-informed attacker anonymises what is enrolled, too, with pseudo-voices of its own.
    """
    enrolled, tried = ([pair[i] for pair in pairs] for i in (0, 1))
    theirs, masked = ([nobody(sound, fitter, draw, rng) for sound in side] for side in (enrolled, tried))
    sides = dict(zip(ATTACKERS, ((enrolled, tried), (enrolled, masked), (theirs, masked)), strict=True))
    return {
        name: {attacker: eer(system.embed, *both) for attacker, both in sides.items()}
        for name, system in systems.items()
    }


def nobody(sound: np.ndarray, fitter: Fitter, draw: Draw, rng: np.random.Generator) -> np.ndarray:
    """A recording of one person with a pseudo-voice, as `anonymise` gives each speaker one."""
    reach = fitter.reach(sound)
    return converted(sound, fitter.change(reach, most_apart(draw(N_DRAWN, rng), [reach.own]), APART))


def eer(embed: Embed, enrolled: Sequence[np.ndarray], tried: Sequence[np.ndarray]) -> float:
    """In percent, everybody against everybody."""
    cosines = np.stack([embed(s) for s in enrolled]) @ np.stack([embed(s) for s in tried]).T
    same = np.eye(len(cosines), dtype=bool)
    return error_rates(cosines[same], cosines[~same])["eer"]


@dataclass(frozen=True)
class Conversation:
    """A recording before and after."""

    before: np.ndarray
    after: np.ndarray
    turns_before: list[Turn]
    turns_after: list[Turn]
    cpu_per_s: float


def masked(sound: np.ndarray, fitter: Fitter, draw: Draw, rng: np.random.Generator) -> Conversation:
    """A conversation heard, anonymised, and heard again."""
    with tempfile.TemporaryDirectory() as scratch:
        turns = heard(sound, Path(scratch) / "before")
        began_s = time.process_time()
        session = open_session(f"{scratch}/before")
        anonymise(session, Path(scratch) / "after", draw, rng, fitter)
        cpu_s = time.process_time() - began_s
        after = np.concatenate([*open_session(f"{scratch}/after").sound()])
        again = heard(after, Path(scratch) / "again")
    return Conversation(sound, after, turns, again, cpu_s / (len(sound) / 16_000))


def heard(sound: np.ndarray, folder: Path) -> list[Turn]:
    """Who speaks when."""
    with listen(ArraySource(sound), record=folder) as session:
        session.wait()
    turns = open_session(str(folder)).turns()
    return [Turn(t.speaker, t.start / 16_000, t.end / 16_000) for t in turns]


def talk(corpus: Path, name: str, fitter: Fitter, draw: Draw, rng: np.random.Generator) -> dict[str, Any]:
    """DER before and after in percent, and how distinct the voices still are."""
    path = corpus / "conversations/dev" / name
    reference = read_rttm(path.with_suffix(".rttm"))
    found = masked(read_mono(path.with_suffix(".opus")), fitter, draw, rng)
    distinct = [distinctness(sound, reference, fitter) for sound in (found.before, found.after)]
    return {
        "name": name,
        "der_before": error(reference, found.turns_before),
        "der_after": error(reference, found.turns_after),
        "distinctiveness_gain_db": round(10 * float(np.log10(max(distinct[1], 1e-9) / distinct[0])), 2),
        "cpu_per_s": round(found.cpu_per_s, 3),
    }


def error(reference: Sequence[Turn], turns: Sequence[Turn]) -> float:
    """DER in percent, no collar, overlap scored."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    rate = DiarizationErrorRate()(annotation(list(reference)), annotation(list(turns)))
    return round(100 * float(rate), 2)


def distinctness(sound: np.ndarray, reference: Iterable[Turn], fitter: Fitter) -> float:
    """How much more alike two halves of what a person says are than what two people say: the dominance of the
    diagonal of the matrix of similarities (Noé et al. 2020)."""
    said: dict[str, list[np.ndarray]] = {}
    for turn in reference:
        said.setdefault(turn.speaker, []).append(sound[samples(turn.start) : samples(turn.end)])
    whole = [np.concatenate(parts)[: samples(20.0)] for parts in said.values()]
    halves = [(fitter.embed(s[: len(s) // 2]), fitter.embed(s[len(s) // 2 :])) for s in whole]
    cosines = np.stack([a for a, _ in halves]) @ np.stack([b for _, b in halves]).T
    same = np.eye(len(cosines), dtype=bool)
    return abs(float(cosines[same].mean() - cosines[~same].mean()))


def understood(
    args: argparse.Namespace, fitter: Fitter, draw: Draw, rng: np.random.Generator
) -> dict[str, float]:
    """WER in percent before and after."""
    said = conversation(3, args.sentences, np.random.default_rng([args.seed, 1]), 0.0)
    found, recogniser = masked(said.sound, fitter, draw, rng), Recogniser(args.model, "en")
    wanted = words(said.said)

    def wer(sound: np.ndarray) -> float:
        pieces = recognise([sound], [(0, len(sound))], recogniser.hear)
        heard_words = [
            w
            for start, piece in pieces
            for word in shifted(piece.words, start)
            for w in recognised_words(word)
        ]
        return round(100 * word_errors(wanted, heard_words) / len(wanted), 2)

    return {"n": len(wanted), "wer_before": wer(found.before), "wer_after": wer(found.after)}


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """Privacy, then use."""
    rows: list[list[Cell]] = [[name, *row.values()] for name, row in found["eer"].items()]
    privacy_table = table(
        ["attacker's encoder", *ATTACKERS], rows, "EER %", f"{found['people']} people, each against each"
    )
    talks: list[list[Cell]] = [list(row.values()) for row in found["conversations"]]
    header = ["conversation", "DER % before", "after", "gain of voice distinctiveness, dB", "CPU s per s"]
    told = found["words"]
    note = f"{told['n']} words: WER {told['wer_before']:.2f} % before, {told['wer_after']:.2f} % after"
    return privacy_table, table(header, talks, "Use", note)
