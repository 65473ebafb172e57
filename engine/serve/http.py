"""Recordings, jobs, people and sessions over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from voicelane.serve.formats import DIARIZATION, TRANSCRIPTION
from voicelane.serve.house import House
from voicelane.serve.jobs import Job, TooMany
from voicelane.serve.lanes import TaskFailed
from voicelane.serve.messages import Close, Merge, Refused, Rename
from voicelane.serve.tokens import Client
from voicelane.serve.uploads import Upload, upload
from voicelane.sessions.exports import TEXT_FORMATS

STATUS_OF = {"Missing": 404, "StoreError": 409, "LockedError": 503, "ModelError": 501, "died": 503}
"""By the kind of an error; all others are of what the client sent."""
ASKED_S = 0.5
"""So often somebody looks whether the client still waits."""
MOST_JSON = 100_000
Answer = Callable[[Request], Awaitable[Response]]


class Http:
    """The endpoints, on what the server has."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        """All of them."""
        table: list[tuple[str, str, Answer]] = [
            ("GET", "/health", self.health),
            ("GET", "/metrics", self.metrics),
            ("POST", "/v1/audio/diarization", self.diarization),
            ("POST", "/v1/audio/transcriptions", self.transcriptions),
            ("GET", "/v1/jobs", self.list_jobs),
            ("POST", "/v1/jobs", self.submit_job),
            ("GET", "/v1/jobs/{id}", self.show_job),
            ("DELETE", "/v1/jobs/{id}", self.delete_job),
            ("GET", "/v1/jobs/{id}/result", self.job_result),
            ("GET", "/v1/profiles", self.list_profiles),
            ("POST", "/v1/profiles", self.enrol),
            ("GET", "/v1/profiles/{name}", self.show_profile),
            ("PATCH", "/v1/profiles/{name}", self.rename_profile),
            ("DELETE", "/v1/profiles/{name}", self.remove_profile),
            ("GET", "/v1/sessions", self.list_sessions),
            ("GET", "/v1/sessions/{name}", self.show_session),
            ("PATCH", "/v1/sessions/{name}", self.relabel_session),
            ("DELETE", "/v1/sessions/{name}", self.delete_session),
            ("GET", "/v1/streams", self.list_streams),
            ("GET", "/v1/streams/{id}", self.show_stream),
            ("PATCH", "/v1/streams/{id}", self.correct_stream),
        ]
        return [Route(path, told(answer), methods=[method]) for method, path, answer in table]

    async def health(self, request: Request) -> Response:
        """Whether live sound can be heard."""
        ready = sum(lane.ready for lane in self._house.ears.lanes)
        content = {
            "status": "ok" if ready else "starting",
            "workers": ready,
            "streams": len(self._house.calls),
        }
        return JSONResponse(content, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        media_type = "text/plain; version=0.0.4; charset=utf-8"
        return Response(self._house.metrics.text(self._house.gauges()), media_type=media_type)

    async def diarization(self, request: Request) -> Response:
        """Who speaks when in a recording; answers when that is known."""
        sent = await self._upload(request)
        render = _choice(sent, "response_format", DIARIZATION, "json")
        job = self._submit(request, "diarise", sent)
        return _rendered(render, await self._outcome(request, job))

    async def transcriptions(self, request: Request) -> Response:
        """OpenAI's endpoint: who said what."""
        sent = await self._upload(request)
        render = _choice(sent, "response_format", TRANSCRIPTION, "json")
        job = self._submit(request, "transcribe", sent)
        return _rendered(render, await self._outcome(request, job))

    async def list_jobs(self, request: Request) -> Response:
        """All jobs of the client."""
        return JSONResponse({"jobs": [job.about() for job in self._house.jobs.of(_client(request))]})

    async def submit_job(self, request: Request) -> Response:
        """A recording that is analysed meanwhile."""
        sent = await self._upload(request)
        what = _choice(sent, "task", {"diarization": "diarise", "transcription": "transcribe"}, "diarization")
        return JSONResponse(self._submit(request, what, sent).about(), 202)

    async def show_job(self, request: Request) -> Response:
        """How far it is."""
        return JSONResponse(self._job(request).about())

    async def delete_job(self, request: Request) -> Response:
        """Stop and forget it."""
        await self._house.jobs.remove(self._job(request))
        return Response(status_code=204)

    async def job_result(self, request: Request) -> Response:
        """Its result, in any format of its task."""
        job = self._job(request)
        if job.state in ("waiting", "running"):
            raise HTTPException(409, "the job is not done; ask again later")
        formats = DIARIZATION if job.what == "diarise" else TRANSCRIPTION
        name = request.query_params.get("response_format", "json")
        return _rendered(_among(name, "response_format", formats), _result(job))

    async def list_profiles(self, request: Request) -> Response:
        """Names of all enrolled people."""
        return await self._ask(request, "list_profiles")

    async def enrol(self, request: Request) -> Response:
        """A recording of one person, whose field `name` says who that is."""
        sent = await self._upload(request)
        try:
            keep = _flag(sent, "keep_audio")
            asked = {"name": sent.text("name"), "path": str(sent.path), "keep_audio": keep}
            return await self._ask(request, "enrol", status=201, **asked)
        finally:
            sent.close()

    async def show_profile(self, request: Request) -> Response:
        """What is known of a person, without the voice."""
        return await self._ask(request, "show_profile", name=request.path_params["name"])

    async def rename_profile(self, request: Request) -> Response:
        """Another name."""
        (new,) = await _texts(request, "name")
        return await self._ask(request, "rename_profile", name=request.path_params["name"], new=new)

    async def remove_profile(self, request: Request) -> Response:
        """Nothing is left."""
        await self._ask(request, "remove_profile", name=request.path_params["name"])
        return Response(status_code=204)

    async def list_sessions(self, request: Request) -> Response:
        """All recorded sessions."""
        return await self._ask(request, "list_sessions")

    async def show_session(self, request: Request) -> Response:
        """A session with its turns, or in another format."""
        name, format_ = request.path_params["name"], request.query_params.get("format", "json")
        if format_ == "json":
            return await self._ask(request, "show_session", name=name)
        _among(format_, "format", TEXT_FORMATS)
        _, text = await self._task(request, "export_session", name=name, format_=format_)
        return PlainTextResponse(text)

    async def relabel_session(self, request: Request) -> Response:
        """A speaker of a session gets a name."""
        speaker, new = await _texts(request, "speaker", "name")
        return await self._ask(request, "relabel", name=request.path_params["name"], speaker=speaker, new=new)

    async def delete_session(self, request: Request) -> Response:
        """Nothing is left."""
        await self._ask(request, "delete_session", name=request.path_params["name"])
        return Response(status_code=204)

    async def list_streams(self, request: Request) -> Response:
        """Live streams of the client, the newest last."""
        return JSONResponse({"streams": [call.about() for call in self._house.calls.of(_client(request))]})

    async def show_stream(self, request: Request) -> Response:
        """Who speaks now, and who has."""
        return JSONResponse(self._house.calls.find(_client(request), request.path_params["id"]).about())

    async def correct_stream(self, request: Request) -> Response:
        """A speaker gets a name, or is another one; what is wrong with it is told in the stream."""
        call = self._house.calls.find(_client(request), request.path_params["id"])
        content = await _json(request)
        if set(content) == {"speaker", "into"}:
            speaker, into = await _texts(request, "speaker", "into")
            await call.correct(Merge(speaker, into))
        else:
            speaker, name = await _texts(request, "speaker", "name")
            await call.correct(Rename(speaker, name))
        return JSONResponse(call.about(), 202)

    async def _upload(self, request: Request) -> Upload:
        return await upload(request, self._house.settings.max_upload_mb)

    def _submit(self, request: Request, what: str, sent: Upload) -> Job:
        client = _client(request)
        try:
            asked: dict[str, Any] = _options(sent)
            asked["people"] = str(client.home()) if _flag(sent, "people") else ""
            if what == "transcribe":
                asked["language"] = sent.text("language")[:8]
                asked["model"] = self._house.settings.words_model
        except HTTPException:
            sent.close()
            raise
        return self._house.jobs.submit(client, what, sent, **asked)

    async def _outcome(self, request: Request, job: Job) -> dict[str, Any]:
        """The result of a job that nobody else knows of; it is stopped where its client leaves."""
        try:
            while job.done_s is None:
                await job.wait_at_most(ASKED_S)
                if job.done_s is None and await request.is_disconnected():
                    raise HTTPException(499, "the client is gone")
            return _result(job)
        finally:
            await self._house.jobs.remove(job)

    def _job(self, request: Request) -> Job:
        job = self._house.jobs.find(_client(request), request.path_params["id"])
        if job is None:
            raise HTTPException(404, "there is no such job (any more)")
        return job

    async def _ask(self, request: Request, what: str, status: int = 200, **asked: Any) -> Response:
        content, _ = await self._task(request, what, **asked)
        return JSONResponse(content, status)

    async def _task(self, request: Request, what: str, **asked: Any) -> tuple[Any, bytes]:
        home = str(_client(request).home())
        return await self._house.clerk.ask(what, home=home, **asked)


def told(answer: Answer) -> Answer:
    """The endpoint, with errors as JSON: a status and a sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except HTTPException as problem:
            return _problem(problem.status_code, str(problem.detail))
        except TaskFailed as problem:
            return _problem(STATUS_OF.get(problem.kind, 422), str(problem))
        except TooMany as problem:
            return _problem(429, str(problem))
        except Refused as problem:
            return _problem(429 if problem.code == Close.TOO_MANY else 404, str(problem))

    return endpoint


def _problem(status: int, sentence: str) -> Response:
    return JSONResponse({"error": {"message": sentence, "code": status}}, status)


def _client(request: Request) -> Client:
    client: Client = request.state.client
    return client


def _choice(sent: Upload, field: str, known: dict[str, Any], default: str) -> Any:
    try:
        return _among(sent.text(field, default), field, known)
    except HTTPException:
        sent.close()
        raise


def _among(name: str, field: str, known: dict[str, Any]) -> Any:
    """What a name stands for; raises `HTTPException` 422."""
    if name not in known:
        raise HTTPException(422, f"{field} is {name[:80]!r}; expected one of {', '.join(known)}")
    return known[name]


def _options(sent: Upload) -> dict[str, Any]:
    """What a form asks for; raises `HTTPException` 422."""
    names, urls = sent.fields.get("known_speaker_names", []), sent.fields.get("known_speaker_references", [])
    if len(names) != len(urls):
        sentence = f"{len(names)} known_speaker_names for {len(urls)} known_speaker_references"
        raise HTTPException(422, sentence)
    found: dict[str, Any] = {"known_speakers": list(zip(names, urls, strict=True))}
    if text := sent.text("max_speakers"):
        found["max_speakers"] = _number(text, "max_speakers", 1000)
    channels = sent.text("channels", "auto")
    found["channels"] = (
        channels if channels in ("auto", "mix", "separate") else _number(channels, "channels", 64)
    )
    return found


def _number(text: str, field: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise HTTPException(422, f"{field} is {text[:80]!r}; expected a number from 1 to {most}")
    return int(text)


def _flag(sent: Upload, field: str) -> bool:
    text = sent.text(field, "false").lower()
    if text not in ("true", "false", "1", "0"):
        sent.close()
        raise HTTPException(422, f"{field} is {text[:80]!r}; expected true or false")
    return text in ("true", "1")


def _result(job: Job) -> dict[str, Any]:
    if job.problem:
        raise job.problem
    if job.result is None:
        raise HTTPException(410, "the job was cancelled")
    return job.result


def _rendered(render: Callable[[dict[str, Any]], Any], result: dict[str, Any]) -> Response:
    found = render(result)
    return Response(found.content.encode("utf-8", "replace"), media_type=found.media_type)


async def _json(request: Request) -> dict[str, Any]:
    """The body, a JSON object; raises `HTTPException`."""
    if int(request.headers.get("content-length", "0") or 0) > MOST_JSON:
        raise HTTPException(413, "the body is too long")
    try:
        content = await request.json()
    except (ValueError, RecursionError):
        raise HTTPException(422, "the body is no JSON") from None
    if not isinstance(content, dict):
        raise HTTPException(422, "the body is no JSON object")
    return content


async def _texts(request: Request, *fields: str) -> list[str]:
    """Fields of the body that are text, and no others; raises `HTTPException` 422."""
    content = await _json(request)
    if set(content) != set(fields) or not all(isinstance(v, str) for v in content.values()):
        raise HTTPException(422, f"expected a JSON object with the texts {', '.join(fields)}")
    return [content[field] for field in fields]
