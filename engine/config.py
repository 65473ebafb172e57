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
    noisy_threshold: float = 0.45
    """Speech probability that starts speech at 10 dB SNR and below."""
    clean_threshold: float = 0.25
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
class SegmentationConfig:
    """Who of up to three voices speaks when within the last five seconds."""

    model: str = "segmentation"
    """Name of an installed model of kind `segmentation`, or a folder."""
    step_s: float = 0.48
    """Sound between two windows; multiples of 40 ms waste nothing of the shipped encoder's tokens."""
    glance_s: float = 0.24
    """Sound between two glances at who speaks now, which make tentative labels early and nothing else;
    `step_s` leaves them out."""
    linger_s: float = 2.4
    """Windows go on for so long after the last speech."""
    confirm_s: float = 1.26
    """Sound after a moment that its label waits for before it is final."""
    context_s: float = 1.2
    """Speech of a voice this far on either side of a moment tells whose it is."""
    least_s: float = 0.32
    """Speech of one voice alone that is embedded."""
    sure: float = 0.5
    """Probability from which a voice is taken to speak alone."""
    second: float = 0.3
    """Probability from which a voice may be a second one at the same time."""
    threads: int = 1
    """Threads of ONNX Runtime."""

    def problems(self) -> list[str]:
        return [
            *_outside("segmentation.step_s", self.step_s, 0.08, 2.0),
            *_outside("segmentation.glance_s", self.glance_s, 0.08, 2.0),
            *_outside("segmentation.linger_s", self.linger_s, 0.0, 5.0),
            *_outside("segmentation.confirm_s", self.confirm_s, 0.25, 4.0),
            *_outside("segmentation.context_s", self.context_s, 0.2, 5.0),
            *_outside("segmentation.least_s", self.least_s, 0.1, 3.0),
            *_outside("segmentation.sure", self.sure, 0.2, 0.99),
            *_outside("segmentation.second", self.second, 0.05, 0.9),
            *_outside("segmentation.threads", self.threads, 1, 64),
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
    new_speaker: float = 0.2
    """Cosine to every known speaker below which a voice is new."""
    update: float = 0.36
    """Cosine to its speaker above which an embedding is kept with what is known of the speaker."""
    agreement: float = 0.33
    """Cosine among the embeddings that make a new speaker."""
    enough_s: float = 1.5
    """Speech of one voice that is enough to make a speaker of it."""
    cache: int = 60
    """Embeddings that are kept of a speaker, the latest ones."""
    continuity: float = 0.05
    """Cosine by which another speaker must be nearer before the turn changes hands."""
    speech: float = 0.4
    """Number of people that the windows see, on average, from which somebody speaks."""
    overlap: float = 0.5
    """How far above one that number is where two people speak at once."""
    gap_s: float = 0.3
    """Pauses up to this long belong to a turn."""
    shortest_s: float = 0.2
    """Shorter turns are left out."""
    known: float = 0.45
    """Cosine to an enrolled person from which a speaker is taken for that person."""

    def problems(self) -> list[str]:
        return [
            *_outside("diariser.max_speakers", self.max_speakers, 1, 1000),
            *_outside("diariser.new_speaker", self.new_speaker, -1.0, 1.0),
            *_outside("diariser.update", self.update, -1.0, 1.0),
            *_outside("diariser.enough_s", self.enough_s, 0.5, 30.0),
            *_outside("diariser.agreement", self.agreement, -1.0, 1.0),
            *_outside("diariser.cache", self.cache, 1, 1000),
            *_outside("diariser.continuity", self.continuity, 0.0, 1.0),
            *_outside("diariser.speech", self.speech, 0.05, 0.95),
            *_outside("diariser.overlap", self.overlap, 0.05, 1.0),
            *_outside("diariser.gap_s", self.gap_s, 0.0, 2.0),
            *_outside("diariser.shortest_s", self.shortest_s, 0.0, 2.0),
            *_outside("diariser.known", self.known, -1.0, 1.0),
        ]


@dataclass(frozen=True)
class ReclusteringConfig:
    """All voices heard so far compared anew, now and then and at the end."""

    every_s: float = 30.0
    """Sound between two times; 0 leaves it out."""
    start: float = 0.28
    """Mean cosine down to which stretches are linked to begin with: more clusters than people."""
    loop: float = 0.8
    """Chance that the next stretch is of the same speaker."""
    acoustic: float = 0.4
    """Weight of what is heard (F_A of VBx)."""
    speaker: float = 8.0
    """Weight of the prior on voices (F_B of VBx); the higher, the fewer speakers."""
    stretch_s: float = 0.5
    """Speech of one turn that is compared as one."""
    sure_s: float = 0.8
    """Speech behind an embedding that takes part in forming clusters; the others join afterwards."""
    least_s: float = 1.2
    """Speech of a cluster that makes it a speaker."""
    most: int = 600
    """Stretches that are compared; then the older half stands for its speakers in groups."""
    each: int = 100
    """Stretches per speaker that take part in forming clusters, evenly spaced; the others join afterwards."""
    group: int = 8
    """Stretches per group."""

    def problems(self) -> list[str]:
        return [
            *_outside("reclustering.every_s", self.every_s, 0.0, 3600.0),
            *_outside("reclustering.start", self.start, -1.0, 1.0),
            *_outside("reclustering.loop", self.loop, 0.0, 0.999),
            *_outside("reclustering.acoustic", self.acoustic, 0.001, 10.0),
            *_outside("reclustering.speaker", self.speaker, 0.01, 1000.0),
            *_outside("reclustering.stretch_s", self.stretch_s, 0.1, 30.0),
            *_outside("reclustering.sure_s", self.sure_s, 0.1, 5.0),
            *_outside("reclustering.least_s", self.least_s, 0.0, 60.0),
            *_outside("reclustering.most", self.most, 50, 5000),
            *_outside("reclustering.each", self.each, 5, 5000),
            *_outside("reclustering.group", self.group, 1, 100),
        ]


@dataclass(frozen=True)
class PipelineConfig:
    """Everything between the sound and the turns."""

    vad: VadConfig = field(default_factory=VadConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    segmentation: SegmentationConfig = field(default_factory=SegmentationConfig)
    enhancer: EnhancerConfig = field(default_factory=EnhancerConfig)
    diariser: DiariserConfig = field(default_factory=DiariserConfig)
    reclustering: ReclusteringConfig = field(default_factory=ReclusteringConfig)

    def __post_init__(self) -> None:
        if found := self.problems():
            raise ConfigError("; ".join(found))

    def problems(self) -> list[str]:
        parts = (
            self.vad,
            self.encoder,
            self.segmentation,
            self.enhancer,
            self.diariser,
            self.reclustering,
        )
        return [p for part in parts for p in part.problems()]

    def to_toml(self) -> str:
        """The settings as TOML that `read_config` takes back."""
        return tomli_w.dumps(asdict(self))


def read_config(path: Path) -> PipelineConfig:
    """Settings from a TOML file; what it leaves out keeps its default."""
    return read_settings(path, PipelineConfig)


def _outside(name: str, value: float, low: float, high: float) -> list[str]:
    return [] if low <= value <= high else [f"{name} = {value}: expected {low} … {high}"]
