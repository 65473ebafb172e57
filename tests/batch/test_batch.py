"""`voicelane batch`: every recording has its result exactly once, whatever fails or dies on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile as sf

from tests.conftest import ROOT
from voicelane.base.errors import VoicelaneError
from voicelane.batch.unit import recordings
from voicelane.cli.main import main

N_FILES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory, speech) -> Path:
    """Six recordings of six seconds, one of them in a folder of its own."""
    found = tmp_path_factory.mktemp("recordings")
    (found / "later").mkdir()
    for i in range(N_FILES):
        part = speech[i * 32_000 : i * 32_000 + 96_000]
        sf.write(found / ("later" if i == N_FILES - 1 else "") / f"talk {i}.wav", part, 16_000)
    return found


def results(out: Path) -> dict[str, str]:
    return {p.relative_to(out).as_posix(): p.read_text() for p in sorted(out.rglob("*.rttm"))}


@pytest.mark.slow
def test_a_result_is_what_run_says_and_a_second_run_does_nothing(folder, tmp_path, capsys):
    out, alone = tmp_path / "out", tmp_path / "alone.rttm"
    assert main(["batch", str(folder), "--out", str(out), "--jobs", "2"]) == 0
    assert (
        f"{N_FILES} recordings, 0 of them were done before, {N_FILES} are done now" in capsys.readouterr().out
    )
    assert main(["run", str(folder / "talk 0.wav"), "--rttm", str(alone)]) == 0
    assert (out / "talk 0.rttm").read_text() == alone.read_text() != ""
    about = json.loads((out / "later/talk 5.json").read_text())
    assert about["heard_s"] == 6.0 and about["spoken_s"] and not about["problem"]

    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.*")}
    assert main(["batch", str(folder), "--out", str(out)]) == 0
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*.*")} == before
    (out / "talk 1.rttm").unlink()
    assert main(["batch", str(folder), "--out", str(out), "--jobs", "1"]) == 0
    assert f"{N_FILES - 1} of them were done before, 1 are done now" in capsys.readouterr().out


@pytest.mark.slow
def test_other_settings_or_another_state_of_the_file_make_it_anew(folder, tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "talk.wav").write_bytes((folder / "talk 0.wav").read_bytes())
    command = ["batch", str(source), "--out", str(out)]
    for extra in ([], ["--max-speakers", "1"]):
        assert main(command + extra) == 0
        assert "0 of them were done before, 1 are done now" in capsys.readouterr().out
    (source / "talk.wav").write_bytes((folder / "talk 1.wav").read_bytes())
    assert main([*command, "--max-speakers", "1"]) == 0
    assert "0 of them were done before, 1 are done now" in capsys.readouterr().out


@pytest.mark.slow
def test_a_bad_recording_is_named_and_stops_nothing(folder, tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "bad.wav").write_text("no sound")
    (source / "good.wav").write_bytes((folder / "talk 0.wav").read_bytes())
    for _ in range(2):
        assert main(["batch", str(source), "--out", str(out), "--jobs", "1"]) == 1
        said = capsys.readouterr()
        assert "bad.wav: not a sound file" in said.err and "1 failed" in said.out
    assert set(results(out)) == {"good.rttm"}
    assert "not a sound file" in json.loads((out / "bad.json").read_text())["problem"]


@pytest.mark.slow
def test_a_killed_process_costs_nothing(folder, tmp_path):
    """Each of the two first processes is killed while it works; new ones do what they left."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "voicelane", "batch", str(folder), "--out", str(out), "--jobs", "2"]
    batch = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not results(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(batch.pid).children(recursive=True)
    at_work = [p for p in children if "spawn_main" in " ".join(p.cmdline())]
    assert len(at_work) == 2
    for process in at_work:
        process.kill()
    printed, _ = batch.communicate(timeout=120)
    assert batch.returncode == 0 and "0 failed" in printed
    assert len(results(out)) == N_FILES and not list(out.rglob("*.partial"))


def test_names_stay_apart(tmp_path, rng):
    for name in ("a.wav", "a.flac", "b.wav", "sub/a.wav"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        sf.write(path, rng.standard_normal(1600).astype(np.float32), 16_000)
    assert [u.name for u in recordings(tmp_path)[0]] == ["a.flac", "a.wav", "b", "sub/a"]


@pytest.mark.parametrize(("given", "said"), [("nowhere", "no such folder"), (".", "holds no sound files")])
def test_a_folder_without_recordings_is_named(tmp_path, given, said):
    with pytest.raises(VoicelaneError, match=said):
        recordings(tmp_path / given)


def test_what_is_in_the_folder_is_done_or_named(tmp_path, speech, capsys):
    from tests.audio.sound_files import write_kind

    source, out, talk = tmp_path / "in", tmp_path / "in" / "out", speech[:64_000]
    source.mkdir()
    for name in ("aac.m4a", "opus.webm"):
        write_kind(source, name, talk)
    sf.write(source / "a.rf64", talk, 16_000, format="RF64")
    write_kind(source, "vorbis.ogg", talk).rename(source / "b.oga")
    sf.write(source / "nameless", talk, 16_000, format="FLAC")
    (source / "notes.txt").write_text("who was there")
    for done in (0, 5):
        assert main(["batch", str(source), "--out", str(out), "--jobs", "1"]) == 0
        said = capsys.readouterr().out
        assert f"5 recordings, {done} of them were done before, {5 - done} are done now" in said
        assert said.endswith("not sound by name or content: notes.txt\n")
    assert set(results(out)) == {"a.rttm", "aac.rttm", "b.rttm", "nameless.rttm", "opus.rttm"}
