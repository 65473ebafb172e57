"""From results to what people read: the tables of README.md, PNG plots, and one HTML page.

Every table of README.md lies between markers that hold its command,

<!-- bench vad --seed 0 -->
…the table, its command, machine and date…
<!-- end -->

and is filled from that command's JSON file; `--run` runs the commands first.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import plots

SECTION = re.compile(r"(<!-- bench (?P<command>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; color: #222 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
th, td { padding: .15rem .6rem; border-bottom: 1px solid #ddd; text-align: left }
img { max-width: 100% } .wide { overflow-x: auto } .made { color: #666; font-size: 13px }
"""


def file_of(command: str, results: Path) -> Path:
    """Where the result of a command lies."""
    words = re.sub(r"(\.\./)?shared/corpus/", "", command)
    return results / (re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-")[:100] + ".json")


def run(command: str, path: Path) -> None:
    """One command, its result into the file."""
    print(f"python -m bench {command}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "bench", *shlex.split(command), "--json", str(path)], check=True)


def refreshed(text: str, results: Path) -> str:
    """README.md with every table that there is a result for."""

    def fill(section: re.Match[str]) -> str:
        found = read(file_of(section["command"], results))
        return f"{section[1]}{found['printed']}\n\n{_made(found)}\n{section[3]}" if found else section[0]

    return SECTION.sub(fill, text)


def read(path: Path) -> dict[str, Any] | None:
    """A result, None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def page(commands: list[str], results: Path, pictures: list[Path]) -> str:
    """All tables and plots as one HTML page that needs no other file."""
    parts = [f"<!doctype html><meta charset=utf-8><title>voicelane, measured</title><style>{STYLE}</style>"]
    parts.append("<h1>voicelane, measured</h1>")
    for path in pictures:
        content = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<p><img alt="{html.escape(path.stem)}" src="data:image/png;base64,{content}"></p>')
    for command in commands:
        if found := read(file_of(command, results)):
            parts.append(f"<h2>{html.escape(command.split()[0])}</h2>{_blocks(found['printed'])}")
            parts.append(f"<p class=made>{html.escape(_made(found).replace('`', ''))}</p>")
    return "\n".join(parts) + "\n"


def measure(args: argparse.Namespace) -> None:
    """The `report` command."""
    text = args.readme.read_text(encoding="utf-8")
    commands = [m["command"] for m in SECTION.finditer(text)]
    for command in commands:
        if args.run is not None and args.run in command:
            run(command, file_of(command, args.results))
    missing = [c for c in commands if not file_of(c, args.results).exists()]
    for command in missing:
        print(f"no result of `python -m bench {command}` in {args.results}: its table stays as it is")
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for command in commands:
        if found := read(file_of(command, args.results)):
            by_kind.setdefault(command.split()[0], []).append(found)
    pictures = plots.draw(by_kind, args.out.parent)
    args.readme.write_text(refreshed(args.readme.read_text(encoding="utf-8"), args.results), encoding="utf-8")
    args.out.write_text(page(commands, args.results, pictures), encoding="utf-8")
    print(f"{args.readme}: {len(commands) - len(missing)} of {len(commands)} tables\n{args.out}")
    for path in pictures:
        print(path)


def _made(found: dict[str, Any]) -> str:
    return f"`{found['command']}` ({found['machine']}; {found['date']})"


def _blocks(printed: str) -> str:
    """Printed Markdown tables and lines as HTML."""
    found, rows = list[str](), list[str]()
    for line in [*printed.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(line)
            continue
        found += [_table(rows)] if rows else []
        rows = []
        found += [f"<p>{html.escape(line)}</p>"] if line else []
    return "".join(found)


def _table(rows: list[str]) -> str:
    cells = [[html.escape(c.strip()) for c in row.strip("|").split("|")] for row in rows]
    head = "".join(f"<th>{c}</th>" for c in cells[0])
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in cells[2:])
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"
