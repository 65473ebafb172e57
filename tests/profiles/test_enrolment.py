"""Enrolment: what the report says of a recording, and the commands as a user meets them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane
from voicelane import ArraySource, Enroller, PipelineConfig, ProfileStore, read_rttm
from voicelane.base import AudioError, DeviceError, StoreError
from voicelane.config import EncoderConfig
from voicelane.profiles import in_space, keep_recording, known_people, record
from voicelane.profiles.enrolment import consistency, signal_to_noise_db

LSTM = PipelineConfig(encoder=EncoderConfig(model="lstm"))


@pytest.fixture(scope="session")
def enroller() -> Enroller:
    return Enroller()


@pytest.fixture
def files(enrolment_sound, tmp_path) -> list[Path]:
    """A sound file of each of the three speakers of the demo."""
    for who, sound in enrolment_sound.items():
        sf.write(tmp_path / f"{who}.wav", sound, 16_000)
    return [tmp_path / f"{who}.wav" for who in enrolment_sound]


@pytest.mark.parametrize("true_db", [0.0, 10.0, 20.0, 30.0])
def test_the_estimated_ratio_is_the_true_one(true_db, rng):
    """Noise of a known level under loud stretches whose place is known."""
    speech = np.repeat(rng.random(40) < 0.6, 10)
    noise = rng.standard_normal((400, 320))
    loud = rng.standard_normal((400, 320)) * 10 ** (true_db / 20) * speech[:, None]
    assert signal_to_noise_db(noise + loud, speech) == pytest.approx(true_db, abs=1.0)


def test_noise_lowers_the_estimate_and_asks_for_a_quieter_place(enroller, speech, rng):
    noise = rng.standard_normal(len(speech)).astype("f4")
    found = [enroller.listen(ArraySource(speech + level * noise)) for level in (0.0, 0.01, 0.03)]
    ratios = [e.recording.snr_db for e in found]
    assert ratios[0] > ratios[1] + 3 > ratios[2] + 6
    assert "quieter" in " ".join(found[2].advice()) and "quieter" not in " ".join(found[0].advice())


def test_two_voices_are_noticed_and_one_is_not(enroller, enrolment_sound):
    alone = [enroller.listen(ArraySource(x)) for x in enrolment_sound.values()]
    assert not any("two voices" in " ".join(e.advice()) for e in alone)
    one, two = list(enrolment_sound.values())[:2]
    both = enroller.listen(ArraySource(np.concatenate([one[: 9 * 16_000], two[: 9 * 16_000]])))
    assert both.recording.consistency < min(e.recording.consistency for e in alone)
    assert "two voices" in " ".join(both.advice())


def test_consistency_is_the_mean_cosine_between_different_windows(rng):
    rows = rng.standard_normal((5, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [float(rows[i] @ rows[j]) for i in range(5) for j in range(i)]
    assert consistency(rows) == pytest.approx(np.mean(pairs)) and consistency(rows[:1]) == 1.0


def test_silence_holds_nobody(enroller):
    with pytest.raises(AudioError, match="no speech"):
        enroller.listen(ArraySource(np.zeros(48_000, np.float32)))


def test_what_is_missing_for_enough_speech_is_said(enroller, enrolment_sound):
    short = enroller.listen(ArraySource(enrolment_sound["speaker3"]))
    missing_s = int(np.ceil(10.0 - short.recording.speech_s))
    assert short.enough and f"speak {missing_s} s more" in short.advice()


def test_a_profile_of_another_space_is_embedded_anew_from_its_sound_or_refused(
    home,
    enroller,
    enrolment_sound,
):
    store, other = ProfileStore(), Enroller(LSTM)
    heard = enroller.listen(ArraySource(enrolment_sound["speaker2"]))
    for name, keep in (("Anna", True), ("Bob", False)):
        store.add(name, enroller.space, [keep_recording(heard, keep)])
    people, refused = known_people(store, other)
    assert [p.name for p in people] == ["Anna"]
    assert len(refused) == 1 and all(word in refused[0] for word in ("Bob", "lstm", "voicelane enrol"))
    anna, bob = store.profile("Anna"), store.profile("Bob")
    assert anna.space == other.space and anna.version == 2 and bob.space == enroller.space
    direct = other.listen(ArraySource(enrolment_sound["speaker2"])).recording.embedding
    assert float(anna.recordings[0].embedding @ direct) > 0.99
    back = in_space(store, anna, enroller).recordings[0].embedding
    assert float(back @ heard.recording.embedding) > 0.99


class Microphone:
    """A push source that speaks from a thread of its own, perhaps not long enough."""

    def __init__(self, samples: np.ndarray) -> None:
        self.name, self.rate, self.channels, self.duration_s = "mic:test", 16_000, 1, None
        self.finished, self.closed, self._samples = threading.Event(), False, samples

    def start(self, write) -> None:
        def speak() -> None:
            for block in np.array_split(self._samples[:, None], 50):
                write(block)
            self.finished.set()

        threading.Thread(target=speak).start()

    def close(self) -> None:
        self.closed = True


def test_a_microphone_is_recorded_for_as_long_as_was_asked(rng):
    samples, told = rng.standard_normal(32_000).astype("f4"), []
    microphone = Microphone(samples)
    source = record(microphone, 1.5, told.append)
    np.testing.assert_array_equal(np.concatenate(list(source.blocks()))[:, 0], samples[:24_000])
    assert microphone.closed and told[-1] == 1.5
    with pytest.raises(DeviceError, match="mic:test"):
        record(Microphone(samples), 5.0, told.append)


def test_enrol_then_run_shows_the_names_everywhere(files, rest, tmp_path, capsys):
    for path in files:
        assert voicelane("enrol", f"the {path.stem}", path) == 0
    report = capsys.readouterr().out
    assert report.count("s of speech") == 6 and "consistency" in report and "over the noise" in report
    sf.write(tmp_path / "rest.wav", rest, 16_000)
    outputs = ["--rttm", tmp_path / "a.rttm", "--jsonl", tmp_path / "a.jsonl"]
    assert voicelane("run", tmp_path / "rest.wav", *outputs) == 0
    assert "S1 is the speaker" in capsys.readouterr().out
    assert {f"the_{p.stem}" for p in files} <= {t.speaker for t in read_rttm(tmp_path / "a.rttm")}
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    names = {f"the {p.stem}" for p in files}
    assert {e["name"] for e in events if e["event"] == "SpeakerIdentified"} == names
    shown = {e["name"] for e in events if e["event"] == "SpeakerTurn" and "name" in e}
    assert shown and shown <= names  # who is recognised by the last re-clustering has no turn after it
    assert voicelane("run", tmp_path / "rest.wav", "--no-people", "--rttm", tmp_path / "b.rttm") == 0
    assert {t.speaker for t in read_rttm(tmp_path / "b.rttm")} <= {f"S{k}" for k in range(1, 6)}


def test_too_little_speech_is_refused_unless_forced(enrolment_sound, tmp_path, capsys):
    path = tmp_path / "short.wav"
    sf.write(path, enrolment_sound["speaker2"][:32_000], 16_000)
    assert voicelane("enrol", "Anna", path) == 2
    error = capsys.readouterr().err
    assert "Anna" in error and "speak" in error and error.count("\n") == 1
    assert ProfileStore().names() == []
    assert voicelane("enrol", "Anna", path, "--force") == 0
    assert voicelane("enrol", "Bob", path, path) == 0, "two recordings add up"


def test_recordings_of_different_people_under_one_name_are_noticed(files, capsys):
    assert voicelane("enrol", "Anna", files[0]) == 0
    assert "do not sound like one person" not in capsys.readouterr().out
    assert voicelane("enrol", "Anna", files[1]) == 0
    assert "do not sound like one person" in capsys.readouterr().out


def test_a_foreign_profile_is_named_and_the_run_goes_on(files, tmp_path, capsys):
    assert voicelane("enrol", "Anna", files[1], "--encoder", "lstm") == 0
    assert voicelane("run", files[1]) == 0
    assert "left out: Anna: was enrolled with encoder lstm" in capsys.readouterr().err
    assert voicelane("run", files[1], "--people") == 2
    assert voicelane("enrol", "Anna", files[1]) == 2
    assert "--replace" in capsys.readouterr().err
    assert voicelane("enrol", "Anna", files[1], "--replace") == 0


def test_trouble_with_the_database_stops_no_run_unless_people_were_asked_for(files, home, capsys):
    home.mkdir()
    (home / "profiles.db").write_bytes(b"no database\n" * 100)
    assert voicelane("run", files[2]) == 0
    assert "nobody is recognised by name" in capsys.readouterr().err
    for command in (["run", files[2], "--people"], ["enrol", "Anna", files[2]], ["profiles", "list"]):
        assert voicelane(*command) == 2
        error = capsys.readouterr().err
        assert "profiles.db" in error and "Traceback" not in error


def test_the_profile_commands_do_what_they_say(files, tmp_path, capsys):
    for name, path in zip(("Anna", "Bob", "Eve"), files, strict=True):
        assert voicelane("enrol", name, path, "--keep-audio") == 0
    assert voicelane("profiles", "rename", "Bob", "Robert") == 0
    assert voicelane("profiles", "export", tmp_path / "all.zip") == 0
    assert voicelane("profiles", "merge", "Eve", "Anna") == 0
    assert voicelane("profiles", "remove", "robert") == 0
    assert ProfileStore().names() == ["Anna"]
    capsys.readouterr()
    assert voicelane("profiles", "show", "anna") == 0
    assert capsys.readouterr().out.count(".flac") == 2
    assert voicelane("profiles", "import", tmp_path / "all.zip") == 2
    assert voicelane("profiles", "import", tmp_path / "all.zip", "--replace") == 0
    capsys.readouterr()
    assert voicelane("profiles", "list") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[:3]] == ["Anna", "Eve", "Robert"]
    for missing in (["show", "X"], ["remove", "X"], ["rename", "X", "Y"], ["merge", "X", "Anna"]):
        assert voicelane("profiles", *missing) == 2
        assert "no profile named 'X'" in capsys.readouterr().err


def test_without_profiles_a_run_leaves_no_trace(files, home):
    assert voicelane("run", files[2]) == 0
    assert not home.exists()
    with pytest.raises(StoreError):
        ProfileStore().profile("Anna")
