"""A recording never holds the engine up, and outlives whatever happens to its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane
from tests.conftest import DEMO, ROOT
from tests.live.test_session import Collector, times
from tests.profiles.test_store import SPACE
from tests.sessions.test_session import hand_made
from voicelane import ArraySource, LiveSession, Pipeline, Recorder, open_session, session_names
from voicelane.base import StoreError
from voicelane.events import EventsDropped, SoundDropped
from voicelane.live import Sound
from voicelane.sessions import TEXT_FORMATS, relabel_session, session_folder, write_speakers

RECORD = """
import sys, time
from voicelane import FileSource, LiveSession, Pipeline, Recorder
from voicelane.sessions import session_folder
pipeline = Pipeline()
pipeline.warm_up()
recorder = Recorder(session_folder("talk"), "demo", pipeline.space)
with LiveSession(FileSource(sys.argv[1], realtime=True), pipeline, [recorder]) as session:
    while not session.wait(0.01):
        print(pipeline.heard_samples, flush=True)
"""


@pytest.mark.parametrize("kill_at_s", [0.9, 7.3])
@pytest.mark.slow
def test_a_killed_recording_loses_less_than_its_last_second_and_opens_and_exports(home, kill_at_s, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", RECORD, str(DEMO)], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    heard = 0
    for line in process.stdout:
        heard = int(line)
        if heard >= kill_at_s * 16_000:
            break
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=30)
    heard = max([heard, *map(int, rest.splitlines()[:-1])])
    assert process.returncode == -signal.SIGKILL
    session = open_session("talk")
    sound = np.concatenate([np.zeros(0, np.float32), *session.sound()])
    assert heard >= kill_at_s * 16_000 and len(sound) > heard - 16_000
    wanted = sf.read(DEMO, dtype="float32", stop=len(sound))[0]
    assert np.abs(sound - wanted).max() <= 1 / 32_768
    assert not session.finished and session_names() == ["talk"]
    assert all(write(session) is not None for write in TEXT_FORMATS.values())
    if kill_at_s > 6:
        first = session.turns()[0].speaker
        assert "Anna" in TEXT_FORMATS["srt"](relabel_session(session, first, "Anna"))
        assert all(sf.info(p).frames == len(sound) for p in write_speakers(session, tmp_path))
    assert voicelane("sessions", "list") == voicelane("sessions", "show", "talk") == 0


FULL = """
import resource, sys
from voicelane.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.exit(main(["run", sys.argv[1], "--session", "talk"]))
"""


def test_a_full_disk_is_one_sentence_and_what_was_recorded_before_opens(home):
    """Here no file may grow beyond 100 kB."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", FULL, str(DEMO)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    problem = found.stderr.splitlines()[-1]
    assert found.returncode == 2 and "cannot be recorded any more" in problem
    assert "Traceback" not in found.stderr
    session = open_session("talk")
    assert not session.finished and session.heard_samples() > 16_000
    assert all(write(session) is not None for write in TEXT_FORMATS.values())


class Stuck(Collector):
    """A recorder whose disk answers only after the sound has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.sounds = threading.Event(), []

    def hear(self, sound) -> None:
        assert self.go_on.wait(60)
        self.sounds.append(sound)


def test_a_stuck_recording_neither_delays_nor_drops_for_others_and_is_told_its_loss(speech):
    sound = speech[: 4 * 16_000]
    stuck, other, pipeline = Stuck(), Collector(), Pipeline()
    pipeline.warm_up()
    sinks = [stuck, other]
    with LiveSession(ArraySource(sound, realtime=True), pipeline, sinks, queue_events=20) as session:
        while pipeline.heard_samples < len(sound):
            time.sleep(0.02)
        stuck.go_on.set()
        session.wait()
    assert session.lost_samples == 0
    assert times(other.events) and not any(isinstance(e, EventsDropped | SoundDropped) for e in other.events)
    lost = sum(e.lost_samples for e in stuck.events if isinstance(e, SoundDropped))
    assert lost > 0 and lost + sum(len(s.samples) for s in stuck.sounds) == len(sound)
    assert all(np.array_equal(s.samples, sound[s.sample : s.sample + len(s.samples)]) for s in stuck.sounds)


def test_what_the_disk_was_too_slow_for_is_counted_and_shown(home, capsys):
    recorder = Recorder(session_folder("talk"), "mic", SPACE)
    recorder.put(SoundDropped(16_000, 8_000))
    recorder.hear(Sound(16_000, np.ones(8_000, np.float32)))
    recorder.close()
    assert open_session("talk").about.lost_samples == 8_000
    assert voicelane("sessions", "show", "talk") == 0
    shown = capsys.readouterr().out
    assert "0.50 s of sound are missing" in shown and "1.5 s of sound" in shown


def edit(folder: Path, change: Callable[[dict], object]) -> None:
    content = json.loads((folder / "session.json").read_text())
    change(content)
    (folder / "session.json").write_text(json.dumps(content))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no JSON": lambda f: (f / "session.json").write_text("{"),
    "no bytes": lambda f: (f / "session.json").write_text(""),
    "a list": lambda f: (f / "session.json").write_text("[]"),
    "a field less": lambda f: edit(f, lambda c: c.pop("state")),
    "a wrong type": lambda f: edit(f, lambda c: c.update(lost_samples="many")),
    "a newer format": lambda f: edit(f, lambda c: c.update(format=99)),
    "a torn event": lambda f: (f / "events.jsonl").open("a").write('{"event": "Speak'),
    "no event": lambda f: (f / "events.jsonl").open("a").write("17\n"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_session_is_named_and_hides_no_other(home, what, capsys):
    hand_made("good", ["S1"])
    DAMAGE[what](hand_made("bad", ["S1"]).folder)
    with pytest.raises(StoreError, match=r"bad/(session\.json|events\.jsonl)"):
        open_session("bad")
    assert voicelane("sessions", "list") == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("bad") and "DAMAGED" in shown[0]
    assert shown[1].startswith("good") and "finished" in shown[1]


def test_a_torn_line_of_an_interrupted_session_costs_that_line_only(home):
    session = hand_made("talk", ["S1", "S2"])
    edit(session.folder, lambda c: c.update(state="recording"))
    with (session.folder / "events.jsonl").open("a") as events:
        events.write('{"event": "SpeakerTurn", "sam')
    torn = open_session("talk")
    assert torn.turns() == session.turns()
    assert relabel_session(torn, "S1", "Anna").labels.shown("S1") == "Anna"


def test_a_recording_without_any_sound_opens_and_exports(home, tmp_path, capsys):
    session = hand_made("talk", [])
    for write in TEXT_FORMATS.values():
        write(session)
    assert write_speakers(session, tmp_path) == []
    (session.folder / "audio.flac").write_bytes(b"")
    assert voicelane("sessions", "show", "talk") == 0
    assert "0.0 s of sound" in capsys.readouterr().out
