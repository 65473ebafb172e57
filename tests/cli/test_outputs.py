"""Outputs wherever people want them: links, pipes, standard output; and how a command ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import voicelane, wav
from tests.conftest import ROOT
from voicelane import RttmSink, SpeakerTurn, TurnRevised, read_config, read_rttm
from voicelane.base import VoicelaneError
from voicelane.base.files import is_replaceable, write_through

TURN = SpeakerTurn(32_000, "S1", 0, 32_000, 32_000, 0.9, True)
REVISED = TurnRevised(32_000, "S1", "S2", 0, 32_000)
AS_SPOKEN, AS_REVISED = (f"SPEAKER talk 1 0.000 2.000 <NA> <NA> {s} <NA> <NA>\n" for s in ("S1", "S2"))


def program(*arguments: object, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "voicelane", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def revised(path: Path) -> None:
    sink = RttmSink(path, "talk")
    sink.put(TURN)
    if path.is_file() and is_replaceable(path):
        assert path.read_text() == AS_SPOKEN
    sink.put(REVISED)
    sink.close()


def read_in_background(pipe: Path) -> tuple[threading.Thread, list[str]]:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(pipe.read_text()))
    thread.start()
    return thread, found


def test_revised_turns_reach_what_a_link_leads_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link, second = tmp_path / "elsewhere/real.rttm", tmp_path / "link", tmp_path / "link to a link"
    target.write_text("old\n")
    target.chmod(0o640)
    link.symlink_to("elsewhere/real.rttm")
    second.symlink_to(link)
    revised(second)
    assert second.is_symlink() and link.is_symlink()
    assert target.read_text() == AS_REVISED and target.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        "elsewhere",
        "link",
        "link to a link",
        "real.rttm",
    ]


def test_a_link_to_nothing_yet_is_filled(tmp_path):
    (tmp_path / "link").symlink_to("new.rttm")
    revised(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "new.rttm").read_text() == AS_REVISED


def test_a_pipe_stays_one_and_gets_the_final_turns_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread, found = read_in_background(pipe)
    revised(pipe)
    thread.join(10)
    assert found == [AS_REVISED] and pipe.is_fifo()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_every_command_writes_through(tmp_path, speech, home, kind):
    """`run`, `embed`, `sessions export`, `profiles export` to a link and a pipe; `batch` to a link."""
    sound = wav(tmp_path / "a.wav", speech[: 8 * 16_000])
    assert voicelane("run", sound, "--session", "talk") == 0
    assert voicelane("enrol", "Anna", sound, "--force") == 0
    commands = [
        ("embed", sound, "--out"),
        ("sessions", "export", "talk", "--format", "rttm", "--out"),
        ("profiles", "export"),
        ("run", sound, "--rttm"),
        ("run", sound, "--jsonl"),
    ]
    for n, command in enumerate(commands):
        out, real, found = tmp_path / f"out{n}", tmp_path / f"real{n}", []
        if kind == "link":
            out.symlink_to(real)
            assert voicelane(*command, out) == 0
            assert out.is_symlink() and real.stat().st_size > 90
        else:
            os.mkfifo(out)
            reader = threading.Thread(target=lambda o=out, f=found: f.append(o.read_bytes()))
            reader.start()
            assert voicelane(*command, out) == 0
            reader.join(10)
            assert out.is_fifo() and len(found[0]) > 90
    if kind == "link":
        (tmp_path / "in").mkdir()
        wav(tmp_path / "in/a.wav", speech[: 8 * 16_000])
        (tmp_path / "results").mkdir()
        (tmp_path / "results/a.rttm").symlink_to(tmp_path / "far.rttm")
        assert voicelane("batch", tmp_path / "in", "--out", tmp_path / "results", "--jobs", 1) == 0
        assert (tmp_path / "results/a.rttm").is_symlink() and read_rttm(tmp_path / "far.rttm")


def test_what_fails_half_way_changes_nothing(tmp_path):
    from voicelane.base.files import written_through

    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_through(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_descriptor_is_no_file_to_replace(tmp_path):
    with (tmp_path / "a").open("w") as file:
        link = tmp_path / "like a descriptor"
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")
        file.write("before\n")
        file.flush()
        assert not is_replaceable(link)
        write_through(link, b"after\n")
    assert (tmp_path / "a").read_text() == "before\nafter\n"


@pytest.mark.parametrize("option", ["--rttm", "--jsonl"])
def test_a_hyphen_is_standard_output_and_nothing_else_is_on_it(tmp_path, speech, option):
    sound = wav(tmp_path / "a.wav", speech[: 8 * 16_000])
    done = program("run", sound, option, "-", stdin=subprocess.DEVNULL)
    printed, error = done.communicate(timeout=120)
    assert done.returncode == 0 and b"sure" in error
    if option == "--rttm":
        (tmp_path / "a.rttm").write_bytes(printed)
        assert read_rttm(tmp_path / "a.rttm") and printed.count(b"SPEAKER a 1") == printed.count(b"\n")
    else:
        assert {json.loads(line)["event"] for line in printed.splitlines()} >= {"SpeakerTurn"}


def test_two_outputs_cannot_both_be_standard_output(tmp_path, speech, capsys):
    assert voicelane("run", wav(tmp_path / "a.wav", speech), "--rttm", "-", "--jsonl", "-") == 2
    assert "different files" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["by head", "from the beginning"])
def test_a_closed_standard_output_is_no_error(tmp_path, speech, closed):
    sound = wav(tmp_path / "a.wav", np.tile(speech, 3))
    command = f"{sys.executable} -m voicelane run {sound} --rttm {tmp_path}/a.rttm"
    tail = "| head -1" if closed == "by head" else ">&-"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command} {tail}"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0 and done.stderr == "preparing …\n".encode()
    assert read_rttm(tmp_path / "a.rttm")[-1].end > 55.0


def test_listing_into_head_is_no_error():
    command = f"{sys.executable} -m voicelane models | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_when_nobody_reads_and_nothing_is_written_listening_ends(tmp_path):
    os.mkfifo(tmp_path / "sound")
    process = program("run", tmp_path / "sound", "--raw", "s16le:16000:1")
    writing = os.open(tmp_path / "sound", os.O_WRONLY)
    assert process.stdout is not None
    process.stdout.close()
    tone = np.random.default_rng(1).integers(-9_000, 9_000, 16_000).astype("<i2").tobytes()
    try:
        for _ in range(300):
            os.write(writing, tone)
            if process.poll() is not None:
                break
            time.sleep(0.05)
    except BrokenPipeError:
        pass
    os.close(writing)
    process.wait(60)
    assert process.returncode in (0, 141) and b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_waiting_for_a_silent_pipe(tmp_path, sign):
    os.mkfifo(tmp_path / "sound")
    process = program("run", tmp_path / "sound", "--raw", "s16le:16000:1", "--rttm", tmp_path / "a.rttm")
    writing = os.open(tmp_path / "sound", os.O_WRONLY)
    os.write(writing, bytes(320_000))
    deadline = time.monotonic() + 60
    while not (tmp_path / "a.rttm").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(4.0)
    process.send_signal(sign)
    _, error = process.communicate(timeout=30)
    os.close(writing)
    assert process.returncode == 128 + sign and b"everything heard so far is written" in error
    assert b"Traceback" not in error and (tmp_path / "a.rttm").read_text() == ""


def test_nohup_is_respected():
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "from voicelane.cli.endings import answer_signals; answer_signals(); "
        "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


FORMS = {
    "as it is": lambda text: text.encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "both": lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "tabs": lambda text: text.replace(" ", "\t").encode(),
    "no end of line": lambda text: text.rstrip("\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_settings_and_turns_are_read_alike_in_every_form(tmp_path, form):
    (tmp_path / "a.rttm").write_bytes(FORMS[form](AS_SPOKEN + AS_REVISED))
    assert [(t.speaker, t.end) for t in read_rttm(tmp_path / "a.rttm")] == [("S1", 2.0), ("S2", 2.0)]
    (tmp_path / "a.toml").write_bytes(FORMS[form]("[vad]\nonset_frames = 3\n[diariser]\nmax_speakers = 4\n"))
    config = read_config(tmp_path / "a.toml")
    assert (config.vad.onset_frames, config.diariser.max_speakers) == (3, 4)


def test_an_output_that_is_a_folder_is_named(tmp_path, speech):
    with pytest.raises((VoicelaneError, OSError), match="x"):
        RttmSink(tmp_path / "a.d" / "x", "talk").close()
