"""A visit to the real window, driven by mouse and keyboard; `test_gui_visit.py` runs it under Xvfb.

It says `ready` when the microphone is open, waits for the conversation to be played, and prints what it saw
as one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from voicelane.gui.app import application, open_window
from voicelane.gui.model.session_list import summaries
from voicelane.gui.panels.timeline.menu import lane_menu
from voicelane.gui.window import Window
from voicelane.gui.work.enrolling import READY
from voicelane.gui.work.leaving import LEAVE
from voicelane.gui.work.listening import IDLE, RUNNING

LEFT = Qt.MouseButton.LeftButton
PATIENCE_S = 25.0
SERVED = "Monitor of"
"""How the sound server calls the only microphone that it has here."""


def until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit(f"it never came to this: {what}")
        QTest.qWait(20)


def click(widget: QWidget) -> None:
    assert widget.isEnabled() and widget.isVisible(), widget.accessibleName()
    QTest.mouseClick(widget, LEFT)


def choose(menu: QMenu, *words: str) -> None:
    """Open a menu on the screen and trigger an entry, or one of a menu in it."""
    menu.popup(menu.parentWidget().mapToGlobal(menu.parentWidget().rect().center()))
    until(menu.isVisible, "a menu")
    top = menu
    for word in words[:-1]:
        menu = next(a.menu() for a in menu.actions() if word in a.text() and a.menu())
    next(a for a in menu.actions() if words[-1] in a.text()).trigger()
    top.close()


def names(window: Window) -> list[str]:
    conversation = window.studio.conversation
    return [conversation.shown(lane.speaker) for lane in conversation.lanes.all]


def listen(window: Window) -> None:
    """Choose the virtual microphone and press start."""
    studio = window.studio
    until(lambda: any(d["name"].startswith(SERVED) for d in studio.devices.found), "a virtual microphone")
    name = next(d["name"] for d in studio.devices.found if d["name"].startswith(SERVED))
    window.transport.source.setCurrentText(name)
    window.transport.source.activated.emit(window.transport.source.currentIndex())
    click(window.transport.start)
    until(lambda: studio.listening.state == RUNNING, "a running microphone")
    until(lambda: studio.conversation.n_samples > 16_000, "sound")
    print("ready", flush=True)


def lose_the_microphone(window: Window) -> dict[str, object]:
    """Its server is stopped after `ready` and started again after `lost`."""
    conversation, found = window.studio.conversation, dict[str, object]()
    listen(window)
    until(lambda: bool(conversation.state.device_lost), "a lost microphone")
    found["banner"] = window.banner.words.text() if window.banner.isVisible() else ""
    print("lost", flush=True)
    until(lambda: not conversation.state.device_lost, "the microphone again")
    back = conversation.n_samples
    until(lambda: conversation.n_samples > back + 16_000, "more sound")
    found["banner_after"] = window.banner.isVisible()
    click(window.transport.stop)
    until(lambda: window.studio.listening.state == IDLE, "the end")
    found["gaps"] = [(gap.start, gap.end, gap.kind) for gap in conversation.state.gaps]
    session = conversation.session
    assert session is not None
    found["recorded"], found["heard"] = session.heard_samples(), conversation.n_samples
    return found


def plug_in_a_microphone(window: Window, talk: Path) -> dict[str, object]:
    """It is connected after `playing`, seen while the turn still plays, and listened to."""
    studio, picker = window.studio, window.transport.source
    window.open_file(talk)
    until(lambda: studio.listening.state == IDLE and bool(studio.conversation.lanes.all), "a conversation")
    studio.play()
    before = [picker.itemText(i) for i in range(picker.count())]
    place = studio.player.place
    until(lambda: studio.player.place > place + 8_000, "a sound that plays")
    print("playing", flush=True)

    def seen() -> bool:
        picker.hidePopup()
        picker.showPopup()
        QTest.qWait(400)
        return picker.findText("headset") >= 0

    until(seen, "a new microphone")
    place = studio.player.place
    until(lambda: studio.player.place > place + 8_000, "a sound that plays on")
    found: dict[str, object] = {"before": before, "plays_on": studio.player.playing}
    picker.setCurrentText("headset")
    picker.activated.emit(picker.currentIndex())
    picker.hidePopup()
    click(window.transport.start)
    until(lambda: studio.listening.state == RUNNING, "a running microphone")
    until(lambda: studio.conversation.n_samples > 16_000, "sound")
    found["title"] = studio.conversation.title
    click(window.transport.stop)
    until(lambda: studio.listening.state == IDLE, "the end")
    return found


def visit(window: Window, heard_s: float, out: Path) -> dict[str, object]:
    studio, found = window.studio, dict[str, object]()
    conversation, listening = studio.conversation, studio.listening
    listen(window)
    until(lambda: bool(conversation.state.finals), "a confirmed turn")
    end = conversation.n_samples + heard_s * 16_000
    until(lambda: conversation.n_samples > end and len(conversation.lanes.all) >= 2, "two speakers")
    found["tentative_first"] = bool(conversation.state.voices)
    window.grab().save(str(out / "live.png"))

    longest = max(conversation.lanes.all, key=lambda lane: lane.talk_samples)
    choose(lane_menu(window, studio, longest, lambda _: None), "Remember the voice")
    until(lambda: window.people.enrolling.state == READY, "a judged voice")
    QTest.keyClicks(window.people.name, "Anna")
    click(window.people.save)
    until(lambda: window.people.profiles.table.rowCount() == 1, "a profile")
    found["enrolled"] = window.people.profiles.table.item(0, 0).text()

    window.show_page("listen")
    first, second = (conversation.shown(lane.speaker) for lane in conversation.lanes.all[:2])
    before = names(window)
    choose(lane_menu(window, studio, conversation.lanes.all[1], lambda _: None), "is the same as", first)
    until(lambda: second not in names(window), "a merged speaker")
    found["before"], found["merged"] = before, [second, first]

    click(window.transport.stop)
    until(lambda: listening.state == IDLE, "the end")
    found["lost"] = conversation.state.lost_samples
    found["live"] = sorted(names(window))
    window.show_page("sessions")
    until(lambda: window.sessions.table.rowCount() == 1, "the recorded session")
    (summary,) = summaries()
    click(window.sessions.open_button)
    until(lambda: conversation.title == summary.name, "the session again")
    until(lambda: conversation.sound.n_samples > 16_000, "its sound")
    found["reopened"], found["state"] = sorted(names(window)), summary.state
    window.show_page("sessions")
    window.sessions.export("rttm", out / "talk.rttm")
    until(lambda: (out / "talk.rttm").exists(), "the export")
    window.grab().save(str(out / "sessions.png"))
    found["platform"] = QApplication.platformName()
    return found


def main() -> None:
    app = application(["voicelane"])
    window = open_window(app)
    window.studio.ask = lambda *_: LEAVE
    if sys.argv[1:] == ["lose"]:
        found = lose_the_microphone(window)
    elif sys.argv[1] == "plug":
        found = plug_in_a_microphone(window, Path(sys.argv[2]))
    else:
        found = visit(window, float(sys.argv[2]), Path(sys.argv[1]))
    print(json.dumps(found), flush=True)
    window.close()


if __name__ == "__main__":
    main()
