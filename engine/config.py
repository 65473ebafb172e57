"""Settings as frozen dataclasses with units, read from and written to TOML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import tomli_w

from engine.errors import ConfigError
from engine.settings import read_settings


@dataclass(frozen=True)
class VadConfig:
    """Voice activity detection."""

    model: str = "vad"
    """Name of an installed model of kind `vad`, or a folder."""
    noisy_threshold: float = 0.35
    """Speech probability that starts speech at 10 dB SNR and below."""
    clean_threshold: float = 0.15
    """Speech probability that starts speech at 40 dB SNR and above; between the two it is linear."""
    release: float = 0.05
    """Speech goes on while the probability is at most this far below the threshold."""
    onset_frames: int = 2
    """Frames of 20 ms in a row that start speech."""
    pre_roll_frames: int = 1
    """Frames before the first of them that belong to the speech too."""
    hangover_frames: int = 1
    """Frames after the last one that belong to the speech too."""

    def problems(self) -> list[str]:
        return [
            *_outside("vad.noisy_threshold", self.noisy_threshold, 0.01, 0.99),
            *_outside("vad.clean_threshold", self.clean_threshold, 0.01, 0.99),
            *_outside("vad.release", self.release, 0.0, 0.9),
            *_outside("vad.onset_frames", self.onset_frames, 1, 25),
            *_outside("vad.pre_roll_frames", self.pre_roll_frames, 0, 25),
            *_outside("vad.hangover_frames", self.hangover_frames, 0, 100),
        ]


@dataclass(frozen=True)
class EncoderConfig:
    """Speaker embeddings of the running speech."""

    model: str = "conv_transformer"
    """Name of an installed model of kind `encoder`, or a folder."""
    window_s: float = 1.6
    """Speech behind one embedding."""
    step_s: float = 0.24
    """Speech between two embeddings; multiples of 40 ms waste nothing of the shipped encoder's tokens."""
    first_s: float = 0.76
    """Speech behind the first embedding of a segment, which is shorter than a window."""
    threads: int = 1
    """Threads of ONNX Runtime."""

    def problems(self) -> list[str]:
        return [
            *_outside("encoder.window_s", self.window_s, 0.5, 10.0),
            *_outside("encoder.step_s", self.step_s, 0.02, 2.0),
            *_outside("encoder.first_s", self.first_s, 0.2, self.window_s),
            *_outside("encoder.threads", self.threads, 1, 64),
        ]


@dataclass(frozen=True)
class EnhancerConfig:
    """What makes embeddings of noisy speech more like those of clean speech."""

    model: str = "off"
    """`off`, `seed` (diffusion) or `mlp` (a plain network) for the encoder in use, or the folder of one."""
    steps: int = 0
    """DDIM steps of `seed`, of the numbers that the model ships; 0 takes the model's own choice."""
    draws: int = 8
    """Noises whose spread tells the confidence (`seed`)."""

    def problems(self) -> list[str]:
        return [
            *_outside("enhancer.steps", self.steps, 0, 50),
            *_outside("enhancer.draws", self.draws, 1, 64),
        ]


@dataclass(frozen=True)
class DiariserConfig:
    """Online clustering of embeddings into speakers; the cosines suit the shipped encoder."""

    max_speakers: int = 20
    """No more than this many are created; the nearest one takes what is left."""
    new_speaker: float = 0.15
    """Cosine to every known speaker below which a voice is new."""
    update: float = 0.36
    """Cosine to its speaker above which an embedding moves the centroid."""
    enough_s: float = 1.6
    """Speech of one voice that is enough to make a speaker of it."""
    agreement: float = 0.33
    """Mean cosine among the embeddings of that speech."""
    continuity: float = 0.12
    """Cosine by which another speaker must be nearer before the turn changes hands."""
    confirm_s: float = 1.6
    """Speech after a moment that its label waits for before it is final."""
    known: float = 0.45
    """Cosine to an enrolled person from which a speaker is taken for that person."""

    def problems(self) -> list[str]:
        return [
            *_outside("diariser.max_speakers", self.max_speakers, 1, 1000),
            *_outside("diariser.new_speaker", self.new_speaker, -1.0, 1.0),
            *_outside("diariser.update", self.update, -1.0, 1.0),
            *_outside("diariser.enough_s", self.enough_s, 0.5, 30.0),
            *_outside("diariser.agreement", self.agreement, -1.0, 1.0),
            *_outside("diariser.continuity", self.continuity, 0.0, 1.0),
            *_outside("diariser.confirm_s", self.confirm_s, 0.25, 10.0),
            *_outside("diariser.known", self.known, -1.0, 1.0),
        ]


@dataclass(frozen=True)
class PipelineConfig:
    """Everything between the sound and the turns."""

    vad: VadConfig = field(default_factory=VadConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    enhancer: EnhancerConfig = field(default_factory=EnhancerConfig)
    diariser: DiariserConfig = field(default_factory=DiariserConfig)

    def __post_init__(self) -> None:
        if found := self.problems():
            raise ConfigError("; ".join(found))

    def problems(self) -> list[str]:
        parts = (self.vad, self.encoder, self.enhancer, self.diariser)
        return [p for part in parts for p in part.problems()]

    def to_toml(self) -> str:
        """The settings as TOML that `read_config` takes back."""
        return tomli_w.dumps(asdict(self))


def read_config(path: Path) -> PipelineConfig:
    """Settings from a TOML file; what it leaves out keeps its default."""
    return read_settings(path, PipelineConfig)


def _outside(name: str, value: float, low: float, high: float) -> list[str]:
    return [] if low <= value <= high else [f"{name} = {value}: expected {low} … {high}"]
