"""The summary: on the screen, as a page, as PDF, with words where there are some."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from tests.gui.test_transcript import WORDS
from voicelane.gui.panels.summary import SummaryWindow
from voicelane.gui.work.paper import drawn
from voicelane.sessions import colours, picture
from voicelane.words import Recognised

pytestmark = pytest.mark.qt

SLOW_MS = 30_000


def test_the_summary_says_who_spoke_how_long_and_is_exported_with_its_words(talk, qtbot, tmp_path):
    studio = talk.studio
    studio.rename_speaker("S2", "Jamal <b>")
    studio.conversation.take_words(Recognised(WORDS, "en"))
    talk.listen.document.show_summary()
    summary = talk.listen.document.findChild(SummaryWindow)
    qtbot.waitUntil(lambda: summary.paper is not None, timeout=SLOW_MS)
    text = summary.page.toPlainText()
    for words in ("Who spoke", "Jamal <b>", "Silence", "At once", "Who after whom", "Longest turns"):
        assert words in text, words
    for kind in ("html", "pdf", "docx", "md", "txt"):
        path = tmp_path / f"out.{kind}"
        studio.export_document(kind, path)
        qtbot.waitUntil(lambda p=path: any(str(p) in w for w in talk.toasts.words), timeout=SLOW_MS)
        assert path.stat().st_size > 100, kind
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    for kind in ("html", "md", "txt"):
        assert "morning" in (tmp_path / f"out.{kind}").read_text(), kind
    summary.close()


def test_the_picture_on_paper_has_every_speaker_s_colour(qapp):
    turns = [("A", 0, 16_000), ("B & <C>", 16_000, 32_000)]
    image = drawn(picture(turns, 32_000), 900)
    places = [(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)]
    pixels = {image.pixelColor(x, y).name() for x, y in places}
    assert {*colours(turns).values(), "#ffffff"} <= pixels and len(colours(turns)) == 2
