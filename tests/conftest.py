"""Sound and models that tests share; nothing here needs the corpus or a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile as sf

from engine import read_rttm

if TYPE_CHECKING:
    from rt_models.training.batches import CropSampler
    from rt_models.training.data import AudioCache

DEMO = Path(__file__).parents[1] / "engine" / "demo" / "conversation.opus"
SPLIT_S = 38.5


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """The first 20 s of the bundled conversation, float32 at 16 kHz."""
    return sf.read(DEMO, dtype="float32")[0][: 20 * 16_000]


@pytest.fixture(scope="session")
def enrolment_sound() -> dict[str, np.ndarray]:
    """What each of the three says in the first 38.5 s."""
    sound = sf.read(DEMO, dtype="float32")[0]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if t.end < SPLIT_S]
    return {
        who: np.concatenate(
            [sound[int(t.start * 16_000) : int(t.end * 16_000)] for t in turns if t.speaker == who]
        )
        for who in sorted({t.speaker for t in turns})
    }


@pytest.fixture(scope="session")
def rest() -> np.ndarray:
    """The conversation after the enrolment sound."""
    return sf.read(DEMO, dtype="float32")[0][int(SPLIT_S * 16_000) :]


@pytest.fixture(scope="session")
def later() -> dict[str, np.ndarray]:
    """What each of the three says after the enrolment sound."""
    sound = sf.read(DEMO, dtype="float32")[0]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if t.start >= SPLIT_S]
    return {
        who: np.concatenate(
            [sound[int(t.start * 16_000) : int(t.end * 16_000)] for t in turns if t.speaker == who]
        )
        for who in sorted({t.speaker for t in turns})
    }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for profiles and sessions, which does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("VOICELANE_HOME", str(folder))
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> AudioCache:
    """Twelve pieces of the demo conversation, as if they were twelve utterances."""
    data = pytest.importorskip("rt_models.training.data")
    folder = tmp_path_factory.mktemp("corpus")
    samples = sf.read(DEMO, dtype="float32")[0]
    lines = []
    for i, piece in enumerate(np.array_split(samples[: 60 * 16_000], 12)):
        sf.write(folder / f"{i}.wav", piece, 16_000)
        lines.append(f"speaker{i // 3} {i}.wav")
    (folder / "manifest.txt").write_text("\n".join(lines))
    return data.AudioCache.build(data.read_manifest(folder / "manifest.txt"), folder, folder / "cache")


@pytest.fixture(scope="session")
def sampler(cache: AudioCache, tmp_path_factory: pytest.TempPathFactory) -> CropSampler:
    """A clean copy of the toy corpus with random targets, two crops of each speaker in a batch."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pyroomacoustics")
    from rt_models.training import losses, shards
    from rt_models.training.batches import Copy, CropConfig, CropSampler, speech_mask

    shard = shards.build_shard(cache, None, np.ones(12), 0, tmp_path_factory.mktemp("s") / "shard.f16")
    speech = [np.flatnonzero(speech_mask(shard.columns(i))) for i in range(12)]
    targets = losses.centre(torch.randn(12, 192, generator=torch.Generator().manual_seed(0))).numpy()
    copy = Copy(shard, speech, targets, np.arange(12) // 3)
    config = CropConfig(
        columns=(80,), chances=(1.0,), band_masks=0, time_masks=0, noise=0.0, babble=0.0, equaliser=0.0
    )
    return CropSampler([copy], ["demo"] * 12, [], np.full(80, -9.0), config)
