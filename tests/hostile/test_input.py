"""Whatever comes from outside: taken whole, or refused in one sentence, and nothing is changed."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.inputs import (
    ABOUT_NOW,
    check_exports,
    check_names,
    check_sentence,
    index_of,
    legal,
    session_of,
    talk,
    write_session,
    zip_of,
)
from tests.hostile.targets import TARGETS, seeds
from voicelane import PipelineConfig, VoicelaneError
from voicelane.base import ConfigError
from voicelane.base.text import check_name, file_name
from voicelane.config import read_config
from voicelane.events import Event, event_from_dict
from voicelane.sessions.session import open_session

quick = settings(derandomize=True, deadline=None, max_examples=60)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
NASTY = st.sampled_from(
    [
        "=1+1",
        "@x",
        "-->",
        "a --",
        "{\\an8}",
        "<v x>",
        "a b\u00a0c",
        "'; DROP TABLE profiles; --",
        "</i>",
        'a,b"c',
        "…",
    ]
)
NAMES = st.lists(st.one_of(NASTY, ANY_TEXT), max_size=4)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def refused(act: Callable[[], object]) -> str:
    """The sentence that it is refused with."""
    with pytest.raises(VoicelaneError) as problem:
        act()
    check_sentence(str(problem.value))
    return str(problem.value)


PARTS = {f.name: get_type_hints(PipelineConfig)[f.name] for f in fields(PipelineConfig)}
CHOICES = [
    (part, name, kind) for part, kind_of in PARTS.items() for name, kind in get_type_hints(kind_of).items()
]
VALUES = {
    int: st.integers(-2, 30),
    float: st.floats(0, 2),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    Literal["light", "strong"]: st.sampled_from(["light", "strong", "other"]),
}
CHANGE = st.sampled_from(CHOICES).flatmap(
    lambda choice: st.tuples(st.just(choice[0]), st.just(choice[1]), VALUES[choice[2]])
)


@quick
@given(st.lists(CHANGE, max_size=4))
def test_any_settings_that_are_legal_are_read_as_they_were_written(changes):
    config = PipelineConfig()
    for part, name, value in changes:
        try:
            config = replace(config, **{part: replace(getattr(config, part), **{name: value})})
        except ConfigError as problem:
            assert f"{part}.{name} = " in str(problem) or "first_s" in str(problem)
    with folder() as place:
        (place / "a.toml").write_text(config.to_toml(), encoding="utf-8", newline="")
        assert read_config(place / "a.toml") == config


@quick
@given(NAMES)
def test_any_names_leave_every_format_whole(names):
    with folder() as place:
        check_names(names, place)


@quick
@given(ANY_TEXT)
def test_a_name_is_kept_in_its_normal_form_or_refused(name):
    found = legal(name)
    if found is not None:
        assert check_name(found) == found and found.isprintable() | ("\u200c" in found) | ("\u200d" in found)
    assert len(file_name(name).encode()) <= 200 and not set(file_name(name)) & set('/\\:*?"<>|\0')


@quick
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_more_than_an_error(data):
    for name, target in TARGETS.items():
        with folder() as place:
            try:
                target(data, place)
            except VoicelaneError as problem:
                check_sentence(str(problem).replace(str(place), "")), name


def event_values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of JSON that are, mostly, of a type that a field has."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        fields = {name: event_values(hint) for name, hint in get_type_hints(kind).items()}
        return st.fixed_dictionaries(fields)
    if origin is tuple:
        one = event_values(inner[0]) if is_dataclass(inner[0]) else st.floats()
        return st.lists(one, max_size=3)
    if origin is dict:
        return st.dictionaries(ANY_TEXT, st.floats(), max_size=2)
    if inner:
        return st.one_of(st.none(), *(event_values(one) for one in inner if one is not type(None)))
    return {int: st.integers(), float: st.floats(), bool: st.booleans(), str: ANY_TEXT}[kind]


@pytest.mark.parametrize("kind", Event.__subclasses__(), ids=lambda kind: kind.__name__)
def test_an_event_is_refused_or_survives_json(kind):
    values = {n: event_values(hint) for n, hint in get_type_hints(kind).items()}

    @settings(quick, max_examples=25)
    @given(st.fixed_dictionaries(values))
    def check(content: dict[str, Any]) -> None:
        try:
            found = event_from_dict({"event": kind.__name__, **content})
        except VoicelaneError as problem:
            check_sentence(str(problem))
            return
        assert event_from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False))) == found

    check()


DEEP = b"a = " + b"[" * 50_000
SETTINGS = {
    "deep": DEEP,
    "a number of 10,000 digits": b"[vad]\nonset_frames = " + b"9" * 10_000,
    "a hex number as long": b"[vad]\nrelease = 0x" + b"f" * 10_000,
    "a hex number for a count": b"[vad]\nonset_frames = 0x" + b"f" * 10_000,
    "control characters in a name": b'"\\u001b[31m" = 1',
    "a thousand unknown names": b"".join(b"x%d = 1\n" % i for i in range(1_000)),
    "a long text": b"[vad]\nrelease = '" + b"x" * 100_000 + b"'",
    "not UTF-8": b"\xff\xfd",
    "NaN": b"[vad]\nrelease = nan",
}


@pytest.mark.parametrize("what", SETTINGS)
def test_hostile_settings_are_one_short_sentence(tmp_path, what):
    (tmp_path / "a.toml").write_bytes(SETTINGS[what])
    assert "a.toml" in refused(lambda: read_config(tmp_path / "a.toml")) or what == "NaN"


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }\n"
HUGE_ARRAY = b"\x93NUMPY\x01\0" + len(HUGE).to_bytes(2, "little") + HUGE
FOUND = {  # by the fuzzer, made smaller
    "names": ["a --\nb", "x" * 100 + "\n" + "李" * 100],
    "rttm": [
        b"SPEAKER a 1 nan 1 b c d e\n",
        b"\xff",
        b"SPEAKER a 1 1 -1 b c d e",
        b"SPEAKER a 1 1e308 1e308 b c d",
    ],
    "scale": [
        b"",
        zip_of([("mean.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((\n")]),
        zip_of([("mean.npy", HUGE_ARRAY)]),
    ],
    "index": [
        index_of("Anna").replace(b"speech_s", b"speech\x7f_s"),
        index_of("Anna").replace(b"5.0", b"9" * 400),
    ],
    "config": [b"[vad]\n" + b"".join(b"x%d = 1\n" % i for i in range(30))],
    "manifest": [b"name = " + b"[" * 9_000, b"inputs = 3"],
    "events": [
        b'{"event": "SpeechStarted", "sample": 1, "start": 1e400}',
        b'{"event": "' + b"x" * 9_000 + b'"}',
    ],
}


@pytest.mark.parametrize(("target", "number"), [(t, i) for t in FOUND for i in range(len(FOUND[t]))])
def test_what_the_fuzzer_found_stays_found(tmp_path, target, number):
    data = FOUND[target][number]
    try:
        TARGETS[target](data.encode() if isinstance(data, str) else data, tmp_path)
    except VoicelaneError as problem:
        check_sentence(str(problem).replace(str(tmp_path), ""))


@pytest.mark.parametrize("target", TARGETS)
def test_the_fuzzer_begins_with_inputs_that_are_taken(tmp_path, target):
    TARGETS[target](seeds(target)[0], tmp_path)


TURN = {"event": "SpeakerTurn", **asdict(talk(["Anna"])[0])}
HOSTILE_TURNS = {
    "a label of two lines": TURN | {"speaker": "S1\n00:00:01,000 --> 00:00:02,000\nEvil"},
    "an empty label": TURN | {"speaker": " "},
    "a label that is no text": TURN | {"speaker": "\ud800"},
    "a number of 400 digits": TURN | {"end": 10**400},
    "a negative place": TURN | {"start": -16_000},
    "an end before the start": TURN | {"end": 0, "start": 16_000},
    "a confidence that is text": TURN | {"confidence": "high"},
    "a confidence that is no number": TURN | {"confidence": math.nan},
    "a name with a tab": {"event": "SpeakerRenamed", "sample": 0, "speaker": "S1", "name": "\t=1"},
}


@pytest.mark.parametrize("what", HOSTILE_TURNS)
def test_a_hostile_session_is_refused_and_its_line_named(tmp_path, what):
    line = json.dumps(HOSTILE_TURNS[what]).encode()
    place = write_session(tmp_path / "talk", json.dumps(asdict(ABOUT_NOW)).encode(), line)
    assert "line 1" in refused(lambda: open_session(str(place)))


def test_a_source_whose_name_is_no_text_can_be_exported(tmp_path):
    about = json.dumps(asdict(ABOUT_NOW) | {"source": "\udcff.wav"}).encode()
    check_exports(open_session(str(write_session(tmp_path / "talk", about, b""))), tmp_path)
    check_exports(session_of(["Anna"], tmp_path / "\udcff talk"), tmp_path)
