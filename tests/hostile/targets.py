"""What the fuzzer feeds, target by target: bytes and an empty folder in; only voicelane's own errors out."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile as sf

from tests.audio.sound_files import CODECS_OF_THIS_MACHINE, write_kind
from tests.hostile.inputs import (
    ABOUT_NOW,
    UNIT,
    check_exports,
    check_names,
    index_of,
    packed,
    talk,
    write_session,
    zip_of,
)
from voicelane.audio.resampler import Resampler, finite
from voicelane.audio.sources import FileSource
from voicelane.config import PipelineConfig, read_config
from voicelane.events import event_from_dict
from voicelane.inference.manifest import read_manifest
from voicelane.inference.onnx import models_folder
from voicelane.live.sinks import read_rttm
from voicelane.profiles.store import ProfileStore
from voicelane.profiles.transfer import INDEX, import_profiles
from voicelane.sessions.session import open_session

MOST_BLOCKS = 2_000
Target = Callable[[bytes, Path], None]


def audio(data: bytes, folder: Path) -> None:
    """A sound file, read and resampled as the live engine does it, 40 s at most."""
    path = folder / ("x.raw" if data[:3] == b"raw" else "x.wav")
    path.write_bytes(data)
    source = FileSource(path)
    try:
        resampler = Resampler(source.rate)
        for _, block in zip(range(MOST_BLOCKS), source.blocks(), strict=False):
            assert block.ndim == 2 and block.shape[1] == source.channels
            assert np.isfinite(resampler.process(finite(block)[0])).all()
        assert np.isfinite(resampler.flush()).all()
    finally:
        source.close()


def config(data: bytes, folder: Path) -> None:
    """Settings; those that are taken are written and read again unchanged."""
    path = folder / "config.toml"
    path.write_bytes(data)
    found = read_config(path)
    path.write_text(found.to_toml(), encoding="utf-8")
    assert read_config(path) == found


def rttm(data: bytes, folder: Path) -> None:
    """Turns of finite, ordered times."""
    (folder / "x.rttm").write_bytes(data)
    for turn in read_rttm(folder / "x.rttm"):
        assert turn.speaker and 0.0 <= turn.start <= turn.end < float("inf")


def profiles(data: bytes, folder: Path) -> None:
    """A file of profiles as it comes; what is imported is whole, what is refused leaves nothing."""
    _import(data, folder)


def index(data: bytes, folder: Path) -> None:
    """The index of a file of profiles whose other parts are right."""
    _import(zip_of([(INDEX, data), *((f"embeddings/{i}.f32", UNIT.tobytes()) for i in range(3))]), folder)


def _import(data: bytes, folder: Path) -> None:
    path, store = folder / "people.zip", ProfileStore(folder / "home")
    path.write_bytes(data)
    try:
        names = import_profiles(store, path, replace=True)
    except Exception:
        assert not store.names() and not any(store.audio_folder.glob("*")), "a part was kept"
        raise
    for name in names:
        store.profile(name).person()


def session(data: bytes, folder: Path) -> None:
    """session.json, a zero byte, events.jsonl: opened and written in every format."""
    about, _, events = data.partition(b"\0")
    found = open_session(f"{write_session(folder / 'talk', about, events)}")
    check_exports(found, folder)


def events(data: bytes, folder: Path) -> None:
    """One event as JSON: refused, or whole and written again the same."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        found = event_from_dict(content)
        text = json.dumps(found.as_dict(), allow_nan=False)
        assert event_from_dict(json.loads(text)) == found


def names(data: bytes, folder: Path) -> None:
    """Lines are names of speakers."""
    text = data.decode("utf-8", "surrogateescape")
    check_names(text.split("\n")[:8], folder)


def manifest(data: bytes, folder: Path) -> None:
    """manifest.toml of a model."""
    (folder / "manifest.toml").write_bytes(data)
    found = read_manifest(folder)
    assert isinstance(found.sha256, str) and found.sha256[:12].isprintable()
    [np.zeros(shape, np.float32) for shape in found.state.values()]


def scale(data: bytes, folder: Path) -> None:
    """scale.npz of an encoder of four numbers."""
    from voicelane.stages.scale import read_scale

    class Encoder:
        id, dim = "a" * 64, 4

    read_scale(data, folder / "scale.npz", Encoder())  # type: ignore[arg-type]


TARGETS: dict[str, Target] = {
    t.__name__: t for t in (audio, config, rttm, profiles, index, session, events, names, manifest, scale)
}


def seeds(target: str) -> list[bytes]:
    """Small valid inputs to begin with, and some that are nearly so."""
    return {
        "audio": _sounds,
        "config": lambda: [PipelineConfig().to_toml().encode(), b"[vad]\nmodel = 'x'\nonset_frames = 0x2\n"],
        "rttm": lambda: [
            b"SPEAKER talk 1 0.000 1.500 <NA> <NA> Anna <NA> <NA>\n",
            b";; x\nSPEAKER a 1 nan 1e9 b c d",
        ],
        "profiles": lambda: [packed("Anna"), packed("Zo\u00eb", "Bob"), packed()],
        "index": lambda: [index_of("Anna"), index_of("Anna", "Bob", "Zo\u00eb")],
        "session": lambda: [_about() + b"\0" + _lines(n) for n in ([], ["Anna"], ["=1", "b c", "{x}"])],
        "events": lambda: _lines(["Anna", "Bob"]).split(b"\n") + _shipped_events(),
        "names": lambda: [
            "Anna\nZoë\n李雷".encode(),
            b"=1+1\n'; DROP TABLE profiles; --\n-->\n<v x>\n{\\an8}",
        ],
        "manifest": lambda: [p.read_bytes() for p in sorted(models_folder().glob("*/manifest.toml"))[1:]],
        "scale": lambda: [_scale()],
    }[target]()


def _about() -> bytes:
    return json.dumps(asdict(ABOUT_NOW)).encode()


def _lines(names: list[str]) -> bytes:
    return "\n".join(json.dumps(e.as_dict()) for e in talk(names)).encode()


def _shipped_events() -> list[bytes]:
    """One event of every other kind."""
    from voicelane import events as e

    rest = [
        e.StreamStarted(0, "mic", 16_000, 1.0),
        e.SpeechEnded(5, 1, 4),
        e.TurnRevised(9, "S1", "S2", 0, 5),
        e.VoiceMeasured(9, 0, 5, {"S1": 0.5}, (0.6, 0.8), None),
        e.SpeakerIdentified(9, "S1", "Anna", 0.5),
        e.Verification(9, "Anna", 0.5, 1.5, 3.0, True),
        e.DeviceLost(9, "gone"),
        e.StageTiming(9, 1, {"vad": 1.0}, {"vad": 0.5}),
    ]
    return [json.dumps(event.as_dict()).encode() for event in rest]


def _sounds() -> list[bytes]:
    """A twentieth of a second in every format, and WAV headers that lie."""
    tone, found = 0.3 * np.sin(np.arange(800) / 9.0).astype(np.float32), []
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64"):
        file = io.BytesIO()
        sf.write(file, tone, 16_000, format=kind)
        found.append(file.getvalue())
    rate_zero = bytearray(found[0])
    rate_zero[24:28] = struct.pack("<I", 0)
    endless = bytearray(found[0])
    endless[40:44] = b"\0\0\0\0"
    with TemporaryDirectory() as folder:
        found += [write_kind(Path(folder), name, tone).read_bytes() for name in CODECS_OF_THIS_MACHINE]
    return [*found, bytes(rate_zero), bytes(endless), b"raw" + bytes(100)]


def _scale() -> bytes:
    file = io.BytesIO()
    square, voices = np.eye(4), np.ones(4)
    np.savez(
        file,
        encoder_id="a" * 64,
        mean=np.zeros(4),
        transform=square,
        plda_between=voices,
        weights=np.ones(6),
        lengths_s=np.array([0.4, 30.0]),
        between=square,
        channel=square,
    )
    return file.getvalue()
