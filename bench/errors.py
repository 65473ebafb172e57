"""Where the errors of a diarisation come from: every frame of 20 ms that is wrong, by its cause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from voicelane import Turn

FRAMES_PER_S = 50
CAUSES = {
    "missed": "speech that nobody has",
    "missed overlap": "the second voice of two at once",
    "false alarm": "somebody where nobody speaks",
    "extra voice": "two where one speaks",
    "late": "a person who has no label of its own yet",
    "merged": "a person who never gets one",
    "split": "a label that is nobody's: a person has two",
    "overlap": "one of two at once taken for somebody else",
    "confused": "one person taken for another",
}
COLOURS = dict(zip(CAUSES, ("C7", "C8", "C1", "C5", "C9", "C3", "C4", "C6", "k"), strict=True))


def activity(turns: Sequence[Turn], n_frames: int) -> tuple[list[str], np.ndarray]:
    """Names in order of appearance, and who speaks in which frame, bool (n_names, n_frames)."""
    names = list(dict.fromkeys(t.speaker for t in sorted(turns, key=lambda t: t.start)))
    spoken = np.zeros((len(names), n_frames), bool)
    for turn in turns:
        first, last = round(turn.start * FRAMES_PER_S), round(turn.end * FRAMES_PER_S)
        spoken[names.index(turn.speaker), first:last] = True
    return names, spoken


def paired(reference: np.ndarray, hypothesis: np.ndarray) -> np.ndarray:
    """The person (row of `reference`) that each label stands for, by common speech; −1 for nobody."""
    common = hypothesis.astype(int) @ reference.T.astype(int)
    labels, people = linear_sum_assignment(-common)
    found = np.full(len(hypothesis), -1)
    found[labels] = np.where(common[labels, people] > 0, people, -1)
    return found


def causes(reference: np.ndarray, hypothesis: np.ndarray) -> dict[str, np.ndarray]:
    """How many voices of each frame are wrong for each cause, int (n_frames,), of activities (n, n_frames).

    Without a collar and with overlap, so that they sum to the diarisation error.
    """
    owner = paired(reference, hypothesis)
    right = np.zeros(reference.shape[1], int)
    for label, person in enumerate(owner):
        if person >= 0:
            right += reference[person] & hypothesis[label]
    wanted, given = reference.sum(axis=0), hypothesis.sum(axis=0)
    missed, extra = np.maximum(wanted - given, 0), np.maximum(given - wanted, 0)
    confused = np.minimum(wanted, given) - right
    found = {
        "missed": np.where(given == 0, missed, 0),
        "missed overlap": np.where(given > 0, missed, 0),
        "false alarm": np.where(wanted == 0, extra, 0),
        "extra voice": np.where(wanted > 0, extra, 0),
    }
    return found | _confusion(reference, hypothesis, owner, confused)


def _confusion(
    reference: np.ndarray, hypothesis: np.ndarray, owner: np.ndarray, confused: np.ndarray
) -> dict[str, np.ndarray]:
    """The confused voices by their causes, the first that applies."""
    wrong = np.zeros_like(reference)  # people who speak and do not have their own label
    split = np.zeros(reference.shape[1], bool)
    met = np.full(len(reference), reference.shape[1])
    for label, person in enumerate(owner):
        if person < 0:
            split |= hypothesis[label]
            continue
        wrong[person] |= reference[person] & ~hypothesis[label]
        met[person] = int(np.argmax(hypothesis[label]))
    nameless = np.setdiff1d(np.arange(len(reference)), owner)
    wrong[nameless] = reference[nameless]
    late = (wrong & (np.arange(reference.shape[1]) < met[:, None])).any(axis=0)
    tests = {
        "overlap": reference.sum(axis=0) > 1,
        "merged": wrong[nameless].any(axis=0) & ~split,
        "late": late,
        "split": split,
        "confused": np.ones(reference.shape[1], bool),
    }
    left, found = confused > 0, {}
    for name, applies in tests.items():
        found[name] = np.where(left & applies, confused, 0)
        left = left & ~applies
    return {name: found[name] for name in CAUSES if name in found}


def shares(reference: Sequence[Turn], hypothesis: Sequence[Turn], length_s: float) -> dict[str, float]:
    """Percent of the reference's speech that is wrong for each cause."""
    n_frames = round(length_s * FRAMES_PER_S)
    (_, said), (_, given) = activity(reference, n_frames), activity(hypothesis, n_frames)
    total = max(1, int(said.sum()))
    return {name: round(100 * int(n.sum()) / total, 2) for name, n in causes(said, given).items()}


def draw(
    reference: Sequence[Turn], hypothesis: Sequence[Turn], length_s: float, title: str, path: Path
) -> None:
    """The labels beside the reference, and below them every error in the colour of its cause; a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    n_frames = round(length_s * FRAMES_PER_S)
    (people, said), (labels, given) = activity(reference, n_frames), activity(hypothesis, n_frames)
    owner = paired(said, given) if len(said) and len(given) else np.full(len(given), -1)
    rows = [(name, on, f"C{k % 10}") for k, (name, on) in enumerate(zip(people, said, strict=True))]
    rows += [
        (label, on, f"C{k % 10}" if k >= 0 else "lightgrey")
        for label, on, k in zip(labels, given, owner, strict=True)
    ]
    rows += [(name, n > 0, COLOURS[name]) for name, n in causes(said, given).items() if n.any()]
    figure, axes = plt.subplots(figsize=(14, 0.9 + 0.28 * len(rows)), layout="constrained")
    for row, (_, on, colour) in enumerate(rows):
        axes.broken_barh(_stretches(on), (row - 0.4, 0.8), color=colour)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes.axhline(len(people) - 0.5, color="k", lw=0.8)
    axes.axhline(len(people) + len(labels) - 0.5, color="k", lw=0.8)
    axes.set(xlim=(0, length_s), ylim=(len(rows) - 0.5, -0.5), xlabel="seconds", title=title)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _stretches(on: np.ndarray) -> list[tuple[float, float]]:
    """Start and length in seconds of each stretch of a bool array (n_frames,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(int), [0]))))
    return [(a / FRAMES_PER_S, (b - a) / FRAMES_PER_S) for a, b in edges.reshape(-1, 2)]
