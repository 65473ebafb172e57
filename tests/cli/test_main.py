"""The command line as a user meets it, good input and bad."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO, ROOT
from voicelane import read_rttm
from voicelane.cli.main import main
from voicelane.inference import models_folder


def voicelane(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def wav(path: Path, samples: np.ndarray, rate: int = 16_000, **options: str) -> Path:
    sf.write(path, samples, rate, **options)
    return path


def test_run_writes_turns_and_events(tmp_path, speech, capsys):
    sound = wav(tmp_path / "two words.wav", speech)
    assert voicelane("run", sound, "--rttm", tmp_path / "a.rttm", "--jsonl", tmp_path / "a.jsonl") == 0
    turns = read_rttm(tmp_path / "a.rttm")
    assert turns and all(t.end <= 20.0 for t in turns)
    assert (tmp_path / "a.rttm").read_text().startswith("SPEAKER two_words 1 ")
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "StreamStarted"
    final = [e for e in events if e["event"] == "SpeakerTurn" and e["final"]]
    assert [round(e["start_s"], 3) for e in final] == [t.start for t in turns]
    assert "sure" in capsys.readouterr().out


@pytest.mark.slow
def test_max_speakers_is_kept(tmp_path):
    assert voicelane("run", DEMO, "--rttm", tmp_path / "a.rttm", "--max-speakers", 1) == 0
    assert {t.speaker for t in read_rttm(tmp_path / "a.rttm")} == {"S1"}


@pytest.mark.slow
def test_an_enhancer_is_used_or_its_absence_is_announced(tmp_path, speech, capsys):
    sound = wav(tmp_path / "a.wav", speech)
    assert voicelane("run", sound, "--enhancer", "seed", "--jsonl", tmp_path / "a.jsonl") == 0
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert all(e["voice_confidence"] > 0 for e in events if e["event"] == "SpeakerTurn" and e["final"])
    assert "no enhancer" not in capsys.readouterr().out
    assert voicelane("run", sound, "--encoder", "lstm", "--enhancer", "seed") == 0
    assert "no enhancer: no seed enhancer is installed for the encoder lstm" in capsys.readouterr().out
    assert voicelane("embed", sound, "--enhancer", "nothing", "--out", tmp_path / "a.npz") == 2
    assert "no enhancer model named 'nothing'" in capsys.readouterr().err


def test_the_demo_scores_itself_and_writes_its_files(tmp_path, capsys):
    assert voicelane("demo", "--fast", "--out", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "DER" in printed and "lost samples: 0" in printed
    assert read_rttm(tmp_path / "demo.rttm")
    assert (tmp_path / "demo.jsonl").stat().st_size > 0


def test_embed_gives_one_unit_vector_per_file_and_names_the_one_that_fails(tmp_path, speech, capsys):
    files = [
        wav(tmp_path / "a.wav", speech[:64_000]),
        wav(tmp_path / "b.flac", speech[160_000:]),
        tmp_path / "missing.wav",
    ]
    assert voicelane("embed", *files, "--out", tmp_path / "emb.npz") == 1
    assert "missing.wav" in capsys.readouterr().err
    with np.load(tmp_path / "emb.npz", allow_pickle=False) as kept:
        assert kept["path"].tolist() == [str(f) for f in files[:2]]
        assert kept["embedding"].dtype == np.float32 and kept["embedding"].shape == (2, 192)
        np.testing.assert_allclose(np.linalg.norm(kept["embedding"], axis=1), 1.0, atol=1e-5)
        np.testing.assert_allclose(kept["duration_s"], [4.0, 10.0])


def test_models_lists_verified_and_damaged_ones(tmp_path, capsys, monkeypatch):
    assert voicelane("models") == 0
    assert capsys.readouterr().out.count("verified") >= 2
    shutil.copytree(models_folder(), tmp_path / "models")
    with (tmp_path / "models/vad/model.onnx").open("ab") as weights:
        weights.write(b"\0")
    monkeypatch.setenv("VOICELANE_MODELS", str(tmp_path / "models"))
    assert voicelane("models") == 1
    assert "DAMAGED" in capsys.readouterr().out
    assert voicelane("run", DEMO) == 2
    error = capsys.readouterr().err
    assert "checksum" in error and "vad" in error and error.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["run"], ["demo"], ["devices"], ["embed"], ["models"]])
@pytest.mark.slow
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "usage: voicelane" in capsys.readouterr().out


def test_the_module_and_the_console_script_are_the_same():
    found = subprocess.run(
        [sys.executable, "-m", "voicelane", "models"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0 and "conv_transformer" in found.stdout


def test_outputs_must_not_be_the_input_or_one_another(tmp_path, speech, capsys):
    sound = wav(tmp_path / "a.wav", speech[:16_000])
    before = sound.read_bytes()
    same = tmp_path / "x"
    for options in (["--rttm", sound], ["--rttm", same, "--jsonl", same]):
        assert voicelane("run", sound, *options) == 2
        assert "different files" in capsys.readouterr().err
    assert sound.read_bytes() == before


def test_an_output_that_cannot_be_written_leaves_the_other_as_it_was(tmp_path, capsys):
    kept = tmp_path / "a.rttm"
    kept.write_text("old\n")
    assert voicelane("run", DEMO, "--rttm", kept, "--jsonl", tmp_path / "no" / "a.jsonl") == 2
    assert kept.read_text() == "old\n"
    assert "a.jsonl" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_sentence_and_the_other_file_is_whole(tmp_path, capsys):
    assert voicelane("run", DEMO, "--rttm", tmp_path / "a.rttm", "--jsonl", "/dev/full") == 2
    error = capsys.readouterr().err
    assert "voicelane: /dev/full: cannot be written (No space left on device)" in error
    assert "Traceback" not in error
    assert read_rttm(tmp_path / "a.rttm")


def test_a_file_name_that_is_no_text_is_no_trouble(tmp_path, speech):
    path = Path(os.fsdecode(bytes(tmp_path / "caf") + b"\xe9.wav"))
    shutil.move(wav(tmp_path / "a.wav", speech), path)
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm", "--jsonl", tmp_path / "a.jsonl") == 0
    assert (tmp_path / "a.rttm").read_bytes().startswith(b"SPEAKER caf\xe9 1 ")


def test_a_streamed_flac_that_does_not_know_its_length_is_heard(tmp_path, speech):
    data = bytearray(wav(tmp_path / "a.flac", speech).read_bytes())
    data[21] &= 0xF0  # total samples in STREAMINFO: 36 bits from here on
    data[22:26] = bytes(4)
    (tmp_path / "streamed.flac").write_bytes(bytes(data))
    assert voicelane("run", tmp_path / "streamed.flac", "--rttm", tmp_path / "b.rttm") == 0
    assert voicelane("run", tmp_path / "a.flac", "--rttm", tmp_path / "a.rttm") == 0
    found, wanted = read_rttm(tmp_path / "b.rttm"), read_rttm(tmp_path / "a.rttm")
    assert [t.start for t in found] == [t.start for t in wanted]


BAD = {
    "empty.wav": b"",
    "text.wav": b"This is a letter, not a sound.\n" * 20,
    "garbage.flac": bytes(range(256)) * 40,
}


@pytest.mark.parametrize("name", [*BAD, "missing.wav", "folder"])
def test_what_is_not_sound_is_named_in_one_sentence(tmp_path, name, capsys):
    path = tmp_path / name
    if name in BAD:
        path.write_bytes(BAD[name])
    elif name == "folder":
        path.mkdir()
    assert voicelane("run", path, "--rttm", tmp_path / "out.rttm") == 2
    error = capsys.readouterr().err
    assert name in error and error.startswith("voicelane: ") and error.count("\n") == 1


def test_a_wav_without_a_single_sample_is_named(tmp_path, capsys):
    path = wav(tmp_path / "nothing.wav", np.zeros(0, np.float32))
    assert voicelane("run", path) == 2
    assert "nothing.wav" in capsys.readouterr().err


def test_a_truncated_wav_gives_the_turns_of_what_is_there(tmp_path, speech):
    whole = wav(tmp_path / "whole.wav", speech, subtype="PCM_16").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert voicelane("run", tmp_path / "cut.wav", "--rttm", tmp_path / "cut.rttm") == 0
    turns = read_rttm(tmp_path / "cut.rttm")
    assert turns and turns[-1].end <= 10.0


def test_a_truncated_flac_keeps_what_came_before_the_damage(tmp_path, speech, capsys):
    whole = wav(tmp_path / "whole.flac", speech).read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    status = voicelane("run", tmp_path / "cut.flac", "--rttm", tmp_path / "cut.rttm")
    error = capsys.readouterr().err
    assert status == 0 or (status == 2 and "cut.flac" in error and "Traceback" not in error)
    turns = read_rttm(tmp_path / "cut.rttm")
    assert turns and turns[0].start < 5.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_taken_as_silence_and_reported(tmp_path, speech, bad, capsys):
    broken = speech.copy()
    broken[80_000:80_100] = bad
    path = wav(tmp_path / "broken.wav", broken, subtype="FLOAT")
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm") == 0
    assert "samples were not numbers" in capsys.readouterr().out
    assert read_rttm(tmp_path / "a.rttm")


@pytest.mark.parametrize(
    ("rate", "channels"), [(8_000, 1), (96_000, 1), (44_100, 2), (16_000, 6), (11_025, 1)]
)
def test_any_rate_and_channel_count_is_heard(tmp_path, speech, rate, channels):
    soxr = pytest.importorskip("soxr")
    samples = np.stack([soxr.resample(speech, 16_000, rate)] * channels, axis=1)
    path = wav(tmp_path / "other.wav", samples, rate)
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm") == 0
    assert read_rttm(tmp_path / "a.rttm")


@pytest.mark.parametrize(
    "samples",
    [np.zeros(1, np.float32), np.zeros(48_000, np.float32), np.ones(100, np.float32) * 0.5],
    ids=["one sample", "all zero", "6 ms"],
)
def test_sound_without_speech_gives_no_turns(tmp_path, samples, capsys):
    path = wav(tmp_path / "quiet.wav", samples)
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm") == 0
    assert "no speech was found" in capsys.readouterr().out
    assert (tmp_path / "a.rttm").read_text() == ""


def test_clipped_sound_is_heard(tmp_path, speech):
    path = wav(tmp_path / "clipped.wav", np.clip(speech * 30, -1, 1))
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm") == 0
    assert read_rttm(tmp_path / "a.rttm")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "nowhere.toml"],
        ["--encoder", "nonesuch"],
        ["--rttm", "no/a.rttm"],
        ["--max-speakers", "0"],
        ["--encoder", "vad"],
    ],
)
def test_wrong_options_are_named_in_one_sentence(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert voicelane("run", DEMO, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("voicelane: ") and error.count("\n") == 1
    assert arguments[1] in error or "max_speakers" in error


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_cleanly_with_everything_written(tmp_path, sign):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "voicelane",
            "run",
            str(DEMO),
            "--realtime",
            "--rttm",
            str(tmp_path / "a.rttm"),
            "--jsonl",
            str(tmp_path / "a.jsonl"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    for _ in range(1200):
        time.sleep(0.1)
        log = tmp_path / "a.jsonl"
        if log.exists() and '"SpeakerTurn"' in log.read_text():
            break
    else:
        process.kill()
        pytest.fail("no turn appeared within two minutes")
    time.sleep(3.0)
    process.send_signal(sign)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 128 + sign
    assert "everything heard so far is written" in error and "Traceback" not in error
    assert read_rttm(tmp_path / "a.rttm")
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert any(e["event"] == "SpeakerTurn" and e["final"] for e in events)
