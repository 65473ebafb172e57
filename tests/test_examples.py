"""The programs of examples/, and the README's, do on the bundled conversation what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile as sf

from tests.conftest import DEMO, ROOT

pytestmark = pytest.mark.slow


def run(*command: object, folder: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def talk(tmp_path, speech) -> Path:
    """What the README calls talk.wav: the first 20 s of the conversation."""
    sf.write(tmp_path / "talk.wav", speech, 16_000)
    return tmp_path / "talk.wav"


def test_the_readme_tells_who_spoke_when(talk):
    (program,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    lines = [line.split() for line in run("-c", program, folder=talk.parent).splitlines()]
    assert lines and {speaker for _, _, speaker in lines} <= {"S1", "S2", "S3"}
    assert all(0 <= float(start) < float(end) <= 20.0 for start, end, _ in lines)


def test_a_file_is_diarised(talk):
    *turns, last = run("examples/diarise_a_file.py", talk).splitlines()
    assert len(turns) > 3 and re.fullmatch(r"S\d spoke for \d+ s", last)


def test_a_sink_of_ones_own_hears_of_every_final_turn(talk):
    *told, last = run("examples/sink_of_your_own.py", talk).splitlines()
    n_turns, n_told = map(int, re.fullmatch(r"(\d+) turns, (\d+) of them .*", last).groups())
    assert n_turns > 3 and n_told == len(told)


def test_enrolled_people_are_recognised(tmp_path, enrolment_sound):
    voices = []
    for name, sound in enrolment_sound.items():
        sf.write(tmp_path / f"{name}.wav", sound, 16_000)
        voices.append(f"{name}={tmp_path / name}.wav")
    lines = run("examples/enrol_and_recognise.py", DEMO, *voices).splitlines()
    recognised = dict(re.findall(r"^(S\d) is (\w+) ", "\n".join(lines), re.MULTILINE))
    assert set(recognised.values()) == set(enrolment_sound) and len(recognised) == 3
