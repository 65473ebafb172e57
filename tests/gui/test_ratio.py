"""Screens with more pixels than points: the same window, hit in the same places, drawn with all pixels."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.qt

pytest.importorskip("PySide6")

WINDOW = """
import json
import soundfile as sf
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from voicelane import LabelDesk
from voicelane.live import Sound
from voicelane.gui.app import application
from voicelane.gui.look.icons import icon
from voicelane.gui.panels.timeline.rows import HEADER
from voicelane.gui.work.player import Player
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.work.studio import Studio
from voicelane.gui.window import Window
from tests.conftest import DEMO, Loudspeaker
from tests.gui.talk import TALK, place_of

application(["voicelane"])
studio = Studio(player=Player(Loudspeaker))
studio.dress()
window = Window(studio)
window.resize(1280, 800)
window.show()
sound, conversation, timeline = SoundHistory(), studio.conversation, window.listen.timeline
sound.hear(Sound(0, sf.read(DEMO, dtype="float32")[0][:128_000]))
conversation.begin("talk", sound)
conversation.live = LabelDesk()
conversation.take(list(TALK))
conversation.end(None)
timeline.whole()
QTest.qWait(50)
hit = []
for number, at in ((0, 1_000), (1, 45_000), (2, 89_500), (0, 127_000)):
    QTest.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=place_of(window, number, at))
    hit.append([studio.player.playing, conversation.turn.speaker, conversation.turn.start])
shown = timeline.grab().toImage()
ratio = shown.devicePixelRatio()
height = round(ratio * place_of(window, 1, 0).y())
row = [shown.pixelColor(x, height).name() for x in range(round(ratio * HEADER), shown.width())]
wave, spectrum = timeline._pictures()
overview = timeline._whole_picture()
print(json.dumps({
    "hit": hit,
    "ratio": ratio,
    "shown": [shown.width() / timeline.width(), shown.height() / timeline.height()],
    "pictures": [wave.width() / timeline.view.x(128_000), overview.width() / timeline.width()],
    "drawn": row.count(studio.theme.speaker(1).name()),
    "wanted": 30_000 / timeline.view.per_pixel,
    "icon": icon("play", "#000000").pixmap(window.transport.play.iconSize(), ratio).width(),
}))
"""


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0])
@pytest.mark.slow
def test_a_finer_screen_shows_more_and_is_hit_in_the_same_places(ratio):
    found = subprocess.run(
        [sys.executable, "-c", WINDOW],
        env=os.environ | {"QT_SCALE_FACTOR": str(ratio)},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    seen = json.loads(found.stdout)
    assert seen["ratio"] == ratio
    assert seen["hit"] == [[True, "S1", 0], [True, "S2", 30_000], [True, "S3", 50_000], [True, "S1", 100_000]]
    assert seen["shown"] == pytest.approx([ratio, ratio], rel=0.01)
    assert seen["pictures"] == pytest.approx([ratio, ratio], rel=0.01)
    assert seen["drawn"] == pytest.approx(ratio * seen["wanted"], abs=2 * ratio), "ends at whole points"
    assert seen["icon"] == 18 * ratio
