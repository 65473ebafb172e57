"""A recorded session opens at once: what is known first, pictures from a file, the sound as it comes."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("PySide6")

from tests.gui.test_pages import recorded
from voicelane import Session, open_session
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.work.opening import keep_pictures, take_pictures
from voicelane.live import Sound
from voicelane.sessions import AUDIO, PICTURES, remove_session, rename_session, session_folder

pytestmark = pytest.mark.qt

SLOW_MS = 30_000


@pytest.fixture
def heard(speech) -> SoundHistory:
    sound = SoundHistory()
    sound.hear(Sound(0, speech[:160_000]))
    return sound


def test_pictures_come_back_as_they_were_and_the_sound_adds_none(heard, home, speech):
    recorded("one", {})
    session = open_session("one")
    keep_pictures(session.folder, heard)
    again = SoundHistory()
    assert take_pictures(session, again)
    for per_pixel in (200.0, 1_000.0, 9_000.0):
        np.testing.assert_array_equal(again.waveform(0, 50, per_pixel), heard.waveform(0, 50, per_pixel))
        np.testing.assert_array_equal(
            again.spectrogram(0, 50, per_pixel), heard.spectrogram(0, 50, per_pixel)
        )
    again.hear_recorded(speech[:160_000])
    np.testing.assert_array_equal(again.waveform(0, 50, 1_000.0), heard.waveform(0, 50, 1_000.0))
    np.testing.assert_allclose(again.read(0, 160_000), speech[:160_000], atol=1e-4)


@pytest.mark.parametrize("damage", ["torn", "other sound", "another shape", "no file"])
def test_pictures_that_do_not_fit_are_made_anew(heard, home, damage):
    recorded("one", {})
    session = open_session("one")
    keep_pictures(session.folder, heard)
    path = session.folder / PICTURES
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:1_000])
    elif damage == "other sound":
        with (session.folder / AUDIO).open("ab") as file:
            file.write(b"more")
    elif damage == "another shape":
        size = (session.folder / AUDIO).stat().st_size
        np.savez(path, audio_bytes=size, **{n: np.zeros((3, 3)) for n in heard.pictures()})
    else:
        path.unlink()
    assert not take_pictures(session, sound := SoundHistory()) and not sound.pictured


def test_pictures_go_and_move_with_their_session(heard, home):
    recorded("one", {})
    keep_pictures(session_folder("one"), heard)
    folder = rename_session("one", "two")
    assert (folder / PICTURES).exists()
    remove_session("two")
    assert not folder.exists()


def test_it_is_seen_before_its_sound_is_there_and_says_how_far_it_is(window, qtbot, monkeypatch):
    """The sound stops half way until somebody has looked."""
    recorded("one", {"S1": "Anna"})
    go_on, whole = threading.Event(), Session.sound

    def slowly(session):
        blocks = np.concatenate(list(whole(session)))
        yield blocks[:64_000]
        yield np.resize(blocks, 1 << 17)[: (1 << 17) - 64_000]
        assert go_on.wait(30)

    monkeypatch.setattr(Session, "sound", slowly)
    studio, transport, timeline = window.studio, window.transport, window.listen.timeline
    studio.open("one")
    assert studio.opening is not None
    transport._tick()
    assert transport.progress.isVisible() and "opening one" in transport.title.text(), "at once"
    qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    assert [lane.speaker for lane in studio.conversation.lanes.all] == ["S1", "S2", "S3"]
    qtbot.waitUntil(lambda: studio.opening.share == 1.0, timeout=SLOW_MS)
    transport._tick()
    assert "100 %" in transport.title.text()
    before = timeline.n_pictures
    qtbot.waitUntil(lambda: timeline.n_pictures > before + 2, timeout=SLOW_MS)
    go_on.set()
    qtbot.waitUntil(lambda: studio.opening is None, timeout=SLOW_MS)
    transport._tick()
    assert not transport.progress.isVisible() and transport.title.text() == "one"


def test_the_second_time_the_picture_is_there_with_the_first(window, qtbot):
    recorded("one", {})
    studio = window.studio
    for pictured in (False, True):
        studio.conversation.clear()
        studio.open("one")
        qtbot.waitUntil(lambda: studio.opening is None, timeout=SLOW_MS)
        assert studio.conversation.sound.pictured == pictured
        assert studio.conversation.sound.waveform(0, 10, 1_000.0).shape == (2, 10)
