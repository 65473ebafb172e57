"""A session for tools in which speech is annotated: Audacity's labels, ELAN, Praat's TextGrid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from voicelane.base.text import one_line
from voicelane.base.timebase import seconds
from voicelane.sessions.overview import Spoken, by_name
from voicelane.sessions.session import Session

NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EAF = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ANNOTATION_DOCUMENT AUTHOR="voicelane" DATE={date} FORMAT="3.0" VERSION="3.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">\n'
    '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>\n<TIME_ORDER>\n{slots}</TIME_ORDER>\n{tiers}'
    '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="speech" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>\n'
    "</ANNOTATION_DOCUMENT>\n"
)


def spoken(session: Session) -> list[Spoken]:
    """The turns of a session by the names that are shown, in order of time."""
    return [(session.labels.shown(t.speaker), t.start, t.end) for t in session.turns()]


def as_audacity(session: Session) -> str:
    """A label track: start and end in seconds, name, parted by tabs."""
    rows = (f"{seconds(a):.6f}\t{seconds(b):.6f}\t{one_line(name)}\n" for name, a, b in spoken(session))
    return _unicode("".join(rows))


def as_elan(session: Session) -> str:
    """An ELAN document with a tier for each person."""
    people = by_name(spoken(session))
    slots, tiers, number = list[str](), list[str](), 0
    for name, spans in people.items():
        rows = []
        for start, end in spans:
            number += 1
            slots += [_slot(2 * number - 1, start), _slot(2 * number, end)]
            rows.append(_annotation(number, name))
        tier = f'<TIER LINGUISTIC_TYPE_REF="speech" TIER_ID={quoteattr(_xml(name))}>\n'
        tiers.append(f"{tier}{''.join(rows)}</TIER>\n")
    date = quoteattr(session.about.started or "1970-01-01T00:00:00+00:00")
    return EAF.format(date=date, slots="".join(slots), tiers="".join(tiers))


def as_textgrid(session: Session) -> str:
    """Praat's TextGrid with an interval tier for each person, in the short of its text formats."""
    people, end = by_name(spoken(session)), session.heard_samples()
    end = max([end, *(spans[-1][1] for spans in people.values())])
    head = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", _time(end)]
    lines = [*head, "<exists>", str(len(people))]
    for name, spans in people.items():
        cells = filled(spans, end)
        lines += ['"IntervalTier"', _quoted(name), "0", _time(end), str(len(cells))]
        for start, stop, is_speech in cells:
            lines += [_time(start), _time(stop), _quoted(name if is_speech else "")]
    return _unicode("\n".join(lines) + "\n")


def filled(spans: Sequence[tuple[int, int]], end: int) -> list[tuple[int, int, bool]]:
    """Spans that touch nowhere and what lies between them, from 0 to `end`: start, end, whether it is one."""
    cells, at = list[tuple[int, int, bool]](), 0
    for start, stop in spans:
        cells += [(at, start, False)] if start > at else []
        cells.append((start, stop, True))
        at = stop
    return [*cells, (at, end, False)] if end > at or not cells else cells


def _slot(number: int, sample: int) -> str:
    return f'<TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{round(1000 * seconds(sample))}"/>\n'


def _annotation(number: int, name: str) -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" TIME_SLOT_REF1="ts{2 * number - 1}" '
        f'TIME_SLOT_REF2="ts{2 * number}"><ANNOTATION_VALUE>{escape(_xml(name))}</ANNOTATION_VALUE>'
        "</ALIGNABLE_ANNOTATION></ANNOTATION>\n"
    )


def _time(sample: int) -> str:
    return f"{seconds(sample):.6f}"


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace('"', '""') + '"'


def _xml(text: str) -> str:
    return NOT_XML.sub("", text)


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
