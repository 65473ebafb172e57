"""`voicelane verify` as a user meets it: what it prints and what it exits with."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane, wav
from voicelane import ProfileStore
from voicelane.cli import verify as verify_command
from voicelane.inference import models_folder

RATE = 16_000
LINE = re.compile(
    r"([\d.]+) s of speech, score +(-?[\d.]+), log-likelihood ratio +([+-][\d.]+) (accept|reject)"
)
VERDICT = re.compile(
    r"(ACCEPT|REJECT) (\w+): log-likelihood ratio ([+-][\d.]+), threshold \+[\d.]+ for 5 % false accepts, "
    r"from [\d,]{6,} comparisons of \d{3,} strangers"
)


@pytest.fixture
def enrolled(tmp_path: Path, enrolment_sound: dict[str, np.ndarray], capsys) -> list[str]:
    """Names of the three, each enrolled under the own label."""
    for who, sound in enrolment_sound.items():
        assert voicelane("enrol", who, wav(tmp_path / f"{who}.wav", sound)) == 0
    capsys.readouterr()
    return list(enrolment_sound)


@pytest.fixture
def spoken(tmp_path: Path, later: dict[str, np.ndarray]) -> dict[str, Path]:
    """What each of the three says later, as a file."""
    return {who: wav(tmp_path / f"later {who}.wav", sound) for who, sound in later.items()}


def test_the_exit_status_tells_acceptance_and_rejection(enrolled, spoken, capsys):
    for name in enrolled:
        for who, file in spoken.items():
            accepted = who == name
            assert voicelane("verify", name, file, "--false-accepts", 5) == (0 if accepted else 1)
            line, verdict = capsys.readouterr().out.splitlines()
            ((_, _, ratio, decision),) = LINE.findall(line)
            assert decision == ("accept" if accepted else "reject")
            assert VERDICT.fullmatch(verdict).groups() == (decision.upper(), name, ratio)


def test_evidence_grows_line_by_line_when_live(enrolled, spoken, capsys):
    name = enrolled[0]
    assert voicelane("verify", name, spoken[name], "--live", "--false-accepts", 5) == 0
    found = LINE.findall(capsys.readouterr().out)
    heard_s = [float(told[0]) for told in found]
    assert heard_s == sorted(heard_s) and [int(s) for s in heard_s[:4]] == [1, 2, 3, 4]
    assert float(found[-1][2]) > float(found[0][2])


@pytest.mark.parametrize("live", [[], ["--live"]])
def test_only_the_first_seconds_are_heard_if_that_is_wanted(enrolled, spoken, live, capsys):
    name = enrolled[0]
    assert voicelane("verify", name, spoken[name], "--seconds", 2, "--false-accepts", 5, *live) in (0, 1)
    assert 0.5 < float(LINE.findall(capsys.readouterr().out)[-1][0]) <= 2.0


def refused(capsys, *arguments: object) -> str:
    """The message on stderr of a command that must fail with 2."""
    assert voicelane("verify", *arguments) == 2
    printed = capsys.readouterr()
    assert "ACCEPT" not in printed.out and "REJECT" not in printed.out
    return printed.err


def test_what_cannot_be_verified_is_an_error_and_no_rejection(enrolled, spoken, tmp_path, capsys):
    name, file = enrolled[0], spoken[enrolled[0]]
    assert "no profile named 'Nobody'" in refused(capsys, "Nobody", file)
    assert "missing.wav" in refused(capsys, name, tmp_path / "missing.wav")
    silence = wav(tmp_path / "silence.wav", np.zeros(3 * RATE))
    assert "silence.wav: no speech" in refused(capsys, name, silence)
    assert "silence.wav: no speech" in refused(capsys, name, silence, "--live")
    assert "expected 0.5 … 600" in refused(capsys, name, file, "--seconds", 0)
    with pytest.raises(SystemExit, match="2"):
        voicelane("verify", name, file, "--false-accepts", 3)


def test_another_space_is_an_error_and_leaves_the_profile_as_it_was(enrolled, spoken, capsys):
    name, file = enrolled[0], spoken[enrolled[0]]
    before = ProfileStore().profile(name)
    assert "enhancer off, not for" in refused(capsys, name, file, "--enhancer", "mlp")
    assert "lstm: its scores are not calibrated" in refused(capsys, name, file, "--encoder", "lstm")
    after = ProfileStore().profile(name)
    assert (after.space, after.version) == (before.space, before.version)


def test_a_profile_of_another_space_is_an_error(enrolment_sound, spoken, tmp_path, capsys):
    name, sound = next(iter(enrolment_sound.items()))
    assert voicelane("enrol", name, wav(tmp_path / "a.wav", sound), "--encoder", "lstm") == 0
    assert "was enrolled with encoder lstm" in refused(capsys, name, spoken[name])


def test_a_damaged_calibration_is_an_error(enrolled, spoken, tmp_path, monkeypatch, capsys):
    name, file = enrolled[0], spoken[enrolled[0]]
    shutil.copytree(models_folder(), tmp_path / "models")
    (tmp_path / "models/conv_transformer/cohort.npy").write_bytes(b"x")
    monkeypatch.setenv("VOICELANE_MODELS", str(tmp_path / "models"))
    assert "checksum of cohort.npy is wrong" in refused(capsys, name, file)


class Microphone:
    """Gives its sound at once from a thread, like PortAudio does; then it waits, or it is lost."""

    def __init__(self, sound: np.ndarray, lost: bool) -> None:
        self.name, self.rate, self.channels, self.duration_s = "mic:test", RATE, 1, None
        self.finished, self._sound, self._lost = threading.Event(), sound, lost

    def start(self, write) -> None:
        def speak() -> None:
            write(self._sound[:, None])
            if self._lost:
                self.finished.set()

        threading.Thread(target=speak, daemon=True).start()

    def close(self) -> None:
        self.finished.set()


@pytest.mark.parametrize("speaker, status", [(0, 0), (1, 1)])
def test_a_microphone_decides_after_its_seconds(enrolled, spoken, speaker, status, monkeypatch, capsys):
    sound = sf.read(spoken[enrolled[speaker]], dtype="float32")[0][: 7 * RATE]
    monkeypatch.setattr("voicelane.audio.sources.MicrophoneSource", Microphone)
    monkeypatch.setattr(verify_command, "source_of", lambda name: Microphone(sound, lost=False))
    assert voicelane("verify", enrolled[0], "mic", "--seconds", 6, "--false-accepts", 5) == status
    printed = capsys.readouterr().out
    assert "speak now, for 6 s" in printed and len(LINE.findall(printed)) >= 3


def test_a_microphone_that_is_lost_is_an_error(enrolled, spoken, monkeypatch, capsys):
    sound = sf.read(spoken[enrolled[0]], dtype="float32")[0][: 3 * RATE]
    monkeypatch.setattr("voicelane.audio.sources.MicrophoneSource", Microphone)
    monkeypatch.setattr(verify_command, "source_of", lambda name: Microphone(sound, lost=True))
    assert "mic:test" in refused(capsys, enrolled[0], "mic")
