"""Files as people have them: every container is heard, to its end, at its true time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.audio.sound_files import CODECS_OF_THIS_MACHINE, write, write_kind
from tests.cli.test_main import voicelane, wav
from tests.conftest import ROOT
from voicelane import FileSource, VoicelaneError, read_rttm
from voicelane.audio import Resampler

SECONDS = 12
MARK_S = 11.0
FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")


@pytest.fixture
def talk(speech: np.ndarray) -> np.ndarray:
    return speech[: SECONDS * 16_000]


def heard(path: Path | str, **options) -> tuple[np.ndarray, FileSource]:
    """The whole of a file at 16 kHz, and its closed source."""
    source = FileSource(path, **options)
    resampler = Resampler(source.rate)
    sound = [resampler.process(block) for block in source.blocks()]
    source.close()
    return np.concatenate([*sound, resampler.flush()]), source


def shift_ms(found: np.ndarray, wanted: np.ndarray, at_s: float) -> float:
    """By how much a second of `found` comes later than it does in `wanted`."""
    at, most = round(at_s * 16_000), 800
    here, there = found[at - 8_000 : at + 8_000], wanted[at - 8_000 - most : at + 8_000 + most]
    return (most - int(np.correlate(there, here, "valid").argmax())) / 16.0


@pytest.mark.parametrize("name", CODECS_OF_THIS_MACHINE)
def test_every_kind_of_file_is_heard_at_its_true_time(tmp_path, talk, name):
    path = write_kind(tmp_path, name, talk)
    found, source = heard(path)
    assert source.duration_s == pytest.approx(SECONDS, abs=0.15)
    assert len(found) / 16_000 == pytest.approx(SECONDS, abs=0.15)
    begin_ms, end_ms = (shift_ms(found, talk, at_s) for at_s in (2.0, MARK_S))
    assert abs(begin_ms - end_ms) < 5.0
    bare = name in ("adts.aac", "ac3.ac3", "amr.amr", "wma.wma")  # no place for the codec's delay in these
    assert abs(end_ms) < (130.0 if bare else 20.0)
    assert not source.remarks


@needs_ffmpeg
@pytest.mark.parametrize("name", CODECS_OF_THIS_MACHINE)
def test_time_is_that_of_ffmpeg(tmp_path, talk, name):
    path = write_kind(tmp_path, name, talk)
    command = [FFMPEG, "-v", "error", "-i", path, "-ac", "1", "-ar", "16000", "-f", "f32le", "-"]
    wanted = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    found, _ = heard(path)
    assert abs(len(found) - len(wanted)) < 320
    assert abs(shift_ms(found, wanted, MARK_S)) < 20.0


def test_at_the_end_of_an_hour_time_is_still_true(tmp_path):
    """Clicks every ten minutes; AAC in M4A, whose delay an edit list takes off."""
    sound = np.zeros(3_600 * 8_000, np.float32)
    sound[:: 600 * 8_000] = sound[-8_000] = 0.9
    path = write(tmp_path / "hour.m4a", sound, codec="aac", rate=8_000)
    source, at, loudest, place = FileSource(path), 0, 0.0, 0
    assert source.duration_s == pytest.approx(3_600, abs=0.02)
    for block in source.blocks():
        if at > 3_590 * 8_000 and np.abs(block).max() > loudest:
            loudest, place = np.abs(block).max(), at + int(np.abs(block).argmax())
        at += len(block)
    source.close()
    assert abs(place - (len(sound) - 8_000)) / 8.0 < 20.0
    assert abs(at - len(sound)) / 8_000 < 0.15


@pytest.mark.parametrize("name", ["opus.opus", "vorbis.ogg", "mp3.mp3", "flac.flac", "adts.aac"])
def test_files_that_were_joined_are_heard_to_the_end(tmp_path, talk, name):
    whole = b""
    for half in (talk[:96_000], talk[96_000:]):
        whole += write_kind(tmp_path, name, half).read_bytes()
    path = tmp_path / f"joined{Path(name).suffix}"
    path.write_bytes(whole)
    found, source = heard(path)
    assert len(found) / 16_000 == pytest.approx(SECONDS, abs=0.3)
    assert source.duration_s == pytest.approx(SECONDS, abs=0.4)
    assert max(shift_ms(found, talk, 2.0), shift_ms(found[1_600:], talk, 9.0)) < 200.0


def test_of_joined_wav_files_it_is_said_where_hearing_stopped(tmp_path, talk, capsys):
    parts = [wav(tmp_path / f"{i}.wav", talk, subtype="PCM_16").read_bytes() for i in range(2)]
    (tmp_path / "joined.wav").write_bytes(b"".join(parts))
    assert voicelane("run", tmp_path / "joined.wav") == 0
    assert f"another sound file is joined to it after {SECONDS:.1f} s" in capsys.readouterr().out


def test_of_a_wav_that_is_cut_off_it_is_said_what_is_there(tmp_path, talk, capsys):
    whole = wav(tmp_path / "whole.wav", talk, subtype="PCM_16").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: 44 + 4 * 32_000])
    assert voicelane("run", tmp_path / "cut.wav") == 0
    assert "of the 12.0 s that its header tells of, 4.0 s are there" in capsys.readouterr().out
    assert voicelane("embed", tmp_path / "cut.wav", "--out", tmp_path / "a.npz") == 0
    assert "4.0 s are there" in capsys.readouterr().err


def test_of_a_decoded_file_that_is_cut_off_it_is_said_where_it_ends(tmp_path, talk):
    path = write_kind(tmp_path, "opus.mkv", talk)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found, source = heard(path)
    assert 3.0 < len(found) / 16_000 < 9.0
    assert any("before the end that it claims" in r for r in source.remarks)


def test_one_of_several_tracks_is_heard_and_all_are_listed(tmp_path, talk, capsys):
    path = write(tmp_path / "talk.mkv", talk, talk[::-1], codec="aac", rate=16_000)
    first, source = heard(path)
    assert "2 audio tracks: 1 (eng, aac, 1 ch), 2 (deu, aac, 1 ch)" in source.remarks[0]
    second, source = heard(path, track=2)
    assert not source.remarks
    assert abs(shift_ms(first, talk, 5.0)) < 20.0 and abs(shift_ms(second, talk[::-1], 5.0)) < 20.0
    assert voicelane("run", path, "--track", 3) == 2
    assert "there is no track 3; 2 audio tracks: 1 (eng" in capsys.readouterr().err


def test_a_playlist_opens_no_other_file(tmp_path, talk):
    path = write_kind(tmp_path, "adts.aac", talk)
    for name, text in {
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{path}\n#EXT-X-ENDLIST\n",
        "a.ffconcat": f"ffconcat version 1.0\nfile {path.name}\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(VoicelaneError, match="not a sound file"):
            FileSource(tmp_path / name)


def run_on(stdin: bytes, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "voicelane", "run", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize("name", ["opus.webm", "aac.m4a", "mp3.mp3", "talk.wav", "talk.raw"])
def test_sound_comes_through_a_pipe(tmp_path, talk, name):
    if name == "talk.wav":
        path = wav(tmp_path / name, talk, subtype="PCM_16")
    elif name == "talk.raw":
        path = tmp_path / name
        path.write_bytes((talk * 32_767).astype("<i2").tobytes())
    else:
        path = write_kind(tmp_path, name, talk)
    raw = ["--raw", "s16le:16000:1"] if name == "talk.raw" else []
    done = run_on(path.read_bytes(), "-", *raw, "--rttm", tmp_path / "a.rttm")
    assert done.returncode == 0 and done.stderr.decode() == "preparing …\n"
    turns = read_rttm(tmp_path / "a.rttm")
    assert turns and SECONDS - 2 < turns[-1].end <= SECONDS + 0.2


def test_sound_comes_through_a_named_pipe(tmp_path, talk):
    path, pipe = write_kind(tmp_path, "opus.opus", talk), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(path.read_bytes()))
    writer.start()
    found, source = heard(pipe)
    writer.join()
    assert source.duration_s is None and abs(shift_ms(found, talk, MARK_S)) < 20.0


def test_a_decoder_says_nothing_of_its_own(tmp_path, talk, capfd):
    """libmpg123 writes hundreds of lines about MP3 files at 24 kbit/s, libav about damaged ones."""
    path = write_kind(tmp_path, "mp3.mp3", talk)
    content = bytearray(path.read_bytes())
    content[6_000:6_100] = bytes(100)
    path.write_bytes(bytes(content))
    heard(path)
    with pytest.raises(VoicelaneError):
        FileSource(wav(tmp_path / "none.wav", talk[:0]))
    assert capfd.readouterr().err == ""


def test_reading_a_silent_pipe_can_be_ended():
    reading, writing = os.pipe()
    from voicelane.audio.decoding import Pipe

    pipe = Pipe(reading)
    thread = threading.Thread(target=pipe.read, args=(100,))
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    pipe.end()
    thread.join(2.0)
    assert not thread.is_alive()
    pipe.close()
    os.close(writing)


@pytest.mark.parametrize(
    "raw", ["s16le", "s16le:16000", "mp3:16000:1", "s16le:16:1", "s16le:16000:0", "s16le:x:1", "s16le:1:1:1"]
)
def test_a_raw_format_that_is_none_is_one_sentence(tmp_path, talk, raw, capsys):
    assert voicelane("run", wav(tmp_path / "a.wav", talk), "--raw", raw) == 2
    error = capsys.readouterr().err
    assert f"--raw {raw}" in error and error.count("\n") == 1


def test_integer_files_have_their_scale(tmp_path, talk):
    for name in ("pcm.mov", "flac.mka"):
        found, _ = heard(write_kind(tmp_path, name, talk))
        assert np.abs(found[: len(talk)] - talk).max() < 2e-4
    sf.write(tmp_path / "a.wav", talk, 16_000, "PCM_U8")
    found, _ = heard(tmp_path / "a.wav", track=1)
    assert np.abs(found - talk).max() < 0.02
