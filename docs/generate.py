"""The pages that the code writes: `python docs/generate.py` makes docs/settings.md and docs/api.md anew."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import Field, fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, get_origin, get_type_hints

import voicelane
from voicelane.config import PRESETS, PipelineConfig

DOCS = Path(__file__).parent
ENGINE = Path(voicelane.__file__).parent

SETTINGS = """# Settings

`voicelane run talk.wav --config settings.toml` takes any of these; what the file leaves out keeps its
default, and all wrong names and values are named at once. In Python: `PipelineConfig`, or
`read_config(path)`.

```toml
[diariser]
max_speakers = 4

[enhancer]
model = "mlp"
```

This page is made from the code by `python docs/generate.py`.
"""

PRESETS_ABOUT = """The app's choice between latency and accuracy; `voicelane.config.preset(name)` in Python.
What a preset does not change keeps its default.
"""

API = """# Python API

What the engine offers, made from its docstrings. Importing `voicelane` opens no device, starts no thread
and loads no model; a name is imported when it is first used. What is not on this page may change without
notice.
"""

ROOMS = ("config", "events")
"""Modules all of whose classes are public."""


def sentences(kind: type) -> dict[str, str]:
    """Field → the text under it."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body  # type: ignore[attr-defined]
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }


def ranges(section: Field) -> dict[str, str]:
    """Setting → `lowest … highest`, of those that declare it."""
    kinds = get_type_hints(section.default_factory, include_extras=True)
    limits = {n: kind.__metadata__[0] for n, kind in kinds.items() if get_origin(kind) is Annotated}
    return {name: f"{within.low} … {within.high}" for name, within in limits.items()}


def section_page(section: Field) -> Iterator[str]:
    """The lines of one table of settings."""
    kind, default = section.default_factory, section.default_factory()
    said, may_be = sentences(kind), ranges(section)
    yield f"\n## `[{section.name}]`\n\n{inspect.getdoc(kind)}\n"
    yield "| Setting | Default | Range | What |\n|---|---|---|---|"
    for field in fields(default):
        value = getattr(default, field.name)
        shown = f'"{value}"' if isinstance(value, str) else value
        yield f"| `{field.name}` | `{shown}` | {may_be.get(field.name, '')} | {said[field.name]} |"


def presets_page() -> Iterator[str]:
    """The lines of the table of presets."""
    default = PipelineConfig().segmentation
    names = list(dict.fromkeys(name for changes in PRESETS.values() for name in changes))
    yield f"\n## Presets\n\n{PRESETS_ABOUT}"
    yield "| Preset | " + " | ".join(f"`segmentation.{name}`" for name in names) + " |"
    yield "|---|" + "---|" * len(names)
    for preset, changes in PRESETS.items():
        values = " | ".join(f"{changes.get(name, getattr(default, name)):g}" for name in names)
        yield f"| {preset} | {values} |"


def settings_page() -> str:
    """docs/settings.md: the presets, then every setting with its default, range and sentence."""
    tables = [line for section in fields(PipelineConfig) for line in section_page(section)]
    return SETTINGS + "\n".join([*presets_page(), *tables]) + "\n"


def listed(stub: Path) -> dict[str, str]:
    """Name → where it is defined, of all names that an `__init__.pyi` lists."""
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    return {a.name: f"{node.module}.{a.name}" for node in imports for a in node.names}


def api_page() -> str:
    """docs/api.md: the names at the top, then those that each room adds."""
    top = listed(ENGINE / "__init__.pyi")
    blocks, at_top = ["\n## voicelane", *(f"\n::: voicelane.{name}" for name in top)], set(top.values())
    for stub in sorted(ENGINE.glob("*/__init__.pyi")):
        room = stub.parent.name
        names = [name for name, place in listed(stub).items() if f"{room}.{place}" not in at_top]
        blocks += [f"\n## voicelane.{room}"] * bool(names)
        blocks += [f"\n::: voicelane.{room}.{name}" for name in names]
    blocks += [f"\n## voicelane.{module}\n\n::: voicelane.{module}" for module in ROOMS]
    return API + "\n".join(blocks) + "\n"


PAGES = {"settings.md": settings_page, "api.md": api_page}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(DOCS / name)


if __name__ == "__main__":
    main()
