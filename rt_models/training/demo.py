"""Makes the bundled demo conversation from CC0 recordings of people that no model was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf

from voicelane import SAMPLE_RATE
from voicelane.base import FRAME_SAMPLES
from voicelane.rt_models.training.augment import equalise, simulate_room
from voicelane.rt_models.training.conversations import Conversation, ConversationConfig, converse, noisy
from voicelane.rt_models.training.data import read_audio, read_manifest


def make_demo(corpus: Path, out: Path, speakers: int = 3, seconds: float = 80.0, seed: int = 0) -> None:
    """`out`.opus and `out`.rttm: a simulated conversation in a room over a quiet hiss."""
    rng = np.random.default_rng(seed)
    clips: dict[str, list[str]] = {}
    for utterance in read_manifest(corpus / "manifest.tsv", "dev"):
        if utterance.corpus == "cv17-fr-en":  # Common Voice: CC0
            clips.setdefault(utterance.speaker, []).append(utterance.path)
    able = sorted(name for name, files in clips.items() if len(files) >= 7)
    chosen = rng.choice(able, speakers, replace=False)
    voices = {f"speaker{k + 1}": [read_audio(corpus / f) for f in clips[n]] for k, n in enumerate(chosen)}
    rooms = {name: simulate_room(rng) for name in voices}
    said = converse(voices, seconds, ConversationConfig(overlap=0.1), rng, rooms)
    hiss = equalise(rng.standard_normal(len(said.samples)), 12.0, rng)
    said = noisy(said, hiss, 25.0)
    sf.write(
        out.with_suffix(".opus"),
        0.5 * said.samples / np.abs(said.samples).max(),
        SAMPLE_RATE,
        format="OGG",
        subtype="OPUS",
        compression_level=0.85,
    )
    out.with_suffix(".rttm").write_text("\n".join(rttm_lines(said, out.stem)) + "\n")


def rttm_lines(said: Conversation, uri: str) -> list[str]:
    """The exact reference of a simulated conversation."""
    rows = []
    for name, active in said.active.items():
        edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(int), [0]))))
        for first, last in edges.reshape(-1, 2) * (FRAME_SAMPLES / SAMPLE_RATE):
            rows.append((first, f"SPEAKER {uri} 1 {first:.3f} {last - first:.3f} <NA> <NA> {name} <NA> <NA>"))
    return [line for _, line in sorted(rows)]
