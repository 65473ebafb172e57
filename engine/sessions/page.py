"""The summary of a conversation as one page of HTML that needs nothing else: numbers and a picture."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from voicelane.base.timebase import samples, seconds
from voicelane.sessions.overview import Overview, Spoken, by_name, overview_of
from voicelane.sessions.palette import N_COLOURS, SPEAKER_COLOURS, colour_numbers
from voicelane.sessions.session import Session
from voicelane.sessions.tiers import spoken

WIDTH, NAME_WIDTH, LANE, RULER = 900, 130, 26, 22
"""Of the picture, in pixels."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
MOST_LABELS = 10
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#171b21;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}th,td{text-align:left;padding:.3em 1.2em .3em 0;"
    "border-bottom:1px solid #d5dae1}td.n{text-align:right}svg{max-width:100%;height:auto}"
    "i{display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.5em}"
    ".q{color:#5b6573}@media print{body{margin:0}}"
)

Said = tuple[str, int, str]
"""Name, sample, words."""


def as_html(session: Session) -> str:
    """The page of a session."""
    about, turns = session.about, spoken(session)
    return page_of(
        session.name, about.started, turns, session.heard_samples(), tags=about.tags, note=about.note
    )


def page_of(
    title: str,
    started: str,
    turns: Sequence[Spoken],
    length: int,
    said: Iterable[Said] = (),
    tags: Sequence[str] = (),
    note: str = "",
) -> str:
    """The page of a conversation, with what was `said` and noted where that is known."""
    told = overview_of(turns, length)
    when = f"{started[:16].replace('T', ' ')} UTC, " if started else ""
    body = [
        f"<h1>{_text(title)}</h1><p class=q>{_text(when)}{clock(length)}</p>",
        *(f"<p>{_text(line)}</p>" for line in (" · ".join(tags), *note.splitlines()) if line),
        picture(turns, length),
        *tables(told, colours(turns)),
        *_words(said),
    ]
    head = f"<meta charset=utf-8><title>{_text(title)}</title><style>{STYLE}</style>"
    text = f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(body)}</body></html>\n"
    return text.encode("utf-8", "replace").decode("utf-8")


def colours(turns: Iterable[Spoken]) -> dict[str, str]:
    """Everybody's colour, which a person has in every session."""
    names = list(by_name(turns))
    return {n: SPEAKER_COLOURS[i % N_COLOURS] for n, i in zip(names, colour_numbers(names), strict=True)}


def tables(told: Overview, colour: dict[str, str]) -> list[str]:
    """Talk time, silence and overlap, longest turns, who after whom."""
    shares = [
        (_person(s.name, colour), clock(s.samples), _percent(s.share), str(s.n_turns), clock(s.longest))
        for s in told.shares
    ]
    whole = max(1, told.length)
    parts = [
        (word, clock(n), _percent(n / whole))
        for word, n in (("Speech", told.speech), ("Silence", told.silence), ("At once", told.overlap))
    ]
    longest = [(_text(name), clock(a), clock(b - a)) for name, a, b in told.longest]
    follows = [(_text(who), _text(whom), str(n)) for who, whom, n in told.follows[:10]]
    return [
        _table("Who spoke", ("Who", "Spoke", "Share", "Turns", "Longest"), shares),
        _table("Of the whole", ("", "Time", "Share"), parts),
        _table("Longest turns", ("Who", "At", "Length"), longest),
        _table("Who after whom", ("Who", "After", "Times"), follows),
    ]


def picture(turns: Sequence[Spoken], length: int) -> str:
    """A lane for each person, as SVG."""
    people, colour, whole = by_name(turns), colours(turns), max(1, length)
    height, room = RULER + LANE * len(people), WIDTH - NAME_WIDTH
    size = f'viewBox="0 0 {WIDTH} {height}" width={WIDTH} height={height}'
    parts = [f'<svg {size} role=img aria-label="Timeline">']
    for at in ticks(length):
        x = NAME_WIDTH + room * at / whole
        parts.append(f'<line x1={x:.1f} x2={x:.1f} y1=14 y2={height} stroke="#d5dae1"/>')
        parts.append(f'<text x={x + 3:.1f} y=12 font-size=11 fill="#5b6573">{clock(at)}</text>')
    for number, (name, spans) in enumerate(people.items()):
        top = RULER + LANE * number
        parts.append(f'<text x=0 y={top + 17} font-size=13 fill="#171b21">{_text(name[:18])}</text>')
        for start, end in spans:
            x, wide = NAME_WIDTH + room * start / whole, max(0.6, room * (end - start) / whole)
            box = f"x={x:.1f} y={top + 4} width={wide:.1f} height={LANE - 8} rx=2"
            words = f"<title>{clock(start)}–{clock(end)}</title>"
            parts.append(f'<rect {box} fill="{colour[name]}">{words}</rect>')
    return "".join([*parts, "</svg>"])


def ticks(length: int) -> list[int]:
    """Samples of at most ten marks that divide a length evenly."""
    step = next((s for s in STEPS_S if seconds(length) / s <= MOST_LABELS), STEPS_S[-1])
    return list(range(0, length, samples(step)))


def clock(sample: int) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    minutes, second = divmod(round(seconds(sample)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _words(said: Iterable[Said]) -> list[str]:
    rows = [
        f"<p><b>{_text(who)}</b> <span class=q>{clock(at)}</span><br>{_text(text)}</p>"
        for who, at, text in said
    ]
    return ["<h2>What was said</h2>", *rows] if rows else []


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    cells = "".join(f"<th>{word}</th>" for word in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{cells}</tr>{lines}</table>"


def _person(name: str, colour: dict[str, str]) -> str:
    return f'<i style="background:{colour[name]}"></i>{_text(name)}'


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _text(text: str) -> str:
    return html.escape(text)
