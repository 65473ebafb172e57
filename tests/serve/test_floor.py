"""What a client is told of the engine's events, and what is kept for whoever is slow; no server runs."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelane import SpeakerTurn
from voicelane.client.connection import KEPT_BYTES, Sent
from voicelane.events import SpeakerIdentified, TurnRevised
from voicelane.serve.floor import Floor
from voicelane.serve.formats import DIARIZATION, TRANSCRIPTION
from voicelane.serve.log import Log
from voicelane.serve.messages import Refused, later, opening
from voicelane.serve.wire import LENGTHS, packed


def turn(speaker, start, end, final=False, confirmed=None, sample=0):
    return SpeakerTurn(
        sample or end, speaker, start, end, end if confirmed is None else confirmed, 0.9, final
    )


def told(*pushes):
    floor = Floor()
    return [m for events in pushes for m in floor.tell(events)]


def test_a_turn_that_grows_starts_once_is_confirmed_in_pieces_and_ends_once():
    found = told(
        [turn("S1", 0, 16_000, confirmed=0)],
        [turn("S1", 0, 32_000, confirmed=8_000)],
        [turn("S1", 0, 40_000, True)],
    )
    kinds = [m["type"] for m in found if m["type"] != "tentative"]
    assert kinds == ["speaker_start", "confirmed", "confirmed", "speaker_end"]
    spans = [(m["start_s"], m["end_s"]) for m in found if m["type"] == "confirmed"]
    assert spans == [(0.0, 0.5), (0.5, 2.5)]


def test_a_speaker_who_was_taken_for_another_is_withdrawn():
    found = told([turn("S1", 0, 16_000, confirmed=0)], [turn("S2", 0, 20_000, confirmed=0)])
    (end,) = [m for m in found if m["type"] == "speaker_end"]
    assert end["speaker"] == "S1" and end["withdrawn"]


def test_an_empty_turn_says_that_nobody_speaks():
    assert told([turn("S1", 5, 5)]) == [{"type": "tentative", "turns": []}]


def test_a_name_comes_with_all_that_follows():
    found = told([SpeakerIdentified(0, "S1", "Anna", 0.9)], [turn("S1", 0, 16_000, True)])
    assert {m.get("name") for m in found} == {"Anna"}


def test_a_revision_says_whose_a_stretch_is():
    (found,) = told([TurnRevised(9, "S1", "S2", 0, 16_000)])
    assert (found["type"], found["speaker"], found["into"], found["end_s"]) == ("revision", "S1", "S2", 1.0)


def read(log: Log, after: int) -> list[dict]:
    async def all_of_it():
        return [json.loads(text) async for text in log.read(after)]

    return asyncio.run(all_of_it())


def test_a_reader_gets_what_came_after_its_last_message():
    log = Log()
    for n in range(5):
        log.add({"n": n})
    log.close()
    assert [m["n"] for m in read(log, 2)] == [2, 3, 4]


def test_a_log_is_bounded_and_tells_how_much_is_gone():
    log = Log(most_messages=100, most_bytes=2_000)
    for _ in range(1_000):
        log.add({"text": "x" * 80})
    log.close()
    first, *rest = read(log, 0)
    assert first == {"type": "missed", "count": 1_000 - len(rest)} and 10 < len(rest) < 30
    assert rest[-1]["seq"] == 1_000


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 1_000))
def test_whatever_the_server_did_not_get_is_there_to_be_sent_again(parts, received):
    sent = Sent()
    for part in parts:
        sent.add(part)
    whole = b"".join(parts)
    assert sent.behind(min(received, len(whole))) == whole[min(received, len(whole)) :]


def test_a_client_keeps_no_more_than_so_much():
    sent = Sent()
    for _ in range(40):
        sent.add(bytes(1 << 19))
    assert KEPT_BYTES <= len(sent.behind(0)) <= KEPT_BYTES + (1 << 19)


@given(st.text(max_size=300) | st.from_type(dict[str, int | str | None]).map(json.dumps))
def test_any_text_is_a_message_or_refused(text):
    for decode in (opening, later):
        try:
            decode(text)
        except Refused as refused:
            assert 4400 <= refused.code < 4500 and str(refused)


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(-9, 9)), st.binary(max_size=99))
def test_what_processes_say_comes_whole(header, payload):
    data = packed(header, payload)
    head, rest = LENGTHS.unpack(data[: LENGTHS.size])
    assert json.loads(data[LENGTHS.size :][:head]) == header or any(c >= "\ud800" for c in str(header))
    assert data[LENGTHS.size + head :] == payload and rest == len(payload)


RESULT = {
    "duration_s": 3.0,
    "language": "en",
    "remarks": [],
    "turns": [
        {"speaker": "S1", "name": "Ann <b>", "start_s": 0.0, "end_s": 1.0, "confidence": 0.9},
        {"speaker": "S2", "name": "S2", "start_s": 1.0, "end_s": 3.0, "confidence": 0.9},
    ],
    "words": [
        {"start_s": 0.1, "end_s": 0.4, "text": " Hello", "speaker": "Ann <b>"},
        {"start_s": 0.4, "end_s": 0.9, "text": " there.", "speaker": "Ann <b>"},
        {"start_s": 1.2, "end_s": 1.9, "text": " So --> what?", "speaker": "S2"},
    ],
}


def test_a_result_has_the_shape_of_openai():
    found = json.loads(TRANSCRIPTION["diarized_json"](RESULT).content)
    assert [(s["speaker"], s["text"]) for s in found["segments"]] == [
        ("Ann <b>", "Hello there."),
        ("S2", "So --> what?"),
    ]
    assert found["text"] == "Hello there. So --> what?" and found["duration"] == 3.0
    assert len(json.loads(TRANSCRIPTION["verbose_json"](RESULT).content)["words"]) == 3


def test_subtitles_name_who_speaks_and_keep_their_form():
    assert TRANSCRIPTION["vtt"](RESULT).content.count("-->") == 2
    assert "<v Ann &lt;b&gt;>Hello there.</v>" in TRANSCRIPTION["vtt"](RESULT).content
    assert "2\n00:00:01,200 --> 00:00:01,900\nS2: So → what?" in TRANSCRIPTION["srt"](RESULT).content


@pytest.mark.parametrize("render", [*TRANSCRIPTION.values(), *DIARIZATION.values()])
def test_a_result_without_anybody_has_every_format(render):
    assert isinstance(render({"duration_s": 0.0, "turns": [], "words": [], "language": ""}).content, str)
