"""TOML files to dataclasses: every problem of a file named together."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from voicelane.base.errors import ConfigError
from voicelane.base.files import read_text
from voicelane.base.text import quoted

T = TypeVar("T")


class Within(NamedTuple):
    """The range of a setting, in its declaration: `steps: Annotated[int, Within(0, 50)] = 8`."""

    low: float
    high: float


MOST_PROBLEMS = 20
LARGEST = (1 << 63) - 1


def read_settings(path: Path, kind: type[T]) -> T:
    """A dataclass `kind` from a TOML file; what the file leaves out keeps its default.

    Fields may be numbers, text, `Literal`s, tuples, dicts and dataclasses, which may have a method
    `problems()` of their own. Raises `ConfigError` with every unknown name and wrong value.
    """
    return settings_from(read_table(path), kind, path)


def read_table(path: Path) -> dict[str, Any]:
    """The content of a TOML file; raises `ConfigError`."""
    try:
        return tomllib.loads(read_text(path))
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError) as problem:  # not TOML, not UTF-8, or too long a number
        raise ConfigError(f"{path}: not valid TOML ({problem})") from None


def settings_from(content: dict[str, Any], kind: type[T], path: Path) -> T:
    """A dataclass from the content of the file `path`, as `read_settings` says."""
    problems: list[str] = []
    settings = build_settings(kind, content, "", problems)
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise ConfigError(f"{path}: " + "; ".join(problems[:MOST_PROBLEMS] + more))
    return settings


def build_settings(kind: type[T], content: dict[str, Any], prefix: str, problems: list[str]) -> T:
    """A dataclass from a table; what does not fit is added to `problems`."""
    types = _types(cast(Any, kind))
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
    settings = kind(**chosen)
    problems.extend(wrong_values(settings, prefix.removesuffix(".")))
    return settings


def wrong_values(settings: Any, section: str) -> list[str]:
    """What lies outside its `Within` or is no choice of its `Literal`, and the `problems()` that the settings
    name themselves."""
    kinds = get_type_hints(type(settings), include_extras=True)
    problems = [p for n, kind in kinds.items() for p in _wrong(f"{section}.{n}", getattr(settings, n), kind)]
    return problems + getattr(settings, "problems", list)()


def _wrong(name: str, value: Any, kind: Any) -> list[str]:
    if get_origin(kind) is Literal and value not in get_args(kind):
        return [f"{name} = {value!r}: expected {_say(kind)}"]
    ranges = [r for r in getattr(kind, "__metadata__", ()) if isinstance(r, Within)]
    return [f"{name} = {value}: expected {r.low} … {r.high}" for r in ranges if not r.low <= value <= r.high]


@lru_cache(maxsize=256)
def _types(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    return get_type_hints(kind)


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
