"""Settings as frozen dataclasses with units, read from and written to TOML."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import tomli_w

from voicelane.base.errors import ConfigError
from voicelane.base.settings import Within, read_table, settings_from, wrong_values

RENAMED = {
    ("reclustering", "loop"): "loop_probability",
    ("reclustering", "acoustic"): "fa",
    ("reclustering", "speaker"): "fb",
    ("reclustering", "most"): "max_stretches",
    ("reclustering", "each"): "max_stretches_per_speaker",
    ("segmentation", "sure"): "alone_probability",
    ("segmentation", "second"): "second_probability",
    ("diariser", "cache"): "max_embeddings",
    ("diariser", "speech"): "speech_people",
    ("diariser", "overlap"): "overlap_people",
}
"""Settings of the version before and what they are called now."""
A_COSINE = "was a cosine of one encoder and is left out"
LEFT_OUT = {
    ("reclustering", "start"): A_COSINE,
    ("reclustering", "group"): "has no use any more, since speakers of the past never leave, and is left out",
    ("diariser", "new_speaker"): A_COSINE,
    ("diariser", "update"): A_COSINE,
    ("diariser", "agreement"): A_COSINE,
    ("diariser", "continuity"): A_COSINE,
    ("diariser", "known"): A_COSINE,
}
"""Settings of the version before that are no more, and why."""
PACKS = {"light": ("conv_transformer", "segmentation"), "strong": ("campplus", "segmentation_3")}
"""The encoder and the segmentation network of each pack of models."""
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "quick": MappingProxyType({"confirm_s": 0.8, "step_s": 0.24}),
        "default": MappingProxyType({}),
        "careful": MappingProxyType({"confirm_s": 3.2}),
    }
)
"""What each preset changes of `[segmentation]`: latency against accuracy. `default` changes nothing."""


@dataclass(frozen=True)
class ModelsConfig:
    """Which models are in use where no other is named."""

    pack: Literal["light", "strong"] = "light"
    """`light` comes with voicelane; `strong` (CAM++ and segmentation-3.0) is better on real meetings, costs
    five times the CPU, and is added by `voicelane models add strong`."""


@dataclass(frozen=True)
class DenoiserConfig:
    """What takes noise off the sound before anything else hears it."""

    model: str = "off"
    """`off`, the name of an installed model of kind `cleaner` (`clean`), or a folder."""
    strength: Annotated[float, Within(0.0, 1.0)] = 1.0
    """Share of the cleaned sound; the rest is the sound as it came."""
    steps: Annotated[int, Within(0, 30)] = 0
    """Steps of diffusion that refine the cleaned sound; 0 leaves it as the first network made it."""
    refiner: str = "refine"
    """Name of an installed model of kind `refiner`, or a folder, for these steps."""
    keeper: str = "keep"
    """Name of an installed model of kind `keeper`, or a folder, that leaves one person's voice."""
    guidance: Annotated[float, Within(0.0, 5.0)] = 1.0
    """How far the keeper goes from anybody's voice (0) to the person's (1), and beyond."""


@dataclass(frozen=True)
class VadConfig:
    """Voice activity detection."""

    model: str = "vad"
    """Name of an installed model of kind `vad`, or a folder."""
    noisy_threshold: Annotated[float, Within(0.01, 0.99)] = 0.45
    """Speech probability that starts speech at 10 dB SNR and below."""
    clean_threshold: Annotated[float, Within(0.01, 0.99)] = 0.25
    """Speech probability that starts speech at 40 dB SNR and above; between the two it is linear."""
    release: Annotated[float, Within(0.0, 0.9)] = 0.05
    """Speech goes on while the probability is at most this far below the threshold."""
    onset_frames: Annotated[int, Within(1, 25)] = 2
    """Frames of 20 ms in a row that start speech."""
    pre_roll_frames: Annotated[int, Within(0, 25)] = 1
    """Frames before the first of them that belong to the speech too."""
    hangover_frames: Annotated[int, Within(0, 100)] = 1
    """Frames after the last one that belong to the speech too."""


@dataclass(frozen=True)
class EncoderConfig:
    """Speaker embeddings of the running speech."""

    model: str = "conv_transformer"
    """Name of an installed model of kind `encoder`, or a folder."""
    window_s: Annotated[float, Within(0.5, 10.0)] = 1.6
    """Speech behind one embedding."""
    step_s: Annotated[float, Within(0.02, 2.0)] = 0.24
    """Speech between two embeddings; multiples of 40 ms waste nothing of the shipped encoder's tokens."""
    first_s: Annotated[float, Within(0.2, 10.0)] = 0.76
    """Speech behind the first embedding of a segment, which is shorter than a window."""
    threads: Annotated[int, Within(1, 64)] = 1
    """Threads of ONNX Runtime."""

    def problems(self) -> list[str]:
        """What no range can say."""
        if self.first_s <= self.window_s:
            return []
        return [f"encoder.first_s = {self.first_s}: expected encoder.window_s ({self.window_s}) or less"]


@dataclass(frozen=True)
class SegmentationConfig:
    """Who of up to three voices speaks when within the last five seconds."""

    model: str = "segmentation"
    """Name of an installed model of kind `segmentation`, or a folder."""
    step_s: Annotated[float, Within(0.08, 2.0)] = 0.48
    """Sound between two windows; multiples of 40 ms waste nothing of the shipped encoder's tokens."""
    glance_s: Annotated[float, Within(0.08, 2.0)] = 0.24
    """Sound between two glances at who speaks now, which make tentative labels early and nothing else;
    `step_s` leaves them out."""
    linger_s: Annotated[float, Within(0.0, 5.0)] = 2.4
    """Windows go on for so long after the last speech."""
    confirm_s: Annotated[float, Within(0.25, 4.0)] = 1.26
    """Sound after a moment that its label waits for before it is final."""
    context_s: Annotated[float, Within(0.2, 5.0)] = 1.2
    """Speech of a voice this far on either side of a moment tells whose it is."""
    least_s: Annotated[float, Within(0.1, 3.0)] = 0.32
    """Speech of one voice alone that is embedded."""
    alone_probability: Annotated[float, Within(0.2, 0.99)] = 0.5
    """Probability from which a voice is taken to speak alone."""
    second_probability: Annotated[float, Within(0.05, 0.9)] = 0.3
    """Probability from which a voice may be a second one at the same time."""
    threads: Annotated[int, Within(1, 64)] = 1
    """Threads of ONNX Runtime."""


@dataclass(frozen=True)
class EnhancerConfig:
    """What makes embeddings of noisy speech more like those of clean speech."""

    model: str = "off"
    """`off`, `seed` (diffusion) or `mlp` (a plain network) for the encoder in use, or the folder of one."""
    steps: Annotated[int, Within(0, 50)] = 0
    """DDIM steps of `seed`, of the numbers that the model ships; 0 takes the model's own choice."""
    draws: Annotated[int, Within(1, 64)] = 8
    """Noises whose spread tells the confidence (`seed`)."""


@dataclass(frozen=True)
class DiariserConfig:
    """Online clustering of embeddings into speakers; ratios are natural logarithms of likelihood ratios,
    which mean the same for every encoder."""

    max_speakers: Annotated[int, Within(1, 1000)] = 100
    """No more than this many are named in a session; the nearest one takes what is left."""
    new_speaker_llr: Annotated[float, Within(-20.0, 20.0)] = -0.5
    """Log-likelihood ratio to every known speaker below which a voice is new."""
    update_llr: Annotated[float, Within(-20.0, 20.0)] = 1.0
    """Ratio to its speaker above which an embedding is kept with what is known of the speaker."""
    margin_llr: Annotated[float, Within(0.0, 20.0)] = 1.0
    """By how much that must be above the ratio to any other speaker."""
    agreement_llr: Annotated[float, Within(-20.0, 20.0)] = 0.0
    """Ratio among the embeddings that make a new speaker."""
    enough_s: Annotated[float, Within(0.5, 30.0)] = 1.8
    """Speech of one voice that is enough to make a speaker of it."""
    max_embeddings: Annotated[int, Within(1, 1000)] = 60
    """Embeddings that are kept of a speaker, the latest ones."""
    continuity_llr: Annotated[float, Within(0.0, 20.0)] = 0.5
    """Ratio by which another speaker must be likelier before the turn changes hands."""
    speech_people: Annotated[float, Within(0.05, 0.95)] = 0.4
    """Number of people that the windows see, on average, from which somebody speaks."""
    overlap_people: Annotated[float, Within(0.05, 1.0)] = 0.5
    """How far above one that number is where two people speak at once."""
    gap_s: Annotated[float, Within(0.0, 2.0)] = 0.3
    """Pauses up to this long belong to a turn."""
    shortest_s: Annotated[float, Within(0.0, 2.0)] = 0.2
    """Shorter turns are left out."""
    voice_llr: Annotated[float, Within(-20.0, 20.0)] = -1.0
    """Ratio that a sound is a voice below which it is nobody's."""
    known_llr: Annotated[float, Within(-20.0, 20.0)] = 2.0
    """Ratio to an enrolled person from which a speaker is taken for that person."""


@dataclass(frozen=True)
class ReclusteringConfig:
    """All voices heard so far compared anew, now and then and at the end."""

    every_s: Annotated[float, Within(0.0, 3600.0)] = 30.0
    """Sound between two times; 0 leaves it out."""
    ahc_llr: Annotated[float, Within(-20.0, 20.0)] = 2.0
    """Mean log-likelihood ratio down to which stretches are linked at first: more clusters than people."""
    little_s: Annotated[float, Within(0.0, 60.0)] = 5.0
    """Speech of a cluster below which it is asked whether it is another one's."""
    same_llr: Annotated[float, Within(-20.0, 40.0)] = 0.0
    """Ratio from which it is."""
    loop_probability: Annotated[float, Within(0.0, 0.999)] = 0.8
    """Chance that the next stretch is of the same speaker."""
    fa: Annotated[float, Within(0.001, 10.0)] = 0.4
    """Weight of what is heard (F_A of VBx)."""
    fb: Annotated[float, Within(0.01, 1000.0)] = 2.0
    """Weight of the prior on voices (F_B of VBx); the higher, the fewer speakers."""
    stretch_s: Annotated[float, Within(0.1, 30.0)] = 0.5
    """Speech of one turn that is compared as one."""
    sure_s: Annotated[float, Within(0.1, 5.0)] = 0.8
    """Speech behind an embedding that takes part in forming clusters; the others join afterwards."""
    least_s: Annotated[float, Within(0.0, 60.0)] = 1.2
    """Speech of a cluster that makes it a speaker."""
    max_stretches: Annotated[int, Within(50, 5000)] = 600
    """Stretches that are compared; then the older half becomes what is known of its speakers for good."""
    max_stretches_per_speaker: Annotated[int, Within(5, 5000)] = 100
    """Stretches of a speaker that take part in forming clusters, evenly spaced, and for which the past counts
    at most; the others join afterwards."""


@dataclass(frozen=True)
class PipelineConfig:
    """Everything between the sound and the turns."""

    models: ModelsConfig = field(default_factory=ModelsConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)
    vad: VadConfig = field(default_factory=VadConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    segmentation: SegmentationConfig = field(default_factory=SegmentationConfig)
    enhancer: EnhancerConfig = field(default_factory=EnhancerConfig)
    diariser: DiariserConfig = field(default_factory=DiariserConfig)
    reclustering: ReclusteringConfig = field(default_factory=ReclusteringConfig)

    def __post_init__(self) -> None:
        if problems := self.problems():
            raise ConfigError("; ".join(problems))

    def problems(self) -> list[str]:
        """What is wrong with any setting."""
        return [
            p for section in fields(self) for p in wrong_values(getattr(self, section.name), section.name)
        ]

    def to_toml(self) -> str:
        """The settings as TOML that `read_config` takes back."""
        return tomli_w.dumps(asdict(self))


def read_config(path: Path) -> PipelineConfig:
    """Settings from a TOML file; what it leaves out keeps its default, that of its pack for models."""
    content = _of_today(read_table(path), path)
    models = content.get("models")
    pack = models.get("pack") if isinstance(models, dict) else None
    for section, name in zip(("encoder", "segmentation"), PACKS.get(str(pack), ()), strict=False):
        if isinstance(table := content.setdefault(section, {}), dict):
            table.setdefault("model", name)
    return settings_from(content, PipelineConfig, path)


def _of_today(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The settings of a file that may be of the version before, under their names of today; says what it
    did."""
    for (section, name), new in RENAMED.items():
        if name in (table := _table(content, section)):
            table.setdefault(new, table.pop(name))
            _tell(path, f"{section}.{name} is called {new} now")
    for (section, name), why in LEFT_OUT.items():
        if name in (table := _table(content, section)):
            del table[name]
            _tell(path, f"{section}.{name} {why}")
    return content


def _table(content: dict[str, Any], section: str) -> dict[str, Any]:
    table = content.get(section)
    return table if isinstance(table, dict) else {}


def _tell(path: Path, what: str) -> None:
    warnings.warn(f"{path}: {what}; change the file", FutureWarning, stacklevel=4)


def with_pack(config: PipelineConfig, pack: Literal["light", "strong"]) -> PipelineConfig:
    """The settings with another pack's encoder and segmentation network."""
    encoder, segmentation = PACKS[pack]
    return replace(
        config,
        models=ModelsConfig(pack),
        encoder=replace(config.encoder, model=encoder),
        segmentation=replace(config.segmentation, model=segmentation),
    )


def preset(name: str) -> PipelineConfig:
    """The settings of one of `PRESETS`; raises `ConfigError`.

    `quick` looks twice as often at who speaks and makes labels final after 0.8 s, more often wrong;
    `careful` waits 3.2 s for it.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; there are: {', '.join(PRESETS)}")
    return PipelineConfig(segmentation=SegmentationConfig(**PRESETS[name]))  # type: ignore[arg-type]
