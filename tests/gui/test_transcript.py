"""The transcript beside the timeline: a click plays a word, it is searched, changed, copied and kept."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.talk import TALK, turn
from tests.gui.test_pages import recorded
from voicelane import LabelDesk, open_session
from voicelane.events import Caption, CaptionsBehind, Word
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.words import SETTLED, changed, laid_out, lines_of
from voicelane.live import Sound
from voicelane.sessions import session_folder
from voicelane.words import Recognised, words_of, write_words

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
SLOW_MS = 30_000
TEXT = ("Good morning everybody.", "Hello Anna.", "Shall we begin?", "Yes, good.")


def said() -> tuple[Word, ...]:
    """Some words in each of the four turns of the talk."""
    words = []
    for spoken, text in zip(TALK, TEXT, strict=True):
        parts, start = text.split(), spoken.start + 12_000 * (spoken.speaker == "S3")
        step = (spoken.end - start) // len(parts)
        places = (start + i * step for i in range(len(parts)))
        words += [Word(at, at + step - 800, f" {p}", 0.9) for at, p in zip(places, parts, strict=True)]
    return tuple(words)


WORDS = said()


@pytest.fixture
def read(window, qtbot):
    """A session with words, on the screen."""
    recorded("one", {"S1": "Anna"})
    write_words(session_folder("one"), Recognised(WORDS, "en", "base"))
    window.studio.open("one")
    text = window.listen.transcript.text
    qtbot.waitUntil(lambda: len(text.page.words) == len(WORDS), timeout=SLOW_MS)
    qtbot.waitUntil(lambda: window.studio.conversation.sound.n_samples == 128_000, timeout=SLOW_MS)
    QApplication.processEvents()
    return window


def place(text, word: str):
    """The middle of the first such word, in pixels."""
    first = text.toPlainText().index(word)
    left, right = text.cursorRect(text._at(first)), text.cursorRect(text._at(first + len(word)))
    return (left.center() + right.center()) / 2


def shows(read, qtbot, words: str) -> None:
    qtbot.waitUntil(lambda: words in read.listen.transcript.text.toPlainText(), timeout=SLOW_MS)


def test_paragraphs_have_names_times_and_their_words(read, qtbot):
    text = read.listen.transcript.text
    assert text.toPlainText().splitlines() == [
        "■ Anna  0:00",
        TEXT[0],
        "■ S2  0:02",
        TEXT[1],
        "■ S3  0:04",
        TEXT[2],
        "■ Anna  0:06",
        TEXT[3],
    ]
    read.studio.rename_speaker("S2", "Jamal")
    shows(read, qtbot, "■ Jamal  0:02")
    read.studio.conversation.correct(lambda desk: desk.merge("S3", "S2"))
    qtbot.waitUntil(lambda: "S3" not in text.toPlainText(), timeout=SLOW_MS)


def test_a_click_plays_the_word_and_enter_goes_on_from_it(read, qtbot, loudspeakers):
    text, studio = read.listen.transcript.text, read.studio
    QTest.mouseClick(text.viewport(), LEFT, pos=place(text, "morning"))
    qtbot.waitUntil(lambda: studio.player.playing)
    word = next(w for w in WORDS if w.text == " morning")
    assert studio.conversation.cursor == word.start and studio.player.place <= word.start
    qtbot.waitUntil(lambda: text._heard is not None or not loudspeakers[-1].play(1))
    loudspeakers[-1].play(60)
    qtbot.waitUntil(lambda: not studio.player.playing)
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_Return)
    assert studio.player.playing and studio.player.place == word.start
    loudspeakers[-1].play(75)
    assert studio.player.place > word.end, "it goes on"
    studio.player.stop()
    QTest.keyClick(text, Qt.Key.Key_Space)
    assert studio.player.playing, "Space is the window's"
    studio.player.stop()


def test_words_are_searched(read, qtbot):
    panel = read.listen.transcript
    panel.search.setText("good")
    assert panel.words.text() == "2 found" and len(panel.text.extraSelections()) == 2
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    first = panel.text.textCursor().position()
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.text.textCursor().position() > first
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.text.textCursor().position() == first, "and round again"
    panel.search.setText("")
    assert panel.text.extraSelections() == []


def test_a_word_is_changed_left_out_undone_and_kept(read, qtbot):
    panel, studio = read.listen.transcript, read.studio
    text = panel.text
    QTest.mouseDClick(text.viewport(), LEFT, pos=place(text, "everybody."))
    QTest.keyClicks(text._editor, "friends.")
    QTest.keyClick(text._editor, Qt.Key.Key_Return)
    shows(read, qtbot, "Good morning friends.")
    assert not studio.player.playing
    kept = lambda: "".join(w.text for w in words_of(open_session("one")).words)  # noqa: E731
    qtbot.waitUntil(lambda: "friends." in kept(), timeout=SLOW_MS)
    number = next(i for i, w in enumerate(text.page.words) if w.text == " Anna.")
    next(a for a in text.menu_of(number).actions() if "Leave it out" in a.text()).trigger()
    shows(read, qtbot, "Hello\n")
    studio.rename_speaker("S2", "Jamal")
    for words in ("■ S2", "Hello Anna.", TEXT[0]):
        studio.undo()
        shows(read, qtbot, words)
    qtbot.waitUntil(lambda: kept() == "".join(w.text for w in WORDS), timeout=SLOW_MS)
    QTest.mouseDClick(text.viewport(), LEFT, pos=place(text, "Shall"))
    QTest.keyClick(text._editor, Qt.Key.Key_Escape)
    assert text.page.words == WORDS and not studio.conversation._rewritten


def test_all_of_it_or_what_is_selected_is_copied_with_names(read):
    panel = read.listen.transcript
    panel.copy.click()
    whole = QApplication.clipboard().text()
    assert whole.splitlines() == [
        f"{n}: {t}" for n, t in zip(("Anna", "S2", "S3", "Anna"), TEXT, strict=True)
    ]
    panel.text.find("morning")
    panel.copy.click()
    assert QApplication.clipboard().text() == "morning"


def test_live_words_come_and_change_and_lateness_is_told(window, qtbot):
    conversation, panel = window.studio.conversation, window.listen.transcript
    sound = SoundHistory()
    sound.hear(Sound(0, np.zeros(128_000, np.float32)))
    conversation.begin("live", sound)
    conversation.live = LabelDesk(TALK)
    conversation.take([*TALK, Caption(60_000, "S1", 0, 30_000, WORDS[:3], True, "en")])
    conversation.take([Caption(60_000, "S2", 30_000, 60_000, WORDS[3:4], False, "en")])
    qtbot.waitUntil(lambda: "Hello" in panel.text.toPlainText(), timeout=SLOW_MS)
    conversation.take([Caption(61_000, "S2", 30_000, 60_000, WORDS[3:5], False, "en")])
    qtbot.waitUntil(lambda: "Hello Anna." in panel.text.toPlainText(), timeout=SLOW_MS)
    conversation.take([Caption(62_000, "S2", 30_000, 30_000, (), False), CaptionsBehind(62_000, 8.0)])
    qtbot.waitUntil(lambda: "Hello" not in panel.text.toPlainText(), timeout=SLOW_MS)
    assert "8 s behind" in panel.words.text()
    panel.text.edit(0)
    assert "when the conversation is over" in window.toasts.words[-1]


def test_a_long_text_grows_at_its_end_as_if_it_were_made_anew(rng):
    words, turns, at = [], [], 0
    for i in range(400):
        length = int(rng.integers(3_000, 30_000))
        turns.append(turn(f"S{rng.integers(3)}", at, at + length))
        words += [Word(at + k * length // 4, at + (k + 1) * length // 4, f" w{i}", 0.9) for k in range(4)]
        at += length
    assert at > 2 * SETTLED
    lines = []
    for n in range(100, len(words) + 1, 100):
        lines = lines_of(words[:n], turns, lines)
    assert lines == lines_of(words, turns)
    page = laid_out(lines, str)
    assert [page.text[slice(*page.span(i))] for i in range(len(words))] == [
        w.text.strip() for w in page.words
    ]
    assert all(page.word_at(page.starts[i]) == i for i in range(len(words)))
    assert len(changed(words, words[7], "")) == len(words) - 1


def test_without_words_the_timeline_has_the_room(read, qtbot):
    """And none of it is left to nobody, with words and without."""
    listen = read.listen
    splitter = listen.transcript.parentWidget()

    def gap() -> int:
        shown = [splitter.widget(i) for i in range(splitter.count()) if splitter.widget(i).isVisible()]
        return splitter.height() - sum(w.height() for w in shown) - splitter.handleWidth() * (len(shown) - 1)

    before = listen.timeline.height()
    assert abs(gap()) <= 2
    recorded("two", {})
    read.studio.open("two")
    qtbot.waitUntil(lambda: read.studio.conversation.title == "two", timeout=SLOW_MS)
    QApplication.processEvents()
    assert listen.timeline.height() > before and abs(gap()) <= 2


def test_without_words_they_are_offered_and_without_a_model_it_is_said(window, qtbot, tmp_path):
    recorded("one", {})
    studio, panel = window.studio, window.listen.transcript
    studio.preferences.change(words_model=str(tmp_path / "nothing"))
    studio.open("one")
    qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    qtbot.waitUntil(panel.recognise.isVisible, timeout=SLOW_MS)
    panel.recognise.click()
    qtbot.waitUntil(lambda: studio.writing is None, timeout=SLOW_MS)
    assert "no such folder" in window.banner.words.text()
    qtbot.waitUntil(panel.recognise.isVisible, timeout=SLOW_MS)


@pytest.mark.slow
def test_the_words_of_a_recorded_session_are_written_down(window, qtbot, talk_file):
    from tests.words.models import english_model

    studio, panel = window.studio, window.listen.transcript
    studio.preferences.change(words_model=str(english_model()), source=str(talk_file))
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        studio.listen()
    qtbot.waitUntil(panel.recognise.isVisible, timeout=SLOW_MS)
    panel.recognise.click()
    qtbot.waitUntil(lambda: bool(panel.text.page.words), timeout=120_000)
    assert words_of(studio.conversation.session) is not None and "written down" in window.toasts.words[-1]
