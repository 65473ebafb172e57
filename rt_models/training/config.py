"""Training settings from TOML: dataclasses out, every problem named together."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from rt_models.nets.registry import NETS
from rt_models.training.encoder import TrainConfig


class TrainConfigError(ValueError):
    """The settings cannot be used; the message says what to change."""


def read_train_config(path: Path) -> TrainConfig:
    """A `TrainConfig` from a TOML file; what it leaves out keeps its default."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise TrainConfigError(f"{path}: cannot be read ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise TrainConfigError(f"{path}: not valid TOML ({problem})") from None
    problems: list[str] = []
    config = _build(TrainConfig, content, "", problems)
    if not problems:
        _build(NETS[config.net.kind][0], config.net.sizes, "net.sizes.", problems)
    if problems:
        raise TrainConfigError(f"{path}: " + "; ".join(problems))
    return config


def _build(kind: type, content: dict[str, Any], prefix: str, problems: list[str]) -> Any:
    """A dataclass from a table; what does not fit is added to `problems`."""
    types, chosen = get_type_hints(kind), {}
    for name, value in content.items():
        if name not in types:
            problems.append(
                f"unknown setting {prefix}{name} (known: {', '.join(f.name for f in fields(kind))})"
            )
        elif is_dataclass(types[name]) and isinstance(value, dict):
            chosen[name] = _build(types[name], value, f"{prefix}{name}.", problems)
        elif not _fits(value, types[name]):
            problems.append(f"{prefix}{name} = {value!r}: expected {_say(types[name])}")
        else:
            chosen[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**chosen)
    except ValueError as problem:
        problems.append(str(problem))
        return kind()


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        same_length = inner[-1] is Ellipsis or len(inner) == len(value)
        return isinstance(value, list) and same_length and all(_fits(v, inner[0]) for v in value)
    if origin is UnionType:
        return any(_fits(value, k) for k in inner)
    if origin is dict:
        return isinstance(value, dict)
    return type(value) is kind or (kind is float and type(value) is int)


def _say(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(value) for value in get_args(kind))
    return getattr(kind, "__name__", str(kind)) if get_origin(kind) is None else str(kind)
