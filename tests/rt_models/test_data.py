"""Manifests, augmentation, batches and teacher targets of the offline module."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from voicelane.base import ConfigError

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.rt_models.export import onnx as export  # noqa: E402
from voicelane.rt_models.training import augment, corpus, data  # noqa: E402
from voicelane.rt_models.training.batches import Batch, CropConfig, CropSampler, speech_mask  # noqa: E402
from voicelane.rt_models.training.disturbances import disturbance  # noqa: E402
from voicelane.rt_models.training.teacher import Teacher, principal  # noqa: E402

pytestmark = pytest.mark.torch


def test_manifests_in_both_shapes(tmp_path: Path):
    lines = tmp_path / "list.txt"
    lines.write_text("alice a/1.wav\nunknown b/2.wav\nunknown b/3.wav\n")
    found = data.read_manifest(lines)
    assert [u.path for u in found] == ["a/1.wav", "b/2.wav", "b/3.wav"]
    assert len({u.speaker for u in found}) == 3
    table = tmp_path / "list.tsv"
    table.write_text("file\tsplit\tcorpus\tspeaker\nx.wav\ttrain\tc\ts1\ny.wav\tdev\tc\ts2\n")
    assert [u.path for u in data.read_manifest(table)] == ["x.wav"]
    with pytest.raises(ValueError, match="test"):
        data.read_manifest(table, "test")
    with pytest.raises(ValueError, match="no such"):
        data.read_manifest(tmp_path / "nothing")
    lines.write_text("alone\n")
    with pytest.raises(ValueError, match="alone"):
        data.read_manifest(lines)


@pytest.mark.parametrize(
    "files",
    [
        ["84/121123/84-121123-0000.flac", "84/121550/84-121550-0001.flac", "174/50561/174-50561-0.flac"],
        ["wav/id10001/video/00001.wav", "wav/id10001/other/00001.wav", "wav/id10002/video/00001.wav"],
    ],
)
def test_librispeech_and_voxceleb_folders(tmp_path, files):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        sf.write(tmp_path / file, np.zeros(160), 16_000)
    (tmp_path / "README.TXT").write_text("not a sound")
    found = data.read_manifest(tmp_path)
    assert sorted(u.path for u in found) == sorted(files)
    speakers = {u.path: u.speaker for u in found}
    assert speakers[files[0]] == speakers[files[1]] != speakers[files[2]]


def test_a_work_folder_of_another_corpus_is_refused(cache, tmp_path):
    with pytest.raises(ConfigError, match=r"audio\.i16: was made with other settings \(utterances\)"):
        data.AudioCache.build(cache.utterances[:3], tmp_path, cache.folder)


def test_a_file_without_sound_is_named_and_can_be_taken_out(cache, tmp_path):
    sf.write(tmp_path / "e.wav", np.zeros(0), 16_000)
    silent = [data.Utterance("0.wav", "a"), data.Utterance("e.wav", "x")]
    sf.write(tmp_path / "0.wav", cache.audio(0), 16_000)
    with pytest.raises(ValueError, match="no sound"):
        data.AudioCache.build(silent, tmp_path, tmp_path / "audio")
    assert len(data.AudioCache.build(silent[:1], tmp_path, tmp_path / "audio")) == 1


@pytest.mark.parametrize("n_columns", [0, 1, 5, 20, 21, 300])
def test_the_speech_mask_is_as_long_as_the_sound(rng, n_columns):
    assert len(speech_mask(rng.standard_normal((n_columns, 80)))) == n_columns


def test_augmentation_is_seeded_and_keeps_the_length(cache, tmp_path):
    rooms = augment.simulate_rooms(3, 0, tmp_path / "rooms.npz")
    noises = [np.random.default_rng(1).standard_normal(16_000).astype(np.float32)]
    perturb = augment.Augmenter(augment.AugmentConfig(), rooms, noises, cache)
    for seed in range(12):
        samples = cache.audio(seed)
        first = perturb(samples, np.random.default_rng(seed))
        assert len(first) == len(samples) and np.isfinite(first).all() and np.abs(first).max() < 1.5
        np.testing.assert_array_equal(first, perturb(samples, np.random.default_rng(seed)))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_is_mixed_at_the_wanted_ratio(rng, snr_db):
    speech, noise = rng.standard_normal(16_000), rng.standard_normal(5_000) * 7
    added = augment.mix(speech.astype(np.float32), noise, snr_db) - speech
    found = 10 * np.log10(augment.power(speech) / augment.power(added))
    assert found == pytest.approx(snr_db, abs=0.05)


def test_speed_changes_length_and_pitch():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    faster = data.change_speed(tone, 1.25)
    assert len(faster) == pytest.approx(12_800, abs=2)
    peak = np.argmax(np.abs(np.fft.rfft(faster[:8000] * np.hanning(8000)))) * 2
    assert peak == pytest.approx(1250, abs=4)


def test_batches_are_seeded_and_say_what_they_hold(sampler):
    config = dataclasses.replace(sampler.config, noise=1.0, babble=1.0, equaliser=1.0, band_masks=2)
    noise = [np.full((60, 80), 1e-3, np.float32)]
    noisy = CropSampler(sampler.copies, ["demo"] * 12, noise, sampler.prior, config)
    a, b = (noisy.batch(16, np.random.default_rng(3)) for _ in range(2))
    for x, y, name in zip(a, b, Batch._fields, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=name)
    assert a.columns.shape == (16, 80, 80) and np.isfinite(a.columns).all()
    assert a.frames.shape == (16, 19, 0)
    copy = sampler.copies[0]
    for target, speaker in zip(a.targets, a.speakers, strict=True):
        assert copy.speakers[np.flatnonzero((copy.targets == target).all(axis=1))] == speaker


def test_grouped_batches_hold_as_many_crops_of_each_speaker(sampler):
    config = dataclasses.replace(sampler.config, utterances_per_speaker=3)
    grouped = CropSampler(sampler.copies, ["demo"] * 12, [], sampler.prior, config)
    found = grouped.batch(12, np.random.default_rng(0)).speakers.reshape(4, 3)
    assert (found == found[:, :1]).all() and len(set(found[:, 0])) == 4


class FrameNet(torch.nn.Module):
    """A teacher of the real one's shape: an embedding of 192 and 512 features every second column."""

    def __init__(self) -> None:
        super().__init__()
        self.frames, self.out = torch.nn.Linear(80, 512), torch.nn.Linear(512, 192)

    def forward(self, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        frames = self.frames(columns)[:, ::2].relu()
        return self.out(frames.mean(dim=1)), frames


@pytest.mark.slow
def test_a_teacher_is_asked_once_and_its_frames_lie_where_the_columns_are(tmp_path, cache):
    folder, net = tmp_path / "teacher", FrameNet().eval()
    shapes = {"columns": {0: "batch", 1: "time"}}
    export.export(net, {"columns": torch.randn(1, 100, 80)}, ["embedding", "frames"], shapes, folder)
    export.write_manifest(
        folder,
        {
            "name": "teacher",
            "kind": "encoder",
            "version": "0",
            "inputs": {"columns": ["batch", "time", 80]},
            "outputs": {"embedding": ["batch", 192], "frames": ["batch", "frames", 512]},
            "settings": {"dim": 192, "features": "kaldi_fbank", "n_mels": 80, "mean": "window"},
        },
    )
    work = tmp_path / "work"
    prepared = corpus.Prepared(cache, [], [], work)
    work.mkdir()
    choice = corpus.CopyConfig(speeds=(0,), perturbed=())
    made = corpus.sampler(prepared, folder, choice, CropConfig(columns=(80,), chances=(1.0,)))
    batch = made.batch(6, np.random.default_rng(0))
    assert batch.targets.shape == (6, 192) and batch.frames.shape == (6, 19, 96)
    before = (work / "teacher_0.npy").stat().st_mtime_ns
    corpus.sampler(prepared, folder, choice, CropConfig())
    assert (work / "teacher_0.npy").stat().st_mtime_ns == before

    teacher = Teacher(folder, cache)
    parts = teacher.components(work / "components.npz")
    frames = (teacher.heard(3, 1.0)[1] - parts.mean) @ parts.weights
    found = made.copies[0].frames.at(3, np.array([2, 41, 100]))  # centred at 280, 6,520 and 15,960
    np.testing.assert_allclose(found, frames[[0, 20, 49]], atol=0.02)


def test_components_are_whitened_half_way(rng):
    frames = rng.standard_normal((4_000, 512)) * np.geomspace(10, 0.1, 512)
    found = principal(frames)
    variance = ((frames - found.mean) @ found.weights).var(axis=0)
    np.testing.assert_allclose(variance[:5], np.geomspace(10, 0.1, 512)[:5], rtol=0.1)


def test_disturbances_are_of_one_power_and_never_the_same_twice():
    rng = np.random.default_rng(0)
    drawn = [disturbance(32_000, rng) for _ in range(40)]
    for sound in drawn:
        assert sound.dtype == np.float32 and np.isfinite(sound).all()
        assert np.mean(sound.astype(float) ** 2) == pytest.approx(1.0, rel=1e-3)
    alike = np.corrcoef(np.abs(drawn)) - np.eye(len(drawn))
    assert alike.max() < 0.9
    assert np.array_equal(drawn[0], disturbance(32_000, np.random.default_rng(0)))
