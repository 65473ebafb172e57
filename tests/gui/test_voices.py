"""The page of voices as somebody uses it: made, heard, saved, refused; and anonymised sessions."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")
pytest.importorskip("pyworld")
pytest.importorskip("hibari")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from tests.conftest import ROOT
from tests.gui.talk import TALK
from tests.profiles.test_store import SPACE
from voicelane import ArraySource, LabelDesk, PipelineConfig, ProfileStore, Recorder, open_session
from voicelane.gui.panels.voices import VoicesPage
from voicelane.gui.window import Window
from voicelane.gui.work import speech as speaking
from voicelane.gui.work import voicing as work
from voicelane.gui.work.enrolling import READY
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.voicing import IDLE, REFERENCE, SAYING
from voicelane.live import Sound
from voicelane.profiles import Enroller, keep_recording
from voicelane.sessions import session_folder
from voicelane.voices import Voice, VoiceLibrary, heard_mark

pytestmark = pytest.mark.qt

SLOW_MS = 60_000
TEXT = "Good morning everybody. Shall we begin?"


class Cardboard:
    """Takes the place of `TextProcess`."""

    def __init__(self, config: PipelineConfig) -> None:
        self.config = config

    def close(self) -> None:
        pass


@pytest.fixture
def page(window: Window) -> VoicesPage:
    window.show_page("voices")
    return window.voices


@pytest.fixture
def spoken(monkeypatch, speech) -> list[str]:
    """What was said, by a process that always says the first eight seconds of the demo, in no time."""
    texts = []

    class Toy(Cardboard):
        def say(self, text: str, voice: Voice, *rest) -> Iterator[np.ndarray]:
            assert voice.encoder_id == Enroller(self.config).space.encoder_id
            texts.append(text)
            yield from np.split(speech[:128_000], 8)

    monkeypatch.setattr(speaking, "TextProcess", Toy)
    return texts


def idle(page: VoicesPage, qtbot) -> None:
    qtbot.waitUntil(lambda: page.voicing.state == IDLE, timeout=SLOW_MS)


def make(page: VoicesPage, qtbot, name: str, hz: int) -> None:
    page.new.pitch.setValue(hz)
    page.new.name.setText(name)
    page.new.seed.setValue(3)
    page.new.make_button.click()
    qtbot.waitUntil(lambda: page.voicing.gallery.entry("pseudo", name) is not None, timeout=SLOW_MS)
    idle(page, qtbot)


def enrol(name: str, sound: np.ndarray) -> None:
    enroller = Enroller()
    ProfileStore().add(
        name, enroller.space, [keep_recording(enroller.listen(ArraySource(sound)), keep_audio=False)]
    )


def say(page: VoicesPage, qtbot, text: str) -> None:
    page.say.text.setPlainText(text)
    QTest.mouseClick(page.say.say_button, Qt.MouseButton.LeftButton)
    idle(page, qtbot)


def test_a_voice_is_made_drawn_beside_people_and_removed(page, qtbot, enrolment_sound, monkeypatch):
    enrol("Anna", next(iter(enrolment_sound.values())))
    make(page, qtbot, "Iris", 220)
    voice = VoiceLibrary().voice("Iris")
    assert voice.pitch_hz == 220 and page.new.name.text() == ""
    assert [page.list.table.item(row, 0).text() for row in range(2)] == ["Iris", "Anna"]
    drawn = {point.data(): point.symbol() for point in page.map.points.points()}
    assert drawn == {("pseudo", "Iris"): "o", ("person", "Anna"): "d"}
    assert len(page.map.backdrop.points()) > 100, "beside those that could be drawn"
    page.map.points.sigClicked.emit(page.map.points, page.map.points.points()[:1], None)
    assert page.list.entry.name == "Iris" and "Nearest: Anna" in page.list.near.text()
    make(page, qtbot, "Again", 220)
    assert np.allclose(VoiceLibrary().voice("Again").embedding, voice.embedding), "the seed draws it again"
    page.list.choose("person", "Anna")
    assert not page.list.remove_button.isEnabled()
    page.list.choose("pseudo", "Iris")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page.list.remove_button.click()
    qtbot.waitUntil(lambda: page.list.table.rowCount() == 2, timeout=SLOW_MS)
    assert VoiceLibrary().names() == ["Again"]


def test_a_name_that_is_taken_is_told_and_the_first_stays(page, qtbot, window):
    make(page, qtbot, "Iris", 200)
    page.new.name.setText("iris")
    page.new.pitch.setValue(90)
    page.new.make_button.click()
    idle(page, qtbot)
    assert "already" in window.banner.words.text() and VoiceLibrary().voice("Iris").pitch_hz == 200


def test_a_text_is_said_heard_and_saved_with_its_mark(page, qtbot, window, spoken, loudspeakers, tmp_path):
    make(page, qtbot, "Iris", 220)
    page.list.choose("pseudo", "Iris")
    page.list.listen_button.click()
    idle(page, qtbot)
    assert spoken == [work.SAMPLE] and page.say.voice.currentData() == ("pseudo", "Iris")
    say(page, qtbot, TEXT)
    assert spoken[-1] == TEXT and window.studio.voicing.player.busy
    loudspeakers[-1].play(100)
    assert np.abs(np.concatenate(loudspeakers[-1].heard)).max() > 0.01
    assert "8.0 s" in page.say.words.text()
    for name in ("a.wav", "b.flac"):
        page.voicing.save(tmp_path / name)
        idle(page, qtbot)
        with sf.SoundFile(tmp_path / name) as file:
            assert "synthetic" in file.comment and "Iris, which is nobody's" in file.comment
            assert heard_mark([file.read(dtype="float32")]).found
    page.voicing.save(tmp_path / "c.txt")
    idle(page, qtbot)
    assert "sound is written as" in window.banner.words.text() and not (tmp_path / "c.txt").exists()


def test_the_real_voice_is_left_at_once_and_says_the_next(page, qtbot, window, loudspeakers):
    make(page, qtbot, "Iris", 220)
    page.say.text.setPlainText(TEXT * 100)
    page.say.say_button.click()
    qtbot.waitUntil(lambda: page.say.bar.value() > 0, timeout=SLOW_MS)
    assert page.voicing.state == SAYING and page.say.say_button.text() == "Cancel"
    qtbot.waitUntil(lambda: page.voicing.player.busy, timeout=SLOW_MS)
    begun_s = time.monotonic()
    page.say.say_button.click()
    assert not loudspeakers[-1].running
    idle(page, qtbot)
    assert time.monotonic() - begun_s < 5.0, "minutes of speech are not waited for"
    assert page.voicing.spoken is None and not page.say.save_button.isEnabled()
    say(page, qtbot, "Good morning.")
    assert page.voicing.spoken is not None and 8_000 < page.voicing.spoken.sound.n_samples < 48_000
    assert len(multiprocessing.active_children()) == 1
    window.close()
    qtbot.waitUntil(lambda: not multiprocessing.active_children(), timeout=SLOW_MS)


def test_a_process_that_dies_is_told_and_another_takes_its_place(page, qtbot, window):
    make(page, qtbot, "Iris", 220)
    page.say.text.setPlainText(TEXT * 100)
    page.say.say_button.click()
    qtbot.waitUntil(lambda: page.say.bar.value() > 0, timeout=SLOW_MS)
    multiprocessing.active_children()[0].kill()
    idle(page, qtbot)
    assert "died; try again" in window.banner.words.text() and page.voicing.spoken is None
    say(page, qtbot, "Good morning.")
    assert page.voicing.spoken is not None


def test_speech_is_heard_while_it_comes_and_nothing_of_it_is_lost(
    page, qtbot, monkeypatch, loudspeakers, speech
):
    rest = threading.Event()

    class Slow(Cardboard):
        def say(self, text: str, voice: Voice, *_) -> Iterator[np.ndarray]:
            yield speech[:16_000]
            rest.wait(SLOW_MS / 1000)
            yield speech[16_000:32_000]

    monkeypatch.setattr(speaking, "TextProcess", Slow)
    make(page, qtbot, "Iris", 220)
    page.say.text.setPlainText(TEXT)
    page.say.say_button.click()
    qtbot.waitUntil(lambda: page.voicing.player.busy, timeout=SLOW_MS)
    assert page.voicing.state == SAYING
    loudspeakers[-1].play(50)
    rest.set()
    idle(page, qtbot)
    loudspeakers[-1].play(26)
    qtbot.waitUntil(lambda: not page.voicing.player.busy, timeout=SLOW_MS)
    heard = np.concatenate(loudspeakers[-1].heard)
    assert np.allclose(heard[:16_000], speech[:16_000], atol=1e-4)
    assert not heard[16_000:32_000].any(), "what is late is waited for"
    assert np.allclose(heard[32_000:48_000], speech[16_000:32_000], atol=1e-4)


def test_the_window_goes_on_while_the_first_text_is_said():
    command = [sys.executable, "-W", "ignore", "-m", "tests.gui.stall"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=100)
    assert float(found.stdout) < 50.0, "milliseconds"


def test_a_text_that_cannot_be_said_is_one_sentence(page, qtbot, window):
    make(page, qtbot, "Iris", 220)
    for text, words in (("  ", "nothing to say"), ("Доброе утро", "cannot say"), ("<b>Hello</b>", "markup")):
        say(page, qtbot, text)
        told = window.banner.words.text()
        assert words in told and "--" not in told and page.voicing.spoken is None


def test_a_person_speaks_only_with_consent(page, qtbot, window, spoken, enrolment_sound, monkeypatch):
    enrol("Anna", next(iter(enrolment_sound.values())))
    page.voicing.refresh()
    qtbot.waitUntil(lambda: page.list.table.rowCount() == 1, timeout=SLOW_MS)
    say(page, qtbot, TEXT)
    told = window.banner.words.text()
    assert "has not consented" in told and "--" not in told and "`" not in told and spoken == []
    page.list.choose("person", "Anna")
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    page.list.consent_button.click()
    assert ProfileStore().consent("Anna") is None, "No is no consent"
    page.list.consent_button.click()
    qtbot.waitUntil(lambda: page.list.table.item(0, 1).text() == "consents", timeout=SLOW_MS)
    say(page, qtbot, TEXT)
    assert spoken == [TEXT] and not window.banner.isVisible()
    page.list.consent_button.click()
    assert ProfileStore().consent("Anna") is None


def test_a_recording_is_a_voice_with_warnings(page, qtbot, window, spoken, enrolment_sound, rng, tmp_path):
    page.say.voice.setCurrentIndex(page.say.voice.findText("a recording …"))
    assert page.say.reference.isVisible()
    say(page, qtbot, TEXT)
    assert "no reference yet" in window.banner.words.text() and spoken == []
    anna, other = (enrolment_sound[who] for who in sorted(enrolment_sound)[:2])
    noisy = anna[: 6 * 16_000] + 0.02 * rng.standard_normal(6 * 16_000).astype(np.float32)
    both = np.concatenate([anna[: 8 * 16_000], other[: 8 * 16_000]])
    for name, sound, told in (
        ("short.wav", anna[:24_000], "only"),
        ("both.wav", both, "two voices"),
        ("noisy.wav", noisy, "quieter place"),
    ):
        sf.write(tmp_path / name, sound, 16_000)
        page.voicing.hear_reference(str(tmp_path / name))
        qtbot.waitUntil(lambda: page.voicing.reference.state == READY, timeout=SLOW_MS)
        assert name in page.say.report.text() and told in page.say.report.text()
        page.say.voice.setCurrentIndex(page.say.voice.findText("a recording …"))
        say(page, qtbot, TEXT)
        if name != "noisy.wav":
            assert name in window.banner.words.text().casefold() and spoken == []
    assert spoken == [TEXT] and page.voicing.spoken.voice.name == REFERENCE


def test_a_missing_extra_is_said_on_the_page(studio, qtbot):
    studio.voicing.missing = "speech in other voices needs the extra"
    page = VoicesPage(studio)
    qtbot.addWidget(page)
    page.show()
    assert page.missing.text() == "Speech in other voices needs the extra." and page.missing.isVisible()
    assert not page.say.say_button.isEnabled() and not page.list.listen_button.isEnabled()


@pytest.fixture
def interview(window, speech) -> str:
    """Eight seconds as a session in which two speak at once; one of them has a name."""
    recorder, desk = Recorder(session_folder("one"), "demo.wav", SPACE), LabelDesk(TALK)
    recorder.hear(Sound(0, speech[:128_000]))
    desk.rename("S1", "Anna")
    for event in [*TALK, *desk.take(128_000)]:
        recorder.put(event)
    recorder.close()
    return "one"


def test_a_session_is_anonymised_with_its_options(window, qtbot, interview, tmp_path):
    window.show_page("sessions")
    qtbot.waitUntil(lambda: window.sessions.table.rowCount() == 1, timeout=SLOW_MS)
    for keep, name in ((True, "kept"), (False, "masked")):
        dialog = window.sessions.anonymise_chosen()
        dialog.folder.setText(str(tmp_path / name))
        dialog.keep_names.setChecked(keep)
        dialog.overlap.setCurrentIndex(int(keep))
        closed = []
        dialog.destroyed.connect(lambda: closed.append(True))  # noqa: B023
        dialog.export_button.click()
        qtbot.waitUntil(lambda: bool(closed), timeout=SLOW_MS)  # noqa: B023
        session = open_session(str(tmp_path / name))
        shown = {session.labels.shown(turn.speaker) for turn in session.turns()}
        assert ("Anna" in shown) == keep
        done = (tmp_path / name / "overlaps.csv").read_text()
        assert ("muted" in done, "converted" in done) == (keep, not keep)
    assert any("is anonymised" in words for words in window.toasts.words)
    dialog = window.sessions.anonymise_chosen()
    dialog.folder.setText(str(tmp_path / "kept"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: "something already" in dialog.words.text(), timeout=SLOW_MS)
    dialog.close()


def test_an_export_that_is_left_leaves_nothing(window, qtbot, interview, tmp_path):
    window.show_page("sessions")
    qtbot.waitUntil(lambda: window.sessions.table.rowCount() == 1, timeout=SLOW_MS)
    dialog = window.sessions.anonymise_chosen()
    dialog.folder.setText(str(tmp_path / "out" / "masked"))
    dialog.export_button.click()
    course = dialog.course
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert course.cancelled
    qtbot.waitUntil(lambda: not Job.running, timeout=SLOW_MS)
    assert list((tmp_path / "out").glob("*")) == []
