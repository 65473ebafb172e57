"""From results to what people read: the tables of docs/measured, the README's one, PNG plots, one HTML page.

Every table of docs/measured lies between markers that hold its command,

<!-- bench vad --seed 0 -->
…the table, its command, machine and date…
<!-- end -->

and is filled from the tables in that command's JSON file; `--run` runs the commands first. `$CORPUS` in a
command is the environment variable of that name: a folder of recordings that everybody brings along.
"""

from __future__ import annotations

import argparse
import base64
import html
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from voicelane.bench import plots, summary
from voicelane.bench.options import add_command
from voicelane.bench.results import Result, Table, read_result, shown

SECTION = re.compile(r"(<!-- bench (?P<command>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; color: #222 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
th, td { padding: .15rem .6rem; border-bottom: 1px solid #ddd; text-align: left }
img { max-width: 100% } .wide { overflow-x: auto } .made { color: #666; font-size: 13px }
"""


def add(commands: Any) -> None:
    """The `report` command."""
    text = "tables, plots and one HTML page from JSON results"
    add = add_command(commands, "report", measure, text).add_argument
    add("--measured", type=Path, default=Path("docs/measured"), help="folder of pages with tables")
    add("--readme", type=Path, default=Path("README.md"), help="the page with the summary")
    add("--results", type=Path, default=Path("docs/results"), help="folder of JSON files")
    add("--out", type=Path, default=Path("docs/report.html"), help="plots lie beside it")
    add("--run", metavar="TEXT", help="first run the tables' commands that hold this text")


def file_of(command: str, results: Path) -> Path:
    """Where the result of a command lies."""
    words = command.replace("$CORPUS/", "")
    return results / (re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")[:100] + ".json")


def run(command: str, path: Path) -> None:
    """One command, its result into the file."""
    print(f"python -m voicelane.bench {command}", file=sys.stderr, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [os.path.expandvars(word) for word in shlex.split(command)]
    subprocess.run([sys.executable, "-m", "voicelane.bench", *words, "--json", str(path)], check=True)


def refreshed(text: str, results: Path) -> str:
    """A page with every table that there is a result for."""

    def fill(section: re.Match[str]) -> str:
        result = read(file_of(section["command"], results))
        if result is None:
            return section[0]
        return f"{section[1]}{result.markdown()}\n\n{_made(section['command'], result)}\n{section[3]}"

    return SECTION.sub(fill, text)


def read(path: Path) -> Result | None:
    """A result, None where there is none."""
    return read_result(path) if path.exists() else None


def page(commands: list[str], results: Path, pictures: list[Path]) -> str:
    """All tables and plots as one HTML page that needs no other file."""
    parts = [f"<!doctype html><meta charset=utf-8><title>voicelane, measured</title><style>{STYLE}</style>"]
    parts.append("<h1>voicelane, measured</h1>")
    for path in pictures:
        content = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<p><img alt="{html.escape(path.stem)}" src="data:image/png;base64,{content}"></p>')
    for command in commands:
        if result := read(file_of(command, results)):
            parts += [f"<h2>{html.escape(command.split()[0])}</h2>", *map(_table, result.tables)]
            parts += [*map(_paragraph, result.notes)]
            parts.append(f"<p class=made>{html.escape(_made(command, result).replace('`', ''))}</p>")
    return "\n".join(parts) + "\n"


def measure(args: argparse.Namespace) -> Result:
    """Pages, README.md, plots and the page of all, each filled with what there are results for."""
    pages = sorted(args.measured.glob("*.md"))
    commands = [m["command"] for path in pages for m in SECTION.finditer(path.read_text(encoding="utf-8"))]
    for command in commands:
        if args.run is not None and args.run in command:
            run(command, file_of(command, args.results))
    results = {c: r for c in commands if (r := read(file_of(c, args.results)))}
    pictures = plots.draw(_by_kind(results), args.out.parent)
    for path in pages:
        path.write_text(refreshed(path.read_text(encoding="utf-8"), args.results), encoding="utf-8")
    summary.fill(args.readme, args.results)
    args.out.write_text(page(commands, args.results, pictures), encoding="utf-8")
    missing = [
        f"no result of `python -m voicelane.bench {c}` in {args.results}: its table stays as it is"
        for c in commands
        if c not in results
    ]
    filled = f"{args.measured}: {len(results)} of {len(commands)} tables"
    content = {"commands": commands, "missing": [c for c in commands if c not in results]}
    return Result(content, notes=(*missing, filled, str(args.out), *map(str, pictures)))


def _by_kind(results: dict[str, Result]) -> plots.Results:
    """What each command, whatever its options, measured."""
    kinds: plots.Results = {}
    for command, result in results.items():
        kinds.setdefault(command.split()[0], []).append(result.content)
    return kinds


def _made(command: str, result: Result) -> str:
    about = result.content
    return f"`python -m voicelane.bench {command}` ({about['machine']}; {about['date']})"


def _table(table: Table) -> str:
    title = _paragraph(table.title) if table.title else ""
    head = "".join(f"<th>{html.escape(c)}</th>" for c in table.header)
    cells = [[html.escape(shown(c)) for c in row] for row in table.rows]
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in cells)
    notes = "".join(map(_paragraph, table.notes))
    return f"{title}<div class=wide><table><tr>{head}</tr>{body}</table></div>{notes}"


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"
