"""Spoken digits that nobody said: whether they are understood, how varied they are, what they cost; and the
challenge of `verify`: who passes it."""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, ArraySource, Enroller
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import read_mono
from voicelane.config import EncoderConfig
from voicelane.dsp import mel_picture, mel_sound, trimmed
from voicelane.inference import Model
from voicelane.stages import find_calibration
from voicelane.voices import LANGUAGES, DigitReader, DigitSpeaker, judge, load_digit_reader

PAUSE_S = (0.2, 0.5)
KINDS = ("spoken", "translated", "both")
SILENT = -0.98
"""A column that is quieter than this everywhere holds nothing."""
ENROLLED = 30
"""Digits of a person that are enrolled; the others answer."""
SNRS_DB, SHARES, ENHANCED_EACH = (0.0, 5.0, 10.0), (0.2, 0.4, 0.6), 4
"""Of noisy digits: levels, shares of the time that the diffusion begins at, and every how many-th digit."""
USUAL_STEPS, USUAL_GUIDANCE = 15, 2.0
"""Of one curve while the other is varied."""


def add(commands: Any) -> None:
    """The `digits` command."""
    text = "generated digits: accuracy, diversity, cost; and the challenge: who passes"
    add = add_command(commands, "digits", measure, text).add_argument
    add("--models", type=Path, nargs="*", default=[], help="model folders of `training digits`")
    add("--corpus", type=Path, default=CORPUS, help="folder with digits/digits.tsv")
    add("--each", type=int, default=10, help="drawn of each class")
    add("--steps", type=int, nargs="+", default=[50, 15, 8, 4])
    add("--guidance", type=float, nargs="+", default=[0.0, 1.0, 2.0, 4.0])
    add("--two-decoders", type=Path, nargs="*", default=[], help="folders of `training two-decoders`")
    add("--sentences", type=int, default=300, help="sequences of digits for these")
    add("--tries", type=int, default=20, help="challenges for each person")
    add("--plot", type=Path, help="PNG of accuracy against steps and guidance")


def measure(args: argparse.Namespace) -> Result:
    """All of it, read by a reader that heard neither the dev people nor what is drawn."""
    reader, real = load_digit_reader(), recordings(args.corpus, "dev")
    train = recordings(args.corpus, "train", every=4)
    about = {"real": real_figures(reader, real)}
    rng = np.random.default_rng(args.seed)
    drawn = {folder.name: sweep(folder, reader, train, args, rng) for folder in args.models}
    cleaned = {f.name: enhanced(f, reader, real[::ENHANCED_EACH], rng) for f in args.models}
    passed = challenges(real, reader, args, rng)
    sentences = {f.name: two_decoders(f, real, args.sentences) for f in args.two_decoders}
    if args.plot and drawn:
        plot(args.plot, drawn, about["real"])
    found = {**about, "drawn": drawn, "enhanced": cleaned, "challenge": passed, "sentences": sentences}
    return Result(found, tables(found))


def recordings(corpus: Path, split: str, every: int = 1) -> list[tuple[np.ndarray, int, str]]:
    """Sound, class and speaker of every `every`-th digit of a split."""
    with (corpus / "digits/digits.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t") if r["split"] == split][::every]
    numbers = [10 * LANGUAGES.index(r["language"]) + int(r["digit"]) for r in rows]
    return [(read_mono(corpus / r["file"]), k, r["speaker"]) for r, k in zip(rows, numbers, strict=True)]


def pictures(real: list[tuple[np.ndarray, int, str]]) -> np.ndarray:
    """Mel pictures of recordings."""
    return np.stack([mel_picture(trimmed(sound)) for sound, _, _ in real])


def accuracy(reader: DigitReader, made: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Percent of pictures of which the digit is read right, in each language."""
    found = {}
    for number, language in enumerate(LANGUAGES):
        own = classes // 10 == number
        if own.any():
            right = reader.read(made[own], language).argmax(axis=1) == classes[own] % 10
            found[language] = round(100 * float(right.mean()), 1)
    return found


def real_figures(reader: DigitReader, real: list[tuple[np.ndarray, int, str]]) -> dict[str, Any]:
    """Real digits of people whom the reader did not hear, as they are and through the picture and back."""
    classes, own = np.array([k for _, k, _ in real]), pictures(real)
    again = np.stack([mel_picture(mel_sound(p, np.random.default_rng(0))) for p in own[::5]])
    return {
        "as recorded": accuracy(reader, own, classes),
        "picture to sound and back": accuracy(reader, again, classes[::5]),
    }


def sweep(
    folder: Path,
    reader: DigitReader,
    train: list[tuple[np.ndarray, int, str]],
    args: argparse.Namespace,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Accuracy, diversity and cost over steps and over guidance, the other as usual."""
    model, known = DigitSpeaker(folder), reader.features(pictures(train))[1]
    classes, of_known = np.repeat(np.arange(20), args.each), np.array([k for _, k, _ in train])
    ways = [(steps, USUAL_GUIDANCE) for steps in args.steps]
    ways += [(USUAL_STEPS, w) for w in args.guidance if w != USUAL_GUIDANCE]
    found = {}
    for steps, weight in ways:
        started = time.process_time()
        made = model.draw(classes, rng, steps, weight)
        drawn_s = (time.process_time() - started) / len(made)
        features = reader.features(made)[1]
        found[f"{steps} steps, w = {weight:g}"] = {
            "accuracy": accuracy(reader, made, classes),
            "diversity": round(diversity(features, classes) / diversity(known, of_known), 2),
            "cpu_s": round(drawn_s, 3),
            "steps": steps,
            "guidance": weight,
        }
    return found


def enhanced(
    folder: Path, reader: DigitReader, real: list[tuple[np.ndarray, int, str]], rng: np.random.Generator
) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy of digits in noise, as they are and after the diffusion took it off, by level and way."""
    model, classes = DigitSpeaker(folder), np.array([k for _, k, _ in real])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for snr_db in SNRS_DB:
        noisy = np.stack([mel_picture(_noisy(trimmed(sound), snr_db, rng)) for sound, _, _ in real])
        rows = found.setdefault(f"{snr_db:g} dB", {"noisy": accuracy(reader, noisy, classes)})
        for share in SHARES:
            for way, guide in (("classifier-free", None), ("classifier-guided", reader)):
                made = np.empty_like(noisy)
                for number, language in enumerate(LANGUAGES):
                    own = classes // 10 == number
                    made[own] = model.enhance(noisy[own], rng, share, 4, guide, language)
                rows[f"{way}, from {share:g}"] = accuracy(reader, made, classes)
    return found


def _noisy(word: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """In white noise."""
    noise = rng.standard_normal(len(word))
    gain = np.sqrt(np.square(word).mean() / np.square(noise).mean() * 10 ** (-snr_db / 10))
    return np.asarray(word + gain * noise, np.float32)


def two_decoders(
    folder: Path, real: list[tuple[np.ndarray, int, str]], count: int
) -> dict[str, dict[str, float] | bool]:
    """Percent of sequences of 2 … 5 digits of a dev person that are written down right, as spoken and in the
    other language, by the language that was spoken."""
    model, rng = Model(folder), np.random.default_rng(0)
    columns = int(model.manifest.inputs["picture"][2])
    of = {
        k: [(p, c, w) for p, (_, c, w) in zip(pictures(real), real, strict=True) if c // 10 == k]
        for k in (0, 1)
    }
    found: dict[str, dict[str, float] | bool] = {"cross": bool(model.manifest.settings["cross"])}
    for number, language in enumerate(LANGUAGES):
        sequences = [sequence(of[number], columns, rng) for _ in range(count // 2)]
        whole = np.stack([picture for picture, _ in sequences])
        spoken, translated = written(model, whole)
        asked = [classes for _, classes in sequences]
        right = np.array(
            [
                (reads(a, c), reads(b, (c + 10) % 20))
                for a, b, c in zip(spoken, translated, asked, strict=True)
            ]
        )
        found[language] = {
            "spoken": round(100 * float(right[:, 0].mean()), 1),
            "translated": round(100 * float(right[:, 1].mean()), 1),
            "both": round(100 * float(right.all(axis=1).mean()), 1),
        }
    return found


def sequence(
    digits: list[tuple[np.ndarray, int, str]], columns: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A mel picture (64, columns) of digits of one person with pauses between, and their classes (n,)."""
    people = sorted({who for _, _, who in digits})
    own = [(p, k) for p, k, w in digits if w == people[int(rng.integers(len(people)))]]
    chosen = [own[i] for i in rng.choice(len(own), int(rng.integers(2, 6)))]
    whole, at = np.full((64, columns), -1.0, np.float32), 0
    for picture, _ in chosen:
        at += int(rng.integers(4, 17))
        silent = picture.max(axis=0) < SILENT
        length = min(len(silent) - int(np.argmin(silent[::-1])), columns - at)
        whole[:, at : at + length] = picture[:, :length]
        at += length
    return whole, np.array([k for _, k in chosen])


def written(model: Model, whole: np.ndarray) -> list[np.ndarray]:
    """The likeliest tokens of both decoders, word by word, int64 (n, places) twice."""
    words, places = int(model.manifest.settings["words"]), int(model.manifest.inputs["spoken"][1])
    told = [np.full((len(whole), places + 1), words, np.int64) for _ in range(2)]
    for at in range(places):
        given = model.run(picture=whole, spoken=told[0][:, :-1], translated=told[1][:, :-1])
        for own, logits in zip(told, given, strict=True):
            own[:, at + 1] = logits[:, at].argmax(axis=1)
    return [own[:, 1:] for own in told]


def reads(tokens: np.ndarray, classes: np.ndarray) -> bool:
    """Whether tokens (places,) are these words (n,) and then the end."""
    n = len(classes)
    return bool((tokens[:n] == classes).all() and (tokens[n:] > 20).all())


def diversity(features: np.ndarray, classes: np.ndarray) -> float:
    """Mean distance of two digits of one class, in what the reader sees."""
    distances = []
    for k in np.unique(classes):
        x = features[classes == k]
        apart = np.linalg.norm(x[:, None] - x[None], axis=2)
        distances.append(apart[np.triu_indices(len(x), 1)].mean())
    return float(np.mean(distances))


def challenges(
    real: list[tuple[np.ndarray, int, str]],
    reader: DigitReader,
    args: argparse.Namespace,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Percent of answers that are let pass: the right person's, the same person's to another question (a
    replayed recording), and another person's to the right one."""
    enroller = Enroller()
    calibration = find_calibration(EncoderConfig().model, enroller.space)
    names = sorted({who for _, _, who in real})
    said = {who: [(s, k) for s, k, w in real if w == who] for who in names}
    order = {who: rng.permutation(len(x)) for who, x in said.items()}
    voices = {
        who: _heard(enroller, [said[who][i][0] for i in order[who][:ENROLLED]], rng)[0] for who in names
    }
    counts: dict[str, list[tuple[bool, bool]]] = {"right person": [], "replayed": [], "stranger": []}
    for who in names:
        number = said[who][0][1] // 10
        others = [n for n in names if n != who and said[n][0][1] // 10 == number]
        for _ in range(args.tries):
            asked = rng.permutation(10)[:4]
            for kind, speaker, digits in (
                ("right person", who, asked),
                ("replayed", who, rng.permutation(10)[:4]),
                ("stranger", str(rng.choice(others)) if others else "", asked),
            ):
                if not speaker:
                    continue
                words = [_word(said[speaker], order[speaker], 10 * number + int(d), rng) for d in digits]
                voice, sound, speech_s = _heard(enroller, words, rng)
                answer = judge(sound, [int(d) for d in asked], reader, LANGUAGES[number])
                llr = calibration.compare(voices[who], voice, speech_s).llr
                counts[kind].append((answer.right, llr >= calibration.threshold(5.0)))
    return {kind: _passed(rows) for kind, rows in counts.items()}


def _passed(rows: list[tuple[bool, bool]]) -> dict[str, float]:
    """Percent that pass by the digits, by the voice at 5 % false accepts, and by both."""
    found = np.array(rows, bool).reshape(-1, 2)
    shares = (found[:, 0], found[:, 1], found.all(axis=1))
    names = ("digits", "voice", "both")
    return {n: round(100 * float(s.mean()), 1) for n, s in zip(names, shares, strict=True)} | {
        "tries": len(rows)
    }


def _word(
    said: list[tuple[np.ndarray, int]], order: np.ndarray, wanted: int, rng: np.random.Generator
) -> np.ndarray:
    """A recording of a class that was not enrolled."""
    left = [said[i][0] for i in order[ENROLLED:] if said[i][1] == wanted] or [
        s for s, k in said if k == wanted
    ]
    return left[int(rng.integers(len(left)))]


def _heard(
    enroller: Enroller, words: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """The voice, the sound and the seconds of speech of words one after the other."""
    parts: list[np.ndarray] = [np.zeros(SAMPLE_RATE // 2, np.float32)]
    for word in words:
        level = trimmed(word) / max(float(np.abs(word).max()), 1e-6)
        parts += [0.3 * level, np.zeros(int(rng.uniform(*PAUSE_S) * SAMPLE_RATE), np.float32)]
    sound = np.concatenate(parts)
    sound = (sound + 3e-4 * rng.standard_normal(len(sound))).astype(np.float32)
    heard = enroller.listen(ArraySource(sound)).recording
    return heard.embedding, sound, heard.speech_s


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """Accuracy of real and drawn digits, and who passes the challenge."""
    rows: list[list[Cell]] = [["real", name, *_of(row), 1.0, None] for name, row in found["real"].items()]
    rows += [
        [model, way, *_of(row["accuracy"]), row["diversity"], f"{row['cpu_s']:.3f}"]
        for model, ways in found["drawn"].items()
        for way, row in ways.items()
    ]
    header = ["digits", "how", "English right %", "Arabic right %", "diversity", "CPU s/digit"]
    note = (
        "Read by the shipped reader; real digits are those of dev people. Diversity: mean distance of two "
        "digits of a class in what the reader sees, over that of training digits."
    )
    passed: list[list[Cell]] = [
        [kind, row["tries"], row["digits"], row["voice"], row["both"]]
        for kind, row in found["challenge"].items()
    ]
    names = ["answers of", "tries", "digits right %", "voice accepted % (at 5 %)", "both %"]
    sentences: list[list[Cell]] = [
        [name, "yes" if row["cross"] else "no", language, *(row[language][k] for k in KINDS)]
        for name, row in found["sentences"].items()
        for language in LANGUAGES
    ]
    heads = ["two decoders", "look at each other", "spoken", "as spoken %", "translated %", "both %"]
    told = "Sequences of 2 to 5 digits of dev people, every word of which is right."
    last = (table(heads, sentences, "Two decoders on one encoder", told),) if sentences else ()
    return (
        table(header, rows, "", note),
        *_enhanced_tables(found),
        table(names, passed, "The challenge"),
        *last,
    )


def _enhanced_tables(found: dict[str, Any]) -> list[Table]:
    rows: list[list[Cell]] = [
        [snr, way, *_of(row)]
        for of in found["enhanced"].values()
        for snr, ways in of.items()
        for way, row in ways.items()
    ]
    note = (
        "Dev people's digits in white noise, and after four steps from a share of the time on; read by the "
        "reader that also guides, which flatters the guided rows."
    )
    head = ["noise", "how", "English right %", "Arabic right %"]
    return [table(head, rows, "Digits in noise", note)] if rows else []


def _of(row: dict[str, float]) -> list[Cell]:
    return [row.get(language) for language in LANGUAGES]


Curve = list[tuple[float, float]]
"""What is varied, and the percentage read right."""


def curves(ways: dict[str, Any], language: str) -> tuple[Curve, Curve]:
    """Of a language: by steps at the usual guidance, and by guidance in the usual steps."""
    told = [(w["steps"], w["guidance"], w["accuracy"][language]) for w in ways.values()]
    return (
        sorted((steps, right) for steps, weight, right in told if weight == USUAL_GUIDANCE),
        sorted((weight, right) for steps, weight, right in told if steps == USUAL_STEPS),
    )


def plot(path: Path, drawn: dict[str, Any], real: dict[str, Any]) -> None:
    """Accuracy against steps, and against guidance; one line a model and language."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for name, ways in drawn.items():
        for language in LANGUAGES:
            label = f"{name}, {language}"
            for axes, points in zip((left, right), curves(ways, language), strict=True):
                axes.plot(*zip(*points, strict=True), "o-", label=label)
    for axes, label in (
        (left, f"steps of DDIM, w = {USUAL_GUIDANCE:g}"),
        (right, f"guidance w, {USUAL_STEPS} steps"),
    ):
        axes.axhline(real["as recorded"]["en"], color="#999999", ls="--", lw=1, label="real, en")
        axes.set(xlabel=label, ylim=(0, 102))
    left.set_ylabel("digits read right / %")
    left.legend(fontsize=8)
    figure.savefig(path, dpi=110)
