"""Recorded sessions: what was heard is on disk at any moment, and every export parses back."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane
from tests.live.test_session import offline
from tests.profiles.test_store import SPACE
from voicelane import (
    ArraySource,
    FileSource,
    LabelDesk,
    LiveSession,
    Pipeline,
    PipelineConfig,
    Recorder,
    Session,
    SpeakerTurn,
    open_session,
    read_rttm,
)
from voicelane.base import StoreError, seconds
from voicelane.config import DenoiserConfig
from voicelane.live import Sound, final_turns
from voicelane.sessions import TEXT_FORMATS, correct_session, relabel_session, session_folder, write_speakers
from voicelane.stages import load_denoiser

HOSTILE = "=HYPERLINK(1) <b>{\\an8} --> & Zoë"


def recorded(name: str, sound: np.ndarray) -> Session:
    recorder = Recorder(session_folder(name), "array", SPACE)
    with LiveSession(ArraySource(sound), Pipeline(), [recorder]) as session:
        session.wait()
    return open_session(name)


@pytest.fixture
def session(speech: np.ndarray) -> Session:
    return recorded("talk", speech)


def hand_made(name: str, speakers: list[str]) -> Session:
    """A second of sound for each of some turns, without an engine."""
    recorder = Recorder(session_folder(name), "array", SPACE)
    sound = np.linspace(-0.5, 0.5, 16_000 * len(speakers), dtype="f4")
    for i, speaker in enumerate(speakers):
        start, end = 16_000 * i, 16_000 * (i + 1)
        recorder.hear(Sound(start, sound[start:end]))
        recorder.put(SpeakerTurn(end, speaker, start + 1_000, end - 1_000, end, 0.9, True))
    recorder.close()
    return open_session(name)


def coverage(turns: list[SpeakerTurn]) -> dict[str, list[int]]:
    """The 10 ms steps that everybody speaks in."""
    found: dict[str, set[int]] = {}
    for t in turns:
        found.setdefault(t.speaker, set()).update(range(t.start // 160, t.end // 160))
    return {speaker: sorted(steps) for speaker, steps in found.items()}


def test_a_session_holds_the_sound_and_the_events_of_the_engine(session, speech):
    heard = np.concatenate(list(session.sound()))
    assert session.finished and session.about.lost_samples == 0
    assert len(heard) == len(speech) and np.abs(heard - speech).max() <= 1 / 32_768
    assert coverage(session.turns()) == coverage(final_turns(offline(speech)))


def test_a_session_with_a_denoiser_keeps_both_sounds_and_exports_either(home, speech, rng, tmp_path, capsys):
    noisy = (speech + 0.02 * rng.standard_normal(len(speech))).astype("f4")[: 8 * 16_000]
    recorder = Recorder(session_folder("noisy"), "array", SPACE)
    pipeline = Pipeline(PipelineConfig(denoiser=DenoiserConfig("clean")))
    with LiveSession(ArraySource(noisy), pipeline, [recorder]) as session:
        session.wait()
    kept = open_session("noisy")
    heard, cleaned = (np.concatenate(list(sound)) for sound in (kept.sound(), kept.clean_sound()))
    assert np.abs(heard - noisy).max() <= 1 / 32_768
    denoiser = load_denoiser(DenoiserConfig("clean"))
    wanted = np.concatenate((denoiser.process(noisy), denoiser.flush()))
    assert len(cleaned) == len(noisy) and np.abs(cleaned - wanted).max() <= 1e-4
    assert voicelane("sessions", "export", "noisy", "--format", "wav", "--clean", "--out", tmp_path) == 0
    voices = [sf.read(path, dtype="float32")[0] for path in capsys.readouterr().out.split()]
    assert voices and all(np.isin(v, [0.0, *cleaned[v != 0.0]]).all() for v in voices)
    assert voicelane("sessions", "remove", "noisy") == 0
    assert not session_folder("noisy").exists()


def test_a_session_without_a_denoiser_is_cleaned_for_an_export(session, speech):
    denoiser = load_denoiser(DenoiserConfig("clean"))
    wanted = np.concatenate((denoiser.process(speech), denoiser.flush()))
    assert np.abs(np.concatenate(list(session.clean_sound())) - wanted).max() <= 1e-3


def test_sound_of_another_rate_is_recorded_as_the_engine_heard_it(speech, home, tmp_path):
    soxr = pytest.importorskip("soxr")
    sf.write(tmp_path / "a.wav", np.stack([soxr.resample(speech, 16_000, 44_100)] * 2, axis=1), 44_100)
    recorder, pipeline = Recorder(session_folder("talk"), "a.wav", SPACE), Pipeline()
    with LiveSession(FileSource(tmp_path / "a.wav"), pipeline, [recorder]) as session:
        session.wait()
    heard = np.concatenate(list(open_session("talk").sound()))
    assert len(heard) == pipeline.heard_samples
    assert np.corrcoef(heard[:320_000], speech[: len(heard)][:320_000])[0, 1] > 0.99


def test_only_the_owner_can_read_any_of_it(session, home):
    for path in (home, *home.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_lost_sound_is_silence_in_its_place(home):
    recorder = Recorder(session_folder("talk"), "array", SPACE)
    recorder.hear(Sound(0, np.full(1_000, 0.5, np.float32)))
    recorder.hear(Sound(50_000, np.full(1_000, 0.5, np.float32)))
    recorder.close()
    heard = np.concatenate(list(open_session("talk").sound()))
    assert len(heard) == 51_000 and not heard[1_000:50_000].any() and heard[50_000:].all()


@pytest.mark.parametrize("name", ["talk", "", "..", ".hidden", "a b", "a:b", "a\nb"])
def test_a_session_never_overwrites_and_never_leaves_its_folder(session, name):
    with pytest.raises(StoreError):
        Recorder(session_folder(name), "array", SPACE)


def test_a_path_names_a_session_anywhere(tmp_path, speech):
    found = recorded(f"{tmp_path}/some where/talk", speech[:32_000])
    assert found.folder == tmp_path / "some where" / "talk" and found.name == "talk"


def test_relabelling_is_kept_and_goes_by_label_and_by_name(session):
    first = session.turns()[0].speaker
    assert relabel_session(session, first, "Anna").labels.shown(first) == "Anna"
    again = relabel_session(open_session("talk"), "Anna", "Zoë")
    assert open_session("talk").labels.shown(first) == again.labels.shown(first) == "Zoë"
    with pytest.raises(StoreError, match=r"nobody is called 'Anna'.*Zoë"):
        relabel_session(again, "Anna", "Bob")


@pytest.fixture
def hostile(home: Path) -> Session:
    """Four turns of three speakers, one of whom has a name that means something to every format."""
    return relabel_session(hand_made("talk", ["S1", "S2", "S1", "S3"]), "S1", HOSTILE)


def rows(session: Session) -> list[tuple[float, float, str]]:
    return [(seconds(t.start), seconds(t.end), session.labels.shown(t.speaker)) for t in session.turns()]


def test_rttm_parses_back(hostile, tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text(TEXT_FORMATS["rttm"](hostile), encoding="utf-8")
    assert all(len(line.split(" ")) == 10 for line in path.read_text().splitlines())
    found = [(t.start, t.end, t.speaker) for t in read_rttm(path)]
    near = [(pytest.approx(a, abs=2e-3), pytest.approx(b, abs=2e-3), n) for a, b, n in rows(hostile)]
    assert found == [(a, b, "_".join(name.split())) for a, b, name in near]


def test_json_parses_back(hostile):
    content = json.loads(TEXT_FORMATS["json"](hostile))
    assert [(t["start_s"], t["end_s"], t["speaker"]) for t in content["turns"]] == [
        (round(a, 3), round(b, 3), name) for a, b, name in rows(hostile)
    ]
    assert [t["label"] for t in content["turns"]] == ["S1", "S2", "S1", "S3"]
    assert content["state"] == "finished" and content["encoder_id"] == SPACE.encoder_id


@pytest.mark.parametrize("sign", "=+-@")
def test_csv_parses_back_and_holds_no_formula(home, sign):
    session = relabel_session(hand_made("talk", ["S1", "S2"]), "S1", f'{sign}1+"2",3')
    found = list(csv.DictReader(io.StringIO(TEXT_FORMATS["csv"](session), newline="")))
    assert [r["speaker"] for r in found] == [f'\'{sign}1+"2",3', "S2"]
    assert [(float(r["start_s"]), float(r["end_s"])) for r in found] == [
        (round(a, 3), round(b, 3)) for a, b, _ in rows(session)
    ]
    assert not any(cell.startswith(("=", "+", "-", "@")) for r in found for cell in r.values())


CLOCK = r"(\d\d):(\d\d):(\d\d)[.,](\d{3})"


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_parse_back_and_hold_no_markup_of_the_names(hostile, kind):
    text = TEXT_FORMATS[kind](hostile)
    cues = re.findall(rf"^{CLOCK} --> {CLOCK}\n(.*)\n", text, re.MULTILINE)
    assert len(cues) == 4 and text.count("-->") == 4
    for (*clock, line), (start, end, name) in zip(cues, rows(hostile), strict=True):
        times = np.array(clock, int).reshape(2, 4) @ (3600.0, 60.0, 1.0, 0.001)
        np.testing.assert_allclose(times, (start, end), atol=6e-4)
        if kind == "vtt":
            voice, line = re.fullmatch(r"<v ([^<>]*)>([^<>]*)</v>", line).groups()
            assert html.unescape(voice) == html.unescape(line) == name
        else:
            assert not set("<>{}") & set(line)
            assert html.unescape(line) == name.replace("{", "(").replace("}", ")")
    assert text.startswith("WEBVTT\n\n" if kind == "vtt" else "1\n")


def test_wav_files_are_as_long_as_the_session_and_add_up_to_what_was_said(hostile, tmp_path):
    paths = write_speakers(hostile, tmp_path / "out")
    assert len(paths) == 3 and all(p.parent == tmp_path / "out" for p in paths)
    found = [sf.read(p, dtype="float32")[0] for p in paths]
    sound, said = np.concatenate(list(hostile.sound())), np.zeros(64_000, bool)
    for turn in hostile.turns():
        said[turn.start : turn.end] = True
    np.testing.assert_allclose(np.sum(found, axis=0), np.where(said, sound, 0.0), atol=1e-4)
    assert sum((f != 0).astype(int) for f in found).max() == 1


def test_names_that_look_alike_to_a_file_system_get_files_of_their_own(home, tmp_path):
    session = hand_made("talk", ["S1", "S2", "S3"])
    for label, name in (("S1", "a/b"), ("S2", "A:B"), ("S3", "..")):
        session = relabel_session(session, label, name)
    names = sorted(p.name.lower() for p in write_speakers(session, tmp_path))
    assert len(set(names)) == 3 and {p.name.lower() for p in tmp_path.glob("*.wav")} == set(names)


def test_the_commands_record_list_show_relabel_and_export(speech, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sf.write(tmp_path / "a.wav", speech, 16_000)
    assert voicelane("run", "a.wav", "--session", "talk") == 0
    assert "recorded: " in capsys.readouterr().out
    assert voicelane("run", "a.wav", "--session", "talk") == 2
    assert "choose another name" in capsys.readouterr().err
    assert voicelane("sessions", "relabel", "talk", "S1", "Zoë") == 0
    assert voicelane("sessions", "list") == voicelane("sessions", "show", "talk") == 0
    shown = capsys.readouterr().out
    assert "finished" in shown and "20.0 s of sound" in shown and "Zoë" in shown
    for kind in TEXT_FORMATS:
        assert voicelane("sessions", "export", "talk", "--format", kind) == 0
        assert voicelane("sessions", "export", "talk", "--format", kind, "--out", f"a.{kind}") == 0
        assert capsys.readouterr().out == Path(f"a.{kind}").read_bytes().decode()
    assert voicelane("sessions", "export", "talk", "--format", "wav") == 0
    assert (tmp_path / "talk-speakers" / "Zoë.wav").is_file()
    assert voicelane("sessions", "show", "nonesuch") == 2
    assert "sessions list" in capsys.readouterr().err


def test_a_session_is_removed_with_its_sound_and_nothing_else_is(speech, home, capsys):
    for name in ("gone", "kept"):
        recorded(name, speech[:32_000])
    (session_folder("kept") / "notes.txt").write_text("mine")
    (session_folder("gone") / "session.json").write_text("damaged")
    assert voicelane("sessions", "remove", "gone") == 0 and not session_folder("gone").exists()
    assert open_session("kept").finished
    assert voicelane("sessions", "remove", "kept") == 0
    assert [p.name for p in session_folder("kept").iterdir()] == ["notes.txt"]
    capsys.readouterr()
    assert voicelane("sessions", "remove", "kept") == 2 and "there is no session" in capsys.readouterr().err


def test_corrections_by_hand_are_kept_and_every_export_follows_them(home):
    session = hand_made("talk", ["S1", "S2", "S1"])
    session = correct_session(session, lambda desk: desk.assign("S1", "S2", 1_000, 8_000))
    session = correct_session(session, lambda desk: desk.split("S1", 20_000))
    session = relabel_session(session, "S1b", "Anna")
    expected = [("S2", 1_000, 8_000), ("S1", 8_000, 15_000), ("S2", 17_000, 31_000), ("Anna", 33_000, 47_000)]
    for found in (session, open_session("talk")):
        assert [(found.labels.shown(t.speaker), t.start, t.end) for t in found.turns()] == expected
        assert [r["speaker"] for r in json.loads(TEXT_FORMATS["json"](found))["turns"]] == [
            name for name, *_ in expected
        ]
    for _ in range(3):
        session = correct_session(session, LabelDesk.undo)
    assert [t.speaker for t in open_session("talk").turns()] == ["S1", "S2", "S1"]
    assert [t.speaker for t in correct_session(session, LabelDesk.redo).turns()] == ["S2", "S1", "S2", "S1"]
    with pytest.raises(StoreError):
        relabel_session(session, "nobody", "Anna")
