"""Files of profiles that mean harm: refused in one sentence, and nothing is changed."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy as np
import pytest

from tests.hostile.inputs import UNIT, check_sentence, index_of, packed, sha256, zip_of
from voicelane import ProfileStore, VoicelaneError
from voicelane.profiles.transfer import INDEX, import_profiles


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


def patched(*changes: tuple[int, bytes]) -> bytes:
    """A file of profiles with bytes changed, counted from its list of members (APPNOTE 4.3.12)."""
    data = bytearray(packed("Anna"))
    start = data.index(b"PK\x01\x02")
    for at, content in changes:
        data[start + at : start + at + len(content)] = content
    return bytes(data)


def odd_local_name() -> bytes:
    """The second member says that its name is UTF-8 where it is not."""
    data = bytearray(packed("Anna"))
    at = data.index(b"PK\x03\x04", 4)
    data[at + 6 : at + 8], data[at + 30] = b"\0\x08", 0xE0
    return bytes(data)


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
    "a list without members": packed("Anna")[packed("Anna").index(b"PK\x01\x02") :],
    "a part of 2 GB in 1 kB": patched((20, b"\xff\xff\xff\x7f")),
    "a name that is not UTF-8": patched((8, b"\0\x08"), (46, b"\xe0")),
    "a name that is not UTF-8 at the part": odd_local_name(),
    "a number of members that lies": packed() + b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\x7f" * 2 + b"\0\0",
    "SQL for a format": zip_of([(INDEX, b'{"format": "1; DROP TABLE profiles", "profiles": []}'), VECTOR]),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_a_hostile_file_of_profiles_is_refused_and_nothing_is_changed(tmp_path, home, what):
    path, before = tmp_path / "people.zip", set(tmp_path.rglob("*"))
    path.write_bytes(ARCHIVES[what])
    with pytest.raises(VoicelaneError, match=r"people\.zip") as problem:
        import_profiles(ProfileStore(), path, replace=True)
    check_sentence(str(problem.value))
    assert set(tmp_path.rglob("*")) == before | {path} and not home.exists()


def test_a_thousand_people_are_no_attack(tmp_path):
    path, names = tmp_path / "people.zip", [f"Person {i}" for i in range(1_000)]
    path.write_bytes(packed(*names))
    assert import_profiles(ProfileStore(), path, replace=False) == names
