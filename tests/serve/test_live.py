"""The live WebSocket: what a stream tells, that it survives its connection, and what it holds back."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.serve.conftest import Server
from voicelane import Pipeline
from voicelane.client.connection import AsyncClient, ServerError
from voicelane.live import final_turns

websockets = pytest.importorskip("websockets")
connect = pytest.importorskip("websockets.sync.client").connect
ConnectionClosed = pytest.importorskip("websockets.exceptions").ConnectionClosed
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]
CHUNK = 1_600
PATIENCE_S = 60.0


def chunks(sound: np.ndarray, length: int = CHUNK) -> list[np.ndarray]:
    return [sound[i : i + length] for i in range(0, len(sound), length)]


def heard(server, sound, length=CHUNK, **start) -> list[dict]:
    """All messages of one stream."""
    found = []
    with server.client.stream(**start) as stream:
        for block in chunks(sound, length):
            stream.send(block)
            found += stream.messages()
        found += stream.finish()
    return found


def kinds(messages: list[dict], kind: str) -> list[dict]:
    return [m for m in messages if m["type"] == kind]


@pytest.fixture(scope="module")
def speech(speech) -> np.ndarray:
    """Its first 10 s."""
    return speech[: 10 * 16_000]


@pytest.fixture(scope="module")
def told(server, speech) -> list[dict]:
    """What is said of it."""
    return heard(server, speech, encoding="f32le")


def test_a_stream_ends_with_the_turns_of_the_pipeline(told, speech):
    pipeline = Pipeline()
    events = [e for block in chunks(speech) for e in pipeline.push(block)] + pipeline.flush()
    expected = [(t.speaker, round(t.start / 16_000, 3)) for t in final_turns(events)]
    (end,) = kinds(told, "end")
    assert [(t["speaker"], t["start_s"]) for t in end["turns"]] == expected and len(expected) > 1
    assert end["heard_s"] == 10.0


def test_messages_are_numbered_without_a_gap(told):
    assert [m["seq"] for m in told] == list(range(1, len(told) + 1))


def test_every_speaker_who_starts_ends(told):
    speaking = set()
    for message in told:
        if message["type"] == "speaker_start":
            assert message["speaker"] not in speaking
            speaking.add(message["speaker"])
        elif message["type"] == "speaker_end":
            speaking.remove(message["speaker"])
    assert not speaking


def test_what_is_confirmed_never_changes_and_is_the_final_turns(told):
    """Spans follow each other within a turn, and end where it ends."""
    spans: dict[str, list[float]] = {}
    for message in told:
        if message["type"] == "confirmed":
            span = spans.setdefault(message["speaker"], [message["start_s"], message["start_s"]])
            assert message["start_s"] == pytest.approx(span[1], abs=0.05)
            span[1] = message["end_s"]
        elif message["type"] == "speaker_end" and "confidence" in message:
            start, end = spans.pop(message["speaker"])
            assert (start, end) == pytest.approx((message["start_s"], message["end_s"]), abs=0.05)
    assert not spans and len(kinds(told, "confirmed")) > 5


@pytest.mark.parametrize("length", [1, 333, 160_000], ids=str)
def test_any_chunking_tells_the_same_turns(server, told, speech, length):
    data = speech.astype("<f4").tobytes()
    sizes = data[: 50 * length] if length == 1 else b""  # odd bytes at first, then the rest at once
    with server.client.stream(encoding="f32le") as stream:
        for i in range(0, len(sizes) or len(data), length):
            stream.send(data[i : i + length])
        if sizes:
            stream.send(data[len(sizes) :])
        end = list(stream.finish())[-1]
    assert end["turns"] == kinds(told, "end")[0]["turns"]


@pytest.mark.parametrize("name", ["ogg", "webm"])
def test_containers_are_decoded_while_they_come(server, told, tmp_path, name, speech):
    sf = pytest.importorskip("soundfile")
    sf.write(tmp_path / "talk.wav", speech, 16_000)
    path = tmp_path / f"talk.{name}"
    encode(tmp_path / "talk.wav", path)
    found = []
    with server.client.stream(encoding="container") as stream:
        for i in range(0, path.stat().st_size, 500):
            stream.send(path.read_bytes()[i : i + 500])
            found += stream.messages()
        until_s = time.monotonic() + PATIENCE_S
        while not kinds(found, "speaker_start"):
            assert time.monotonic() < until_s, found
            found += stream.messages(0.1)
        end = list(stream.finish())[-1]
    assert end["heard_s"] == pytest.approx(10.0, abs=0.1)
    assert {t["speaker"] for t in end["turns"]} == {t["speaker"] for t in kinds(told, "end")[0]["turns"]}


def encode(source: Path, target: Path) -> None:
    """Opus by libav, in the container that the file's name says."""
    import av

    with av.open(str(source)) as there, av.open(str(target), "w") as made:
        track = made.add_stream("libopus", rate=48_000, layout="mono")
        for frame in there.decode(audio=0):
            made.mux(track.encode(frame))
        made.mux(track.encode(None))


def test_another_rate_and_two_channels_are_heard(server, speech, told):
    soxr = pytest.importorskip("soxr")
    stereo = np.repeat(soxr.resample(speech, 16_000, 44_100)[:, None], 2, axis=1)
    end = heard(server, stereo, 4_410, rate=44_100, channels=2)[-1]
    assert end["heard_s"] == pytest.approx(10.0, abs=0.05)
    assert {t["speaker"] for t in end["turns"]} == {t["speaker"] for t in kinds(told, "end")[0]["turns"]}


def test_a_speaker_gets_a_name_by_hand(server, speech):
    found = []
    with server.client.stream() as stream:
        for block in chunks(speech):
            stream.send(block)
            found += stream.messages()
        while not kinds(found, "speaker_start"):
            found += stream.messages(0.1)
        stream.rename("S1", "Anna")
        stream.rename("S9", "Nobody")
        end = [*found, *stream.finish()]
    assert {t["name"] for t in end[-1]["turns"] if t["speaker"] == "S1"} == {"Anna"}
    assert [m["name"] for m in kinds(end, "name")] == ["Anna"]
    (error,) = kinds(end, "error")
    assert "S9" in error["message"]


def test_channels_with_a_person_each_have_their_names(server, speech):
    stereo = np.zeros((len(speech), 2), np.float32)
    half = len(speech) // 2
    stereo[:half, 0], stereo[half:, 1] = speech[:half], speech[half:]
    end = heard(server, stereo, channels=2, channel_names=["Anna", "Ben"])[-1]
    names = {t["name"]: t["start_s"] for t in reversed(end["turns"])}
    assert set(names) == {"Anna", "Ben"} and names["Anna"] < 5.0 <= names["Ben"]


def test_a_dropped_connection_loses_neither_labels_nor_sound(server, told, speech):
    """The same messages as without a break, each once."""
    found = []
    with server.client.stream(encoding="f32le") as stream:
        for i, block in enumerate(chunks(speech)):
            stream.send(block)
            found += stream.messages()
            if i in (30, 70):
                stream._socket.socket.close()
        found += stream.finish()
    same = [{k: v for k, v in m.items() if k != "seq"} for m in found if m["type"] != "health"]
    expected = [{k: v for k, v in m.items() if k != "seq"} for m in told if m["type"] != "health"]
    assert same == expected
    assert [m["seq"] for m in found] == list(range(1, len(found) + 1))


def test_an_asynchronous_client_resumes_too(server, told, speech):
    async def talk() -> list[dict]:
        found = []
        async with AsyncClient(server.url).stream(encoding="f32le") as stream:

            async def send() -> None:
                for i, block in enumerate(chunks(speech)):
                    await stream.send(block)
                    await asyncio.sleep(0.001)
                    if i == 70:
                        stream._socket.transport.abort()
                await stream.end()

            sending = asyncio.create_task(send())
            async for message in stream:
                found.append(message)
            await sending
        return found

    found = asyncio.run(talk())
    assert found[-1]["turns"] == kinds(told, "end")[0]["turns"]


def test_a_stream_is_kept_for_a_while_and_no_longer(server, speech):
    with server.client.stream() as stream:
        stream.send(speech[:16_000])
    server.until_gone(stream.session)
    with pytest.raises(ServerError, match="no such stream"):
        stream._connect()


def test_a_server_that_stops_tells_its_clients_and_says_no_more(tmp_path, speech):
    server = Server(tmp_path)
    with connect(server.live, max_size=None) as socket:
        socket.send(json.dumps({"type": "start", "encoding": "pcm_s16le", "rate": 16_000, "channels": 1}))
        assert json.loads(socket.recv(60))["type"] == "ready"
        server.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(30)
    assert closed.value.rcvd.code == 1012
    assert "Traceback" not in server.stop()


def test_a_new_connection_takes_a_stream_over(server):
    with server.client.stream() as stream:
        with server.client.connect() as other:
            other.send(json.dumps({"type": "resume", "session": stream.session}))
            assert json.loads(other.recv())["type"] == "resumed"
            with pytest.raises(ServerError) as refused:
                list(stream.messages(5.0))
        assert refused.value.code == 4409


def test_whoever_watches_reads_the_same(server, speech):
    with server.client.stream() as stream, server.client.connect() as watcher:
        watcher.send(json.dumps({"type": "watch"}))
        assert json.loads(watcher.recv())["session"] == stream.session
        stream.send(speech[: 4 * 16_000])
        told = list(stream.finish())
        seen = [json.loads(watcher.recv(10)) for _ in told]
    assert seen == told


def test_sound_that_comes_too_fast_waits_and_that_is_told(server, speech):
    """More than the burst: the server stops reading, says so, and hears all of it."""
    found = heard(server, np.tile(speech, 4), 16_000)
    states = [m["state"] for m in kinds(found, "health")]
    assert "wait" in states and states.index("wait") < len(states) - 1 and "go" in states
    assert found[-1]["heard_s"] == 40.0 and server.gauge("held_total") >= 1


def test_a_recorded_stream_becomes_a_session(server, speech, told):
    heard(server, speech, encoding="f32le", record=True)
    (session,) = server.client.get("/v1/sessions")["sessions"]
    shown = server.client.get(f"/v1/sessions/{session['name']}")
    assert session["state"] == "finished" and session["duration_s"] == 10.0
    assert shown["turns"] == kinds(told, "end")[0]["turns"]
    renamed = server.client.rename(session["name"], "S1", "Anna")
    assert "Anna" in {t["name"] for t in renamed["turns"]}
    server.client.delete(f"/v1/sessions/{session['name']}")
    assert server.client.get("/v1/sessions") == {"sessions": []}
