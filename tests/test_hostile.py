"""Whatever comes from outside: taken whole, or refused in one sentence, and nothing is changed."""

from __future__ import annotations

import io
import json
import math
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ConfigError, PipelineConfig, ProfileStore, VoicelaneError
from engine.archive import INDEX, import_profiles
from engine.config import read_config
from engine.events import Event, event_from_dict
from engine.names import check_name, file_name
from engine.sessions import open_session
from tests.fuzz_targets import TARGETS, seeds
from tests.hostile import (
    ABOUT_NOW,
    UNIT,
    check_exports,
    check_names,
    check_sentence,
    index_of,
    legal,
    packed,
    session_of,
    sha256,
    talk,
    write_session,
    zip_of,
)

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


def numbers(part: Any) -> st.SearchStrategy[Any]:
    """Any instance of a part of the settings; values out of range are refused by `PipelineConfig`."""
    kinds, default = get_type_hints(part), part()
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    by_kind = {int: st.integers(-2, 30), float: st.floats(0, 5), str: text}
    return st.builds(
        part, **{n: st.one_of(st.just(getattr(default, n)), by_kind[kind]) for n, kind in kinds.items()}
    )


@quick
@given(
    st.fixed_dictionaries(
        {f.name: numbers(get_type_hints(PipelineConfig)[f.name]) for f in fields(PipelineConfig)}
    )
)
def test_any_settings_that_are_legal_are_read_as_they_were_written(parts):
    try:
        config = PipelineConfig(**parts)
    except ConfigError as problem:
        assert all(" = " in part for part in str(problem).split("; "))
        return
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
    if origin is tuple:
        return st.lists(st.floats(), max_size=3)
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
    "not UTF-8": b"\xff\xfe",
    "NaN": b"[vad]\nrelease = nan",
}


@pytest.mark.parametrize("what", SETTINGS)
def test_hostile_settings_are_one_short_sentence(tmp_path, what):
    (tmp_path / "a.toml").write_bytes(SETTINGS[what])
    assert "a.toml" in refused(lambda: read_config(tmp_path / "a.toml")) or what == "NaN"


FOUND = {  # by the fuzzer, made smaller
    "names": ["a --\nb", "x" * 100 + "\n" + "李" * 100],
    "rttm": [
        b"SPEAKER a 1 nan 1 b c d e\n",
        b"\xff",
        b"SPEAKER a 1 1 -1 b c d e",
        b"SPEAKER a 1 1e308 1e308 b c d",
    ],
    "profiles": [
        packed()[:-8] + b"\xff\xff\xff\xff\0\0\0\0",
        packed("Anna").replace(b"\x00\x00embeddings", b"\x00\x08\xe0mbeddings"),
        packed().replace(len(index_of()).to_bytes(4, "little"), b"\xff\xff\xff\x7f"),
        b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\x7f\xff\xff\xff\x7f\0\0",
        packed()
        .replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\0\x08")
        .replace(INDEX.encode(), b"\xe0rofiles.json"),
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


def link(name: str) -> bytes:
    """A zip whose member is a symbolic link."""
    file, info = io.BytesIO(), zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr(INDEX, index_of("Anna"))
        zipped.writestr(info, "/etc/passwd")
    return file.getvalue()


VECTOR = ("embeddings/0.f32", UNIT.tobytes())
BOMB = zip_of([("embeddings/0.f32", bytes(1 << 20))], zipfile.ZIP_DEFLATED)


def with_vector(content: bytes) -> bytes:
    changed = index_of("Anna", embedding_sha256=sha256(content))
    return zip_of([(INDEX, changed), ("embeddings/0.f32", content)])


def shared_part() -> bytes:
    """Two people who share one part, as a thousand could share a large one."""
    return zip_of([(INDEX, index_of("Anna", "Bob").replace(b"embeddings/1", b"embeddings/0")), VECTOR])


ARCHIVES: dict[str, bytes] = {
    **{
        f"a member {name}": zip_of([(INDEX, index_of("Anna")), VECTOR, (name, b"x")])
        for name in (
            "../../evil",
            "/etc/evil",
            "C:\\evil",
            "embeddings/../../x.f32",
            "embeddings/",
            "audio/1.flac/../2.flac",
        )
    },
    "a link": link("embeddings/0.f32"),
    "a bomb": zip_of(
        [(INDEX, index_of("Anna")), ("embeddings/0.f32", bytes(100 << 20))], zipfile.ZIP_DEFLATED
    ),
    "a bomb in a bomb": zip_of([(INDEX, index_of("Anna")), ("embeddings/0.f32", BOMB)]),
    "an index of 20 MB": zip_of([(INDEX, b" " * (20 << 20)), VECTOR], zipfile.ZIP_DEFLATED),
    "one part for two": shared_part(),
    "NaN": with_vector((np.nan * UNIT).tobytes()),
    "inf": with_vector((np.inf * UNIT).tobytes()),
    "too long a vector": with_vector(np.ones(20_000, "<f4").tobytes()),
    "no vector": with_vector(b""),
    "a wrong checksum": zip_of([(INDEX, index_of("Anna", embedding_sha256="0" * 64)), VECTOR]),
    "a surrogate": zip_of([(INDEX, index_of("Anna").replace(b'"lstm"', b'"\\ud800"')), VECTOR]),
    "a control character": zip_of([(INDEX, index_of("Anna").replace(b'"lstm"', b'"\\u001b[2J"')), VECTOR]),
    "a number too long": zip_of([(INDEX, index_of("Anna").replace(b"5.0", b"9" * 400)), VECTOR]),
    "a number far too long": zip_of([(INDEX, index_of("Anna").replace(b"5.0", b"9" * 9_000)), VECTOR]),
    "SQL for a format": zip_of([(INDEX, b'{"format": "1; DROP TABLE profiles", "profiles": []}'), VECTOR]),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_a_hostile_file_of_profiles_is_refused_and_nothing_is_changed(tmp_path, home, what):
    path, before = tmp_path / "people.zip", set(tmp_path.rglob("*"))
    path.write_bytes(ARCHIVES[what])
    assert "people.zip" in refused(lambda: import_profiles(ProfileStore(), path, replace=True))
    assert set(tmp_path.rglob("*")) == before | {path} and not home.exists()


def test_a_thousand_people_are_no_attack(tmp_path):
    path, names = tmp_path / "people.zip", [f"Person {i}" for i in range(1_000)]
    path.write_bytes(packed(*names))
    assert import_profiles(ProfileStore(), path, replace=False) == names
