"""Protocols of others, each with its real client: pyannoteAI's shape, OpenAI, Wyoming, MCP, MQTT, pipecat."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import ROOT
from tests.serve.test_live import chunks, heard, kinds
from tests.words.models import base_model
from voicelane.client.connection import AsyncClient

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]


@pytest.fixture
def known(server, enrolment_sound, tmp_path):
    """One person is enrolled: the name, and what she says elsewhere."""
    sound = next(iter(enrolment_sound.values()))
    sf.write(tmp_path / "voice.flac", sound, 16_000)
    server.client.enrol("Anna", tmp_path / "voice.flac")
    yield sound
    server.client.delete("/v1/profiles/Anna")


def test_pyannotes_shape_takes_floats_and_tells_starts_and_ends(server, speech):
    """Three steps of its tutorial: create a stream, send 100 ms chunks, read events."""
    httpx = pytest.importorskip("httpx")
    connect = pytest.importorskip("websockets.sync.client").connect
    created = httpx.post(f"{server.url}/v1/live", json={}).raise_for_status().json()
    events = []
    with connect(created["url"]) as ws:
        for block in chunks(speech[: 10 * 16_000]):
            ws.send(block.astype("<f4").tobytes())
        ws.send(json.dumps({"type": "end_of_stream"}))
        events = [json.loads(text) for text in ws]
        assert ws.close_code == 1000
    starts = [e["data"] for e in events if e["type"] == "diarization_speaker_start"]
    ends = [e["data"] for e in events if e["type"] == "diarization_speaker_end"]
    assert len(starts) == len(ends) == len(events) / 2 and len(starts) >= 2
    assert {d["speaker"] for d in starts} <= {f"SPEAKER_{n:02d}" for n in range(9)}
    assert httpx.get(f"{server.url}/v1/live/{created['id']}").json()["status"] == "done"
    with connect(created["url"]) as again:
        assert json.loads(again.recv())["type"] == "error"


@pytest.mark.parametrize(
    "said",
    [bytes(6401), bytes(64_000), "garbage", '{"type": "start"}', "[" * 9999],
    ids=lambda s: str(s)[:12],
)
def test_pyannotes_shape_says_what_is_wrong(server, said):
    httpx = pytest.importorskip("httpx")
    connect = pytest.importorskip("websockets.sync.client").connect
    with connect(httpx.post(f"{server.url}/v1/live").json()["url"]) as ws:
        ws.send(said)
        events = [json.loads(text) for text in _until_closed(ws)]
    assert events[-1]["type"] == "error" and events[-1]["message"] and ws.close_code == 4400


def _until_closed(ws):
    from websockets.exceptions import ConnectionClosed

    try:
        while True:
            yield ws.recv(30)
    except ConnectionClosed:
        return


def test_openais_client_gets_who_said_what(server, talk, known, tmp_path):
    openai = pytest.importorskip("openai")
    pytest.importorskip("faster_whisper")
    base_model()
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0, timeout=500)
    with talk.open("rb") as file:
        found = client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize", file=file, response_format="diarized_json", language="en"
        )
    assert found.segments and {s.speaker for s in found.segments} <= {"S1", "S2", "S3"}
    assert " ".join(s.text for s in found.segments).split() == found.text.split()


def test_a_live_stream_has_captions(server, speech):
    pytest.importorskip("faster_whisper")
    base_model()
    found = heard(server, speech[: 10 * 16_000], captions=True, language="en")
    final = [m for m in kinds(found, "caption") if m["final"]]
    assert final and all(m["text"] and m["words"] for m in final)
    assert found[-1]["type"] == "end"


class SpeechToText:
    """A Wyoming server that says how much it heard."""

    def __init__(self):
        from wyoming.asr import Transcript
        from wyoming.audio import AudioChunk, AudioStop
        from wyoming.server import AsyncEventHandler

        class Handler(AsyncEventHandler):
            heard = 0

            async def handle_event(self, event):
                if AudioChunk.is_type(event.type):
                    self.heard += len(AudioChunk.from_event(event).audio)
                elif AudioStop.is_type(event.type):
                    await self.write_event(Transcript(f"{self.heard} bytes").event())
                return True

        self.handler = Handler


async def proxied(server, sound, *options):
    """The transcript that a Wyoming client gets through the proxy."""
    from wyoming.asr import Transcribe, Transcript
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncClient as Wyoming
    from wyoming.server import AsyncServer

    there, here = free_port(), free_port()
    upstream = AsyncServer.from_uri(f"tcp://127.0.0.1:{there}")
    await upstream.start(SpeechToText().handler)
    async with bridge("wyoming", "--listen", f"tcp://127.0.0.1:{here}", "--upstream",
                      f"tcp://127.0.0.1:{there}", "--server", server.url, *options) as process:  # fmt: skip
        assert b"listening" in await asyncio.wait_for(process.stdout.readline(), 120)
        async with Wyoming.from_uri(f"tcp://127.0.0.1:{here}") as client:
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(16_000, 2, 1).event())
            for block in chunks((sound * 32_767).astype("<i2")):
                await client.write_event(AudioChunk(16_000, 2, 1, block.tobytes()).event())
            await client.write_event(AudioStop().event())
            found = Transcript.from_event(await asyncio.wait_for(client.read_event(), 120))
    await upstream.stop()
    return found


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@asynccontextmanager
async def bridge(*arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voicelane", "bridge", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) in (0, 143)


def test_a_wyoming_client_gets_words_with_a_name(server, known):
    pytest.importorskip("wyoming")
    sound = known[: 6 * 16_000]
    found = asyncio.run(proxied(server, sound))
    assert found.text == f"Anna: {2 * len(sound)} bytes" and found.context["speaker"] == "Anna"


def test_a_wyoming_proxy_lets_only_some_through(server, known, later):
    pytest.importorskip("wyoming")
    stranger = list(later.values())[1][: 5 * 16_000]
    found = asyncio.run(proxied(server, stranger, "--only", "Anna"))
    assert found.text == "" and found.context["speaker"] is None


def test_an_agent_sees_who_spoke_and_renames_only_with_consent(server, speech, home):
    """The MCP client of the registry, over stdio; the person says no, then yes."""
    pytest.importorskip("mcp")
    with server.client.stream(record=True) as stream:
        stream.send(speech[: 6 * 16_000])
        list(stream.finish())
    (session,) = server.client.get("/v1/sessions")["sessions"]
    asked, answers = [], [False, True]

    async def consent(context, params):
        from mcp.types import ElicitResult

        asked.append(params.message)
        return ElicitResult(action="accept", content={"agreed": answers.pop(0)})

    async def talk():
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        command = ["-m", "voicelane", "bridge", "mcp", "--server", server.url]
        about = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ), cwd=ROOT)
        async with (
            stdio_client(about) as (read, write),
            ClientSession(read, write, elicitation_callback=consent) as s,
        ):
            await s.initialize()
            names = {tool.name for tool in (await s.list_tools()).tools}
            listed = await s.call_tool("list_sessions", {})
            wanted = {"session": session["name"], "speaker": "S1", "name": "Anna"}
            said = [(await s.call_tool("rename_speaker", wanted)).content[0].text for _ in range(2)]
            now = await s.call_tool("who_is_speaking", {})
            return names, listed.content[0].text, said, now.content[0].text

    names, listed, said, now = asyncio.run(talk())
    assert {"list_streams", "who_is_speaking", "rename_speaker"} <= names
    assert session["name"] in listed and json.loads(now) == {"speaking": []}
    assert "did not agree" in said[0] and "is called Anna" in said[1] and "Anna" in asked[0]
    people = server.client.get("/v1/sessions")["sessions"][0]["people"]
    assert "Anna" in people
    server.client.delete(f"/v1/sessions/{session['name']}")


def test_a_broker_is_told_who_speaks(server, speech):
    """A broker and a client of the registry hear the bridge."""
    paho = pytest.importorskip("paho.mqtt.client")
    broker = pytest.importorskip("amqtt.broker")

    async def listen():
        port = free_port()
        house = broker.Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await house.start()
        heard = []
        reader = paho.Client(paho.CallbackAPIVersion.VERSION2)
        reader.on_message = lambda client, data, m: heard.append((m.topic, json.loads(m.payload)))
        await asyncio.to_thread(reader.connect, "127.0.0.1", port)
        reader.subscribe("home/#", 1)
        reader.loop_start()
        options = ["--broker", f"127.0.0.1:{port}", "--topic", "home", "--server", server.url]
        async with bridge("mqtt", *options):
            async with AsyncClient(server.url).stream() as stream:
                for block in chunks(speech[: 12 * 16_000]):
                    await stream.send(block)
                    await asyncio.sleep(0.05)
                await stream.end()
                async for _ in stream:
                    pass
            until_s = time.monotonic() + 20
            while not any(t == "home/speaking" and not names for t, names in heard[1:]):
                assert time.monotonic() < until_s, heard
                await asyncio.sleep(0.1)
        reader.loop_stop()
        await house.shutdown()
        return heard

    heard = asyncio.run(listen())
    topics = {topic for topic, _ in heard}
    assert {"home/speaking", "home/speaker_start", "home/speaker_end"} <= topics
    assert any(names == ["S1"] for topic, names in heard if topic == "home/speaking")


def test_pipecats_pipeline_hears_whether_and_who(server, speech):
    pytest.importorskip("pipecat")
    from pipecat.frames.frames import EndFrame, InputAudioRawFrame, TranscriptionFrame
    from pipecat.tests.utils import SleepFrame, run_test

    from voicelane.serve.protocols.pipecat import SpeakerFrame, Speakers

    sound = (speech[: 8 * 16_000] * 32_767).astype("<i2")
    frames = [InputAudioRawFrame(block.tobytes(), 16_000, 1) for block in chunks(sound)]
    words = TranscriptionFrame("hello", "nobody", "now")

    async def run():
        speakers = Speakers(AsyncClient(server.url))
        down, _ = await run_test(
            speakers, frames_to_send=[*frames, SleepFrame(sleep=8.0), words, EndFrame()], send_end_frame=False
        )
        return down

    down = asyncio.run(run())
    told = [(f.speaker, f.speaking) for f in down if isinstance(f, SpeakerFrame)]
    assert ("S1", True) in told and ("S1", False) in told
    assert [f.user_id for f in down if isinstance(f, TranscriptionFrame)] == ["S1"]


def test_pipecats_analyser_tells_speech_from_silence(speech):
    pytest.importorskip("pipecat")
    from voicelane.serve.protocols.pipecat import VoicelaneVAD

    sound = np.concatenate([np.zeros(16_000, np.float32), speech[: 4 * 16_000]])
    for rate in (16_000, 8_000):
        vad = VoicelaneVAD(sample_rate=rate)
        vad.set_sample_rate(rate)
        step = vad.num_frames_required()
        assert step == rate // 50
        data = (sound[:: 16_000 // rate] * 32_767).astype("<i2")
        found = [vad.voice_confidence(block.tobytes()) for block in chunks(data, step)]
        assert max(found[:40]) < 0.2 < 0.8 < max(found[50:])
