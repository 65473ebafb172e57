"""The summary of a conversation on paper: a document with its picture, for the printer and for PDF."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from PySide6.QtCore import QBuffer, QByteArray, QMarginsF, QRectF, QUrl
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument
from PySide6.QtSvg import QSvgRenderer

from voicelane.sessions import clock, colours, overview_of, picture, tables

SHARPNESS = 3
"""Of a picture on paper."""
PICTURE_WIDTH = 640
RESOLUTION = 96
MARGIN_MM = 16.0
STYLE = (
    "h1{font-size:20px}h2{font-size:15px;margin-top:14px}td,th{padding:2px 14px 2px 0;text-align:left}"
    "p{margin:4px 0}.q{color:#5b6573}"
)

Turns = Sequence[tuple[str, int, int]]
Said = Sequence[tuple[str, int, str]]


def document_of(
    title: str, started: str, turns: Turns, length: int, said: Said = (), sharpness: int = 1
) -> QTextDocument:
    """Numbers, picture and words, in what Qt can lay out; the picture has `sharpness` pixels for each of the
    page."""
    found = QTextDocument()
    found.setDefaultStyleSheet(STYLE)
    drawing = drawn(picture(turns, length), PICTURE_WIDTH * sharpness)
    name = QUrl("picture")
    found.addResource(int(QTextDocument.ResourceType.ImageResource), name, drawing)
    when = f"{started[:16].replace('T', ' ')} UTC, " if started else ""
    height = round(PICTURE_WIDTH * drawing.height() / max(1, drawing.width()))
    body = [
        f"<h1>{_text(title)}</h1><p class=q>{_text(when)}{clock(length)}</p>",
        f'<p><img src="picture" width="{PICTURE_WIDTH}" height="{height}"></p>',
        *(_marked(part) for part in tables(overview_of(turns, length), colours(turns))),
        *(["<h2>What was said</h2>"] if said else []),
        *(_paragraph(*line) for line in said),
    ]
    found.setHtml("".join(body))
    return found


def drawn(svg: str, width: int) -> QImage:
    """A picture as pixels, so many of them wide."""
    text = _whole(svg)
    renderer = QSvgRenderer(QByteArray(text.encode("utf-8", "replace")))
    size = renderer.defaultSize() * (width / max(1, renderer.defaultSize().width()))
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, size.width(), size.height()))
    painter.end()
    return image


def as_pdf(title: str, started: str, turns: Turns, length: int, said: Said = ()) -> bytes:
    """The summary as a file."""
    content = QBuffer()
    content.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(content)
    writer.setTitle(title)
    writer.setCreator("voicelane")
    writer.setResolution(RESOLUTION)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
    document_of(title, started, turns, length, said, SHARPNESS).print_(writer)
    return bytes(content.data().data())


def _whole(svg: str) -> str:
    """SVG as XML wants it: with a namespace and every value in quotation marks."""
    quoted = re.sub(r"=([^\"\s>]+)(?=[\s>/])", r'="\1"', svg)
    return quoted.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _marked(table: str) -> str:
    """Qt draws no box without words: a square stands for it, in its colour."""
    return re.sub(r'<i style="background:(#\w+)"></i>', r'<span style="color:\1">■ </span>', table)


def _paragraph(who: str, at: int, words: str) -> str:
    return f"<p><b>{_text(who)}</b> <span class=q>{clock(at)}</span> {_text(words)}</p>"


def _text(text: str) -> str:
    return html.escape(text)
