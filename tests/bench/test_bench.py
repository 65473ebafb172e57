"""Every benchmark on the bundled conversation: the command works and its JSON keeps its keys."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO, ROOT
from voicelane import read_config, read_rttm
from voicelane.inference import models_folder

pytestmark = pytest.mark.slow

RANGE = {"p50", "p95", "p99", "max"}


def bench(folder: Path, *arguments: object) -> dict:
    out = folder / "out.json"
    found = subprocess.run(
        [sys.executable, "-m", "voicelane.bench", *map(str, arguments), "--json", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(out.read_text())


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    folder = tmp_path / "sound"
    folder.mkdir()
    shutil.copy(DEMO, folder / "talk-clean.opus")
    shutil.copy(DEMO.with_suffix(".rttm"), folder / "talk-clean.rttm")
    return folder


def test_latency(tmp_path):
    found = bench(tmp_path, "latency", "--enhancer", "seed", "--frames", 600, "--repeats", 1, "--live-s", 6)
    for key in ("frame_path_ms", "encoder_ms", "enhancer_ms", "decision_step_ms"):
        assert set(found[key]) == RANGE | {"cpu_p50"}
        assert 0 < found[key]["p50"] <= found[key]["p99"] <= found[key]["max"]
    assert found["realtime_factor"] > 1 and found["lost_samples"] == 0
    assert set(found["end_to_end"]["tentative_delay_ms"]) == RANGE


def test_words(tmp_path):
    pytest.importorskip("hibari")
    pytest.importorskip("faster_whisper")
    from tests.words.models import english_model

    options = ("--conversations", 1, "--sentences", 4, "--overlap", 0, "--live-s", 8)
    found = bench(tmp_path, "words", "--model", english_model(), *options)
    assert set(found["systems"]) == {"voicelane", "all first, then by turns", "voicelane, true turns"}
    true = found["systems"]["voicelane, true turns"]
    assert true["wer"] < 25 and true["cpwer"] <= true["tcpwer"] < 25 and true["cpu_per_s"] > 0
    assert found["words"] > 30 and found["live"]["lost_samples"] == 0
    assert set(found["live"]["labels_ms"]) == {"alone", "with captions"}


def test_diarisation(tmp_path, conversations):
    pytest.importorskip("pyannote.metrics")
    found = bench(tmp_path, "diarisation", "--audio", conversations, "--reference", conversations)
    keys = {"der", "miss", "false_alarm", "confusion", "jer", "speakers_ref", "speakers_hyp"}
    assert set(found["files"]) == {"talk-clean"}
    assert set(found["files"]["talk-clean"]) == set(found["total"]) == keys
    assert found["total"] == found["files"]["talk-clean"]  # of one file the mean is its own
    assert 5 < found["total"]["der"] < 12 and found["total"]["speakers_ref"] == 3
    assert set(found["systems"]) == {"voicelane, as emitted", "voicelane, final"}
    for system in found["systems"].values():
        assert set(system["files"]) == {"talk-clean"} and system["cpu_per_s"] > 0
        total = system["total"]
        assert set(total) == set(system["files"]["talk-clean"]) == keys | {"speech_s"}
        parts = total["miss"] + total["false_alarm"] + total["confusion"]
        assert total["der"] == pytest.approx(parts, abs=0.01)
    assert found["flips_per_min"] >= 0


def test_tuning_writes_settings_that_are_no_worse(tmp_path, conversations):
    pytest.importorskip("optuna")
    out = tmp_path / "tuned.toml"
    found = bench(tmp_path, "tune", "--audio", conversations, "--trials", 3, "--folds", 2, "--out", out)
    assert sum(found["best, on the files it was chosen by"]) <= sum(found["before"]) + 1e-6
    chosen = read_config(out)
    wanted = {k: v for part in (chosen.diariser, chosen.reclustering) for k, v in vars(part).items()}
    assert all(wanted[k] == v for k, v in found["chosen"].items())


def test_cross_validation_judges_each_file_by_settings_that_have_not_seen_it():
    from voicelane.bench.tune import cross_validated, left_out

    cost, even = (
        np.array([[1.0, 9.0], [9.0, 1.0]]),
        np.array([0.5, 0.5]),
    )  # each setting suits one of two files
    assert cross_validated(cost, even, np.arange(2)).tolist() == [9.0, 9.0]
    assert cross_validated(np.array([[3.0, 4.0], [5.0, 6.0]]), even, np.arange(2)).tolist() == [3.0, 4.0]
    assert left_out(cost, even, ["so", "cv"]) == [
        {"corpus": "cv", "before": 9.0, "others": 9.0, "own": 1.0},
        {"corpus": "so", "before": 1.0, "others": 9.0, "own": 1.0},
    ]


def test_vad(tmp_path, conversations, rng):
    noise = tmp_path / "noise"
    noise.mkdir()
    sf.write(noise / "hiss.wav", rng.standard_normal(32_000) * 0.1, 16_000)
    found = bench(
        tmp_path, "vad", "--audio", conversations, "--noise", noise, "--snr", 10, "--without-silero"
    )
    assert set(found["conditions"]) == {"clean", "10 dB", "noise alone"}
    assert found["conditions"]["noise alone"]["voicelane"]["miss"] == 0.0
    for detectors in found["conditions"].values():
        assert set(detectors) == {"voicelane", *(f"webrtcvad {m}" for m in range(4))}
        ours = detectors["voicelane"]
        assert ours["frame_error"] == pytest.approx(ours["miss"] + ours["false_alarm"], abs=0.01)


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """Four pieces of the demo, each the target of itself, under the two names that --compare wants."""
    samples = sf.read(DEMO, dtype="float32")[0]
    names = [f"{i}.wav" for i in range(4)]
    for i, name in enumerate(names):
        sf.write(tmp_path / name, samples[i * 48_000 : (i + 1) * 48_000], 16_000)
    (tmp_path / "trials").mkdir()
    for kind in ("english", "multilingual"):
        rows = [f"{int(a == b)} {a} {b}" for a in names for b in names]
        (tmp_path / f"trials/{kind}.trials").write_text("\n".join(rows))
        beds = ["file\tnoise\toffset_s\tbabble", *(f"{n}\t0.wav\t0.5\t1.wav,2.wav" for n in names)]
        (tmp_path / f"trials/{kind}.noise.tsv").write_text("\n".join(beds))
    return tmp_path / "trials/english.trials"


@pytest.mark.parametrize("condition", [[], ["--snr", "5"], ["--babble", "5"], ["--first-s", "2"]])
def test_verification(tmp_path, trials, condition):
    found = bench(tmp_path, "verification", "--trials", trials, "--root", tmp_path, *condition)
    assert found["n_target"] == 4 and found["n_nontarget"] == 12
    assert found["eer"] == 0.0 and found["min_dcf_p05"] == found["min_dcf_p01"] == 0.0
    assert found["min_cllr"] == 0.0 < found["cllr"] and found["n_unheard"] == 0
    assert set(found["false_accepts"]) == set(found["false_rejects"]) == {"0.1", "1", "5"}


def test_verification_with_an_encoder_that_is_not_calibrated_has_no_calibration_cost(tmp_path, trials):
    found = bench(
        tmp_path, "verification", "--trials", trials, "--root", tmp_path, "--encoder", "lstm", "--every", 2
    )
    assert found["n_target"] == found["n_nontarget"] == 2 and found["eer"] >= 0.0
    assert all(found[k] is None for k in ("cllr", "min_cllr", "false_accepts", "false_rejects", "n_unheard"))


def test_the_comparison_has_every_system_in_every_condition(tmp_path, trials):
    plot = tmp_path / "det.png"
    shipped = models_folder() / "conv_transformer"
    systems = ["conv_transformer", str(shipped)]  # two of them, as if one were a peer
    chosen = [x for name in systems for x in ("--encoder", name)]
    found = bench(tmp_path, "verification", "--compare", "--root", tmp_path, *chosen, "--plot", plot)
    assert len(found["conditions"]) == 6 and set(found["cost_ms"]) == set(systems)
    for rates in found["conditions"].values():
        assert set(rates) == set(systems)
        assert rates[systems[0]] == rates[systems[1]] and rates[systems[0]]["eer"] == 0.0
    assert all(set(cost) == RANGE for cost in found["cost_ms"].values())
    assert plot.stat().st_size > 10_000


def test_enhancers_are_measured_in_every_condition(tmp_path, trials, conversations):
    pytest.importorskip("pyannote.metrics")
    pytest.importorskip("pyroomacoustics")
    again = tmp_path / "trainings/shipped/0"
    again.mkdir(parents=True)
    (again / "mlp_conv_transformer").symlink_to(models_folder() / "mlp_conv_transformer")
    options = {
        "--root": tmp_path,
        "--conversations": conversations,
        "--vectors": tmp_path / "vectors",
        "--trainings": tmp_path / "trainings",
    }
    found = bench(tmp_path, "enhancer", *(x for pair in options.items() for x in pair))
    assert len(list((tmp_path / "vectors").iterdir())) == 18
    assert {"raw", "seed, as shipped", "raw + seed", "mlp, as shipped", "raw + mlp"} < set(found["eer"])
    assert all(len(rates) == 18 for rates in found["eer"].values())
    assert set(found["der"]) == {"off", "seed", "mlp"} and set(found["cost_us"]) == {"seed", "mlp"}
    assert len(found["repeated"]["seed, t0 50, noise drawn"]["english, clean"]) == 5
    assert found["repeated"]["shipped mlp, trained again"]["english, room"] == [
        found["eer"]["mlp, as shipped"]["english, room"]
    ]


def test_noise_is_added_at_the_wanted_ratio_over_active_frames(rng):
    from voicelane.bench.sound import active_power, add_noise

    speech = np.concatenate((rng.standard_normal(16_000), np.zeros(48_000))).astype(np.float32)
    added = add_noise(speech, rng.standard_normal(5_000), 10.0) - speech
    found = 10 * np.log10(active_power(speech) / np.mean(added.astype(np.float64) ** 2))
    assert found == pytest.approx(10.0, abs=0.05)
    assert active_power(speech) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("what", ["an empty folder", "a missing reference"])
def test_missing_material_is_named_without_a_traceback(tmp_path, conversations, what):
    pytest.importorskip("pyannote.metrics")
    (conversations / "talk-clean.rttm").unlink()
    if what == "an empty folder":
        (conversations / "talk-clean.opus").unlink()
    found = subprocess.run(
        [sys.executable, "-m", "voicelane.bench", "diarisation", "--audio", str(conversations)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode != 0 and "Traceback" not in found.stderr and "sound" in found.stderr


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three people of the conversation, two recordings of each."""
    folder, sound = tmp_path / "corpus", sf.read(DEMO, dtype="float32")[0]
    folder.mkdir()
    rows = ["file\tsplit\tcorpus\tspeaker\tseconds\tpseudo\tlicence"]
    turns = sorted(read_rttm(DEMO.with_suffix(".rttm")), key=lambda t: t.start - t.end)
    for who in sorted({t.speaker for t in turns}):
        for n, turn in enumerate([t for t in turns if t.speaker == who][:2]):
            sf.write(folder / f"{who}{n}.wav", sound[int(turn.start * 16e3) : int(turn.end * 16e3)], 16_000)
            rows.append(f"{who}{n}.wav\tdev\tdemo\t{who}\t9.0\t0\tCC0")
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return folder


def test_mark(tmp_path, corpus):
    found = bench(tmp_path, "mark", "--corpus", corpus, "--pieces", 1, "--unmarked", 1, "--seconds", 8)
    assert found["marked"]["as it is"]["heard"] == 100.0 and found["unmarked"]["heard"] == 0.0
    assert found["speech_over_mark_db"] > 15 and len(found["marked"]) == 6


def test_say(tmp_path, corpus):
    pytest.importorskip("pyworld")
    from tests.words.models import english_model

    found = bench(tmp_path, "say", "--corpus", corpus, "--people", 3, "--model", english_model())
    for told in found["conditioned"].values():
        assert set(told["judges"]) == {"ours"} and told["wer"] < 60 and told["cpu_per_s"] > 0
        assert -1 < told["judges"]["ours"]["to_strangers"] < 1
    assert found["people"] == 3 and found["first_sound_s"] > 0


def test_anonymise(tmp_path, corpus):
    pytest.importorskip("pyworld")
    from tests.words.models import english_model

    folder = corpus / "conversations" / "dev"
    folder.mkdir(parents=True)
    shutil.copy(DEMO, folder / "talk.opus")
    shutil.copy(DEMO.with_suffix(".rttm"), folder / "talk.rttm")
    options = ("--corpus", corpus, "--people", 3, "--conversations", "talk", "--sentences", 4)
    found = bench(tmp_path, "anonymise", *options, "--model", english_model())
    assert set(found["eer"]["ours"]) == {"none: as it was", "ignorant", "lazy-informed"}
    (talk,) = found["conversations"]
    assert talk["der_after"] < talk["der_before"] + 10 and talk["distinctiveness_gain_db"] > -10
    assert found["words"]["wer_before"] <= found["words"]["wer_after"] + 20
