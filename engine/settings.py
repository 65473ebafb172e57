"""TOML files to dataclasses: every problem of a file named together."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from engine.errors import ConfigError
from engine.names import quoted

T = TypeVar("T")

MOST_PROBLEMS = 20
LARGEST = (1 << 63) - 1


def read_settings(path: Path, kind: type[T]) -> T:
    """A dataclass `kind` from a TOML file; what the file leaves out keeps its default.

    Fields may be numbers, text, `Literal`s, tuples, dicts and dataclasses, which may have a method
    `problems()` of their own. Raises `ConfigError` with every unknown name and wrong value.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError) as problem:  # not TOML, not UTF-8, or too long a number
        raise ConfigError(f"{path}: not valid TOML ({problem})") from None
    problems: list[str] = []
    found = build_settings(kind, content, "", problems)
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise ConfigError(f"{path}: " + "; ".join(problems[:MOST_PROBLEMS] + more))
    return found


def build_settings(kind: type[T], content: dict[str, Any], prefix: str, problems: list[str]) -> T:
    """A dataclass from a table; what does not fit is added to `problems`."""
    types = get_type_hints(kind)
    chosen: dict[str, Any] = {}
    before = len(problems)
    for name, value in content.items():
        path = f"{prefix}{name}"
        if name not in types:
            known = ", ".join(f.name for f in fields(kind))  # type: ignore[arg-type]
            shown = path if len(path) <= 80 and path.isprintable() else quoted(path)
            problems.append(f"unknown setting {shown} (known: {known})")
        elif is_dataclass(types[name]) and isinstance(value, dict):
            chosen[name] = build_settings(types[name], value, f"{path}.", problems)
        elif not _fits(value, types[name]):
            problems.append(f"{path}: expected {_say(types[name])}, got {quoted(value)}")
        else:
            chosen[name] = _shaped(value, types[name])
    if len(problems) > before:
        return kind()
    found = kind(**chosen)
    problems.extend(getattr(found, "problems", list)())
    return found


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        if not isinstance(value, list | tuple) or (inner[-1] is not Ellipsis and len(inner) != len(value)):
            return False
        return all(_fits(v, inner[0]) for v in value)
    if origin is dict:
        return isinstance(value, dict)
    if type(value) is int:
        return kind in (int, float) and abs(value) <= LARGEST
    return type(value) is kind


def _shaped(value: Any, kind: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return float(value) if kind is float else value


def _say(kind: Any) -> str:
    if is_dataclass(kind):
        return "a table"
    if get_origin(kind) is Literal:
        return " or ".join(repr(value) for value in get_args(kind))
    return str(kind) if get_origin(kind) else kind.__name__
