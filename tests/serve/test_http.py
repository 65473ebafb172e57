"""Recordings, jobs, people and sessions over HTTP, and what a client may not do."""

from __future__ import annotations

import base64
import time

import pytest
import soundfile as sf

from voicelane import diarise, read_rttm
from voicelane.client.connection import ServerError

httpx = pytest.importorskip("httpx")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]


@pytest.fixture(scope="module")
def http(server):
    with httpx.Client(base_url=server.url, timeout=120.0) as session:
        yield session


def sent(path):
    return {"file": (path.name, path.read_bytes())}


@pytest.fixture(scope="module")
def turns(talk):
    """What `diarise` says of the file."""
    return [(t.speaker, round(t.start, 3), round(t.end, 3)) for t in diarise(talk)]


def test_a_recording_has_the_turns_of_diarise(server, talk, turns):
    found = server.client.diarise(talk)
    assert [(t["name"], t["start_s"], t["end_s"]) for t in found["turns"]] == turns and turns
    assert found["duration_s"] == 12.0


def test_a_body_without_a_form_gives_rttm(http, talk, turns, tmp_path):
    url = "/v1/audio/diarization?response_format=rttm"
    answer = http.post(url, content=talk.read_bytes(), headers={"content-type": "audio/flac"})
    (tmp_path / "found.rttm").write_text(answer.text)
    found = [(t.speaker, round(t.start, 3)) for t in read_rttm(tmp_path / "found.rttm")]
    assert found == [(speaker, start) for speaker, start, _ in turns]


def test_a_job_tells_how_far_it_is_and_keeps_its_result(http, talk, turns):
    job = http.post("/v1/jobs", files=sent(talk)).raise_for_status().json()
    while (about := http.get(f"/v1/jobs/{job['id']}").json())["state"] in ("waiting", "running"):
        assert 0.0 <= about["progress"] <= 1.0
        time.sleep(0.1)
    assert about["state"] == "done" and about["progress"] == 1.0 and about["file"] == talk.name
    result = http.get(f"/v1/jobs/{job['id']}/result").json()
    assert [(t["name"], t["start_s"], t["end_s"]) for t in result["turns"]] == turns
    assert http.get(f"/v1/jobs/{job['id']}/result?response_format=rttm").text.startswith("SPEAKER")
    assert job["id"] in [row["id"] for row in http.get("/v1/jobs").json()["jobs"]]
    assert http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert http.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_a_job_is_cancelled_and_its_worker_is_free_again(http, server, talk, tmp_path):
    sound, rate = sf.read(talk, dtype="float32")
    with sf.SoundFile(tmp_path / "long.ogg", "w", rate, 1, format="OGG", subtype="VORBIS") as file:
        for _ in range(20):
            file.write(sound)
    job = http.post("/v1/jobs", files=sent(tmp_path / "long.ogg")).json()
    waiting = http.post("/v1/jobs", files=sent(talk)).json()
    until_s = time.monotonic() + 60.0
    while http.get(f"/v1/jobs/{job['id']}").json()["progress"] == 0.0:
        assert time.monotonic() < until_s
        time.sleep(0.1)
    for each in (waiting, job):
        assert http.delete(f"/v1/jobs/{each['id']}").status_code == 204
    server.until("jobs_unfinished", 0)
    assert server.client.diarise(talk)["turns"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"response_format": "docx"}, 422),
        ({"max_speakers": "0"}, 422),
        ({"max_speakers": "٣"}, 422),
        ({"people": "perhaps"}, 422),
        ({"channels": "left"}, 422),
        ({"known_speaker_names": "Anna"}, 422),
        ({"known_speaker_names": "Anna", "known_speaker_references": "/etc/passwd"}, 422),
    ],
)
def test_what_is_asked_wrongly_is_told(http, talk, fields, status):
    answer = http.post("/v1/audio/diarization", files=sent(talk), data=fields)
    assert answer.status_code == status and answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "content", [b"", b"garbage" * 99, b"RIFF\xff\xff\xff\xffWAVEfmt ", b"OggS" + bytes(500)], ids=len
)
def test_what_is_no_sound_is_told_without_a_path(http, content):
    answer = http.post("/v1/audio/diarization", files={"file": ("../../etc/passwd", content)})
    assert answer.status_code == 422
    assert "/" not in answer.json()["error"]["message"]


def test_a_playlist_opens_nothing(http, tmp_path):
    """Containers that name other files are not followed."""
    sf.write(tmp_path / "secret.wav", [0.0] * 16_000, 16_000)
    for text in (
        f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.wav'}\n",
        f"ffconcat version 1.0\nfile '{tmp_path / 'secret.wav'}'\n",
    ):
        answer = http.post("/v1/audio/diarization", files={"file": ("list.m3u8", text.encode())})
        assert answer.status_code == 422, answer.text


def test_too_large_an_upload_is_refused_before_it_is_read(http):
    large = bytes(4_000_000)
    assert http.post("/v1/audio/diarization", files={"file": ("a.wav", large)}).status_code == 413

    def without_length():
        for _ in range(40):
            yield bytes(100_000)

    assert http.post("/v1/audio/diarization", content=without_length()).status_code == 413


def test_people_are_enrolled_recognised_renamed_and_removed(http, server, enrolment_sound, talk, tmp_path):
    for name, sound in enrolment_sound.items():
        sf.write(tmp_path / f"{name}.flac", sound, 16_000)
        about = server.client.enrol(f"{name} Müller", tmp_path / f"{name}.flac")
        assert about["recordings"] == 1 and about["speech_s"] > 3.0
    names = {f"{name} Müller" for name in enrolment_sound}
    assert set(http.get("/v1/profiles").json()["profiles"]) == names
    found = server.client.diarise(talk, people="true")
    assert {t["name"] for t in found["turns"]} & names
    one = sorted(names)[0]
    assert http.patch(f"/v1/profiles/{one}", json={"name": "Zoë"}).json()["name"] == "Zoë"
    assert http.get(f"/v1/profiles/{one}").status_code == 404
    for name in (*sorted(names)[1:], "Zoë"):
        assert http.delete(f"/v1/profiles/{name}").status_code == 204
    assert http.get("/v1/profiles").json() == {"profiles": []}


def test_known_speakers_come_with_the_request(http, enrolment_sound, talk, tmp_path, turns):
    names, urls = [f"{name} Known" for name in enrolment_sound], []
    for sound in enrolment_sound.values():
        sf.write(tmp_path / "voice.flac", sound, 16_000)
        voice = base64.b64encode((tmp_path / "voice.flac").read_bytes()).decode()
        urls.append(f"data:audio/flac;base64,{voice}")
    fields = {"known_speaker_names[]": names, "known_speaker_references[]": urls}
    answer = http.post("/v1/audio/diarization", files=sent(talk), data=fields).raise_for_status().json()
    assert {t["name"] for t in answer["turns"]} & set(names)
    assert http.get("/v1/profiles").json() == {"profiles": []}


@pytest.mark.parametrize("name", ["..", "../home", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%00b", "%2fetc"])
@pytest.mark.parametrize("kind", ["sessions", "profiles"])
def test_no_name_of_a_client_reaches_the_file_system(http, server, kind, name):
    before = sorted(path for path in server.home.rglob("*"))
    for method in ("GET", "DELETE"):
        assert http.request(method, f"/v1/{kind}/{name}").status_code in (404, 405)
    assert http.patch(f"/v1/{kind}/{name}", json={"speaker": "S1", "name": "x"}).status_code in (
        404,
        405,
        422,
    )
    assert sorted(path for path in server.home.rglob("*")) == before


@pytest.mark.parametrize("name", ["", "a\nb", "S1", "x" * 101])
def test_a_name_that_is_none_is_told(http, talk, name):
    answer = http.post("/v1/profiles", files=sent(talk), data={"name": name})
    assert answer.status_code == 422 and answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"name": 3}', b'{"name": "a", "more": "b"}', b"[" * 9999]
)
def test_a_body_that_is_none_is_told(http, body):
    assert http.patch("/v1/profiles/Anna", content=body).status_code == 422


def test_pages_of_other_sites_may_not_ask(http):
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        answer = http.get("/v1/profiles", headers=headers)
        assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers


def test_metrics_are_in_the_format_of_prometheus(http, server):
    lines = http.get("/metrics").text.splitlines()
    assert "# TYPE voicelane_confirmed_late_seconds histogram" in lines
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert (
        all(float(value) >= 0 for value in values.values()) and float(values["voicelane_workers_ready"]) >= 3
    )


def test_the_client_raises_what_the_server_says(server, tmp_path):
    (tmp_path / "no.wav").write_bytes(b"no sound")
    with pytest.raises(ServerError, match=r"the recording.*\(422\)"):
        server.client.diarise(tmp_path / "no.wav")
