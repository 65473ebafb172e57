"""Encrypted profiles in the window: asked once, wrong ones said, refusing costs only the names."""

from __future__ import annotations

import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QInputDialog, QLabel, QLineEdit

from tests.gui.talk import names
from voicelane import ArraySource, Enroller, ProfileStore
from voicelane.gui.work.passphrase import ASK, REFUSED

pytestmark = pytest.mark.qt

WORDS = "three sheep on a hill"
SLOW_MS = 40_000


@pytest.fixture
def talk_of_three(monkeypatch, home, tmp_path, enrolment_sound, rest) -> str:
    """Path of a conversation of three people, who are enrolled, their voices encrypted."""
    monkeypatch.delenv("VOICELANE_PASSPHRASE", raising=False)
    store, enroller = ProfileStore(), Enroller()
    for who, sound in enrolment_sound.items():
        store.add(f"Known {who}", enroller.space, [enroller.listen(ArraySource(sound)).recording])
    store.encrypt(WORDS)
    sf.write(tmp_path / "talk.wav", rest, 16_000)
    return str(tmp_path / "talk.wav")


@pytest.fixture
def answer(window):
    """What is typed into each dialog that opens, None to cancel; gives the questions that were asked."""
    given: list[str | None] = []
    asked: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QInputDialog):
            field = dialog.findChild(QLineEdit)
            assert field is not None and field.echoMode() == QLineEdit.EchoMode.Password
            asked.append(dialog.findChild(QLabel).text())
            words = given.pop(0)
            field.setText(words or "")
            dialog.reject() if words is None else dialog.accept()

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(20)

    def answer(*words: str | None) -> list[str]:
        given.extend(words)
        return asked

    return answer


def listen(window, qtbot, path: str) -> None:
    window.transport.choose_file(path)
    with qtbot.waitSignal(window.studio.listening.finished, timeout=SLOW_MS):
        window.transport.start.click()


def recognised(window) -> bool:
    return any(name.startswith("Known ") for name in names(window))


def test_a_wrong_passphrase_is_asked_for_again_and_the_right_one_once(window, qtbot, talk_of_three, answer):
    asked = answer("not these words", WORDS)
    listen(window, qtbot, talk_of_three)
    assert asked == [ASK, "The passphrase of the profiles is wrong; try again"]
    assert recognised(window) and not window.banner.isVisible()
    window.show_page("people")
    table = window.people.profiles.table
    qtbot.waitUntil(lambda: table.rowCount() == 3 and table.item(0, 1).text().endswith(" s"))
    assert len(asked) == 2, "asked once"


def test_without_the_passphrase_the_app_goes_on_without_names_and_says_so(
    window, qtbot, talk_of_three, answer
):
    asked = answer(None)
    listen(window, qtbot, talk_of_three)
    assert asked == [ASK] and window.studio.conversation.state.finals and not recognised(window)
    assert window.banner.isVisible() and window.banner.words.text().lower() == REFUSED
    window.show_page("people")
    table = window.people.profiles.table
    qtbot.waitUntil(lambda: table.rowCount() == 3 and table.item(0, 1).text() == "encrypted")
    qtbot.wait(100)
    assert asked == [ASK], "asked once"
    answer(WORDS)
    window.studio.unlock(again=True)
    window.people.profiles.refresh()
    assert asked == [ASK, ASK] and table.item(0, 1).text() != "encrypted"


def test_a_passphrase_in_the_environment_is_not_asked_for(window, qtbot, talk_of_three, answer, monkeypatch):
    asked = answer()
    monkeypatch.setenv("VOICELANE_PASSPHRASE", WORDS)
    listen(window, qtbot, talk_of_three)
    assert recognised(window) and asked == []
