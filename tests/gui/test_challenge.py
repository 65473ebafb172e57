"""The challenge of the Verify page: digits and voice must both be right, in time."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from tests.gui.test_voices import enrol
from tests.voices.test_digits import Reads
from voicelane import VoicelaneError
from voicelane.gui.panels.verification import VerificationPage
from voicelane.gui.window import Window
from voicelane.gui.work import challenging as work
from voicelane.gui.work import enrolling
from voicelane.gui.work.challenging import ASKING, IDLE
from voicelane.live import Sound

pytestmark = pytest.mark.qt

SLOW_MS = 60_000
ASKED = [4, 7, 1, 9]


class Recording:
    """A session under way that has nothing to stop."""

    def stop(self) -> None:
        """Nothing."""


@pytest.fixture
def page(window: Window, enrolment_sound, monkeypatch) -> VerificationPage:
    """Anna is enrolled, the digits are known, and the microphone hears what `answer` gives it."""
    enrol("Anna", next(iter(enrolment_sound.values())))
    monkeypatch.setattr(work, "draw_digits", lambda rng: ASKED)
    monkeypatch.setattr(enrolling, "_recording", lambda *_: Recording())
    window.studio.preferences.change(false_accepts=5.0)
    window.show_page("verify")
    return window.verification


def answer(page: VerificationPage, qtbot, sound: np.ndarray) -> None:
    """Press the button, let it be said, and press it again."""
    challenging = page.challenge._challenging
    page.challenge.ask.click()
    qtbot.waitUntil(lambda: challenging.state == ASKING, timeout=SLOW_MS)
    assert page.challenge.digits.text().split() == list("4719") and page.challenge.bar.value() > 70
    challenging.recorder.ear.hear(Sound(0, sound))
    page.challenge.ask.click()
    qtbot.waitUntil(lambda: challenging.state == IDLE, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: challenging.outcome is None or bool(page.verdict.text()), timeout=SLOW_MS)


@pytest.mark.parametrize(
    ("who", "read", "accepted", "words"),
    [
        (0, (4, 7, 1, 9), True, "digits right; the voice fits"),
        (0, (4, 7, 1, 8), False, "digits wrong; the voice fits"),
        (1, (4, 7, 1, 9), False, "the voice does not fit"),
    ],
)
def test_voice_and_digits_must_both_be_right(page, qtbot, later, monkeypatch, who, read, accepted, words):
    sound = later[sorted(later)[who]][:96_000]
    parts = [sound[k * 24_000 : k * 24_000 + 20_000] for k in range(4)]
    monkeypatch.setattr("voicelane.voices.challenge.words_in", lambda sound, expected: parts)
    monkeypatch.setattr(work, "load_digit_reader", lambda: Reads(*read, sure=0.99))
    answer(page, qtbot, sound)
    assert page.verdict.text() == ("Accepted" if accepted else "Rejected")
    assert words in page.words.text()


def test_a_replayed_sentence_is_refused_by_the_real_reader(page, qtbot, later):
    answer(page, qtbot, later[min(later)])
    assert page.verdict.text() == "Rejected" and "the voice fits" in page.words.text()


def test_the_time_is_over_by_itself(page, qtbot, later, monkeypatch):
    monkeypatch.setattr(work, "ANSWER_S", 0.3)
    challenging = page.challenge._challenging
    page.challenge.ask.click()
    qtbot.waitUntil(lambda: challenging.state == ASKING, timeout=SLOW_MS)
    assert 0 < challenging.left_s <= 0.3
    challenging.recorder.ear.hear(Sound(0, later[min(later)]))
    qtbot.waitUntil(lambda: challenging.outcome is not None, timeout=SLOW_MS)
    assert not challenging.outcome.accepted


def test_silence_and_a_lost_microphone_are_told_and_decide_nothing(page, qtbot, window, monkeypatch):
    answer(page, qtbot, np.zeros(64_000, np.float32))
    assert "no speech" in window.banner.words.text() and page.verdict.text() == ""

    def lost(*_: object) -> Recording:
        raise VoicelaneError("mic: no sound comes")

    monkeypatch.setattr(enrolling, "_recording", lost)
    page.challenge.ask.click()
    qtbot.waitUntil(lambda: "no sound comes" in window.banner.words.text(), timeout=SLOW_MS)
    assert page.challenge._challenging.state == IDLE and page.challenge.ask.text() == "Ask for digits"


def test_digits_are_spoken_before_the_microphone_hears(page, qtbot, loudspeakers):
    challenging = page.challenge._challenging
    page.challenge.aloud.setChecked(True)
    page.challenge.ask.click()
    qtbot.waitUntil(lambda: bool(loudspeakers), timeout=SLOW_MS)
    assert challenging.recorder.state == enrolling.IDLE and not page.challenge.digits.isVisible()
    loudspeakers[-1].play(400)
    assert np.abs(np.concatenate(loudspeakers[-1].heard)).max() > 0.01
    qtbot.waitUntil(lambda: challenging.state == ASKING, timeout=SLOW_MS)
    assert page.challenge.digits.isVisible()
    challenging.cancel()


def test_nobody_who_is_enrolled_is_nobody_to_ask(window):
    window.show_page("verify")
    assert not window.verification.challenge.ask.isEnabled()
