"""The HTTP interface in OpenAPI's words: what `/openapi.json` says and `/docs` shows."""

from __future__ import annotations

import html
from typing import Any

from voicelane.serve.formats import DIARIZATION, TRANSCRIPTION
from voicelane.sessions.exports import TEXT_FORMATS

Node = dict[str, Any]
PLAIN: Node = {"type": "string"}
BOOL: Node = {"type": "string", "enum": ["true", "false", "1", "0"]}
NAME: Node = {"type": "string", "minLength": 1, "maxLength": 100}
OBJECT: Node = {"type": "object"}
ERROR: Node = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "code"],
            "properties": {"message": PLAIN, "code": {"type": "integer"}},
        }
    },
}
TURN: Node = {
    "type": "object",
    "required": ["speaker", "name", "start_s", "end_s"],
    "properties": {
        "speaker": PLAIN,
        "name": PLAIN,
        "start_s": {"type": "number"},
        "end_s": {"type": "number"},
        "confidence": {"type": "number"},
    },
}
JOB: Node = {
    "type": "object",
    "required": ["id", "task", "state", "progress"],
    "properties": {
        "id": PLAIN,
        "task": PLAIN,
        "state": {"enum": ["waiting", "running", "done", "failed", "cancelled"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "file": PLAIN,
        "created": {"type": "integer"},
        "problem": PLAIN,
    },
}
RECORDING: Node = {
    "file": {"type": "string", "format": "binary", "description": "the recording, in any container"},
    "people": {**BOOL, "description": "recognise enrolled people"},
    "max_speakers": {"type": "integer", "minimum": 1, "maximum": 1000},
    "channels": {"type": "string", "description": "auto, mix, separate or the number of one"},
    "known_speaker_names": {"type": "array", "items": NAME},
    "known_speaker_references": {"type": "array", "items": PLAIN, "description": "data: URLs, one a name"},
}


def openapi() -> Node:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "voicelane", "version": "1", "description": ABOUT},
        "paths": _paths(),
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


ABOUT = (
    "Who speaks when, on this machine. Live sound goes over the WebSocket /v1/live: a JSON start message, "
    "binary sound, JSON messages back."
)


def _paths() -> Node:
    return {
        "/health": {"get": _call("whether live sound can be heard", {200: OBJECT, 503: OBJECT})},
        "/metrics": {"get": _call("counts for Prometheus", {200: None})},
        "/v1/audio/diarization": {
            "post": _call(
                "who speaks when in a recording", {200: _object(turns=_list(TURN))}, _form(DIARIZATION)
            )
        },
        "/v1/audio/transcriptions": {
            "post": _call(
                "who says what, as OpenAI's endpoint",
                {200: OBJECT},
                _form(TRANSCRIPTION, model=PLAIN, language=PLAIN),
            )
        },
        "/v1/jobs": {
            "get": _call("all jobs", {200: _object(jobs=_list(JOB))}),
            "post": _call("analyse a recording meanwhile", {202: JOB}, _form(None, task=TASK)),
        },
        "/v1/jobs/{id}": {
            "get": _call("how far a job is", {200: JOB}, path="id"),
            "delete": _call("stop and forget a job", {204: None}, path="id"),
        },
        "/v1/jobs/{id}/result": {
            "get": _call(
                "the result of a job",
                {200: OBJECT},
                path="id",
                query={"response_format": {"enum": sorted({*DIARIZATION, *TRANSCRIPTION})}},
            )
        },
        "/v1/profiles": {
            "get": _call("names of enrolled people", {200: _object(profiles=_list(PLAIN))}),
            "post": _call("enrol a person", {201: OBJECT}, _enrolment()),
        },
        "/v1/profiles/{name}": {
            "get": _call("about a person", {200: OBJECT}, path="name"),
            "patch": _call("rename a person", {200: OBJECT}, _json(name=NAME), path="name"),
            "delete": _call("remove a person", {204: None}, path="name"),
        },
        "/v1/sessions": {"get": _call("recorded sessions", {200: _object(sessions=_list(OBJECT))})},
        "/v1/sessions/{name}": {
            "get": _call(
                "a session with its turns",
                {200: OBJECT},
                path="name",
                query={"format": {"enum": ["json", *sorted(set(TEXT_FORMATS) - {"json"})]}},
            ),
            "patch": _call("name a speaker", {200: OBJECT}, _json(speaker=NAME, name=NAME), path="name"),
            "delete": _call("remove a session", {204: None}, path="name"),
        },
        "/v1/streams": {"get": _call("live streams", {200: _object(streams=_list(OBJECT))})},
        "/v1/streams/{id}": {
            "get": _call("who speaks now in a stream", {200: OBJECT}, path="id"),
            "patch": _call("name a speaker", {202: OBJECT}, _json(speaker=NAME, name=NAME), path="id"),
        },
        "/v1/live": {"post": _call("a stream in the shape of pyannoteAI's", {201: OBJECT, 200: OBJECT})},
        "/v1/live/{id}": {"get": _call("about such a stream", {200: OBJECT}, path="id")},
    }


TASK: Node = {"type": "string", "enum": ["diarization", "transcription"]}
REFUSALS = (400, 401, 403, 404, 409, 410, 413, 422, 429, 501, 503)


def _call(
    about: str,
    answers: dict[int, Node | None],
    body: Node | None = None,
    path: str = "",
    query: Node | None = None,
) -> Node:
    """One operation."""
    parameters = [{"name": path, "in": "path", "required": True, "schema": PLAIN}] if path else []
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()]
    responses = {str(code): _answer(schema) for code, schema in answers.items()}
    responses |= {str(code): _answer(ERROR) for code in REFUSALS if str(code) not in responses}
    call: Node = {"summary": about, "responses": responses, "parameters": parameters}
    return call | ({"requestBody": body} if body else {})


def _answer(schema: Node | None) -> Node:
    texts = {"text/plain": {"schema": PLAIN}}
    content = {"content": {"application/json": {"schema": schema}, **texts}} if schema else {}
    return {"description": "see the schema", **content}


def _form(formats: dict[str, Any] | None, **more: Node) -> Node:
    chosen = {"response_format": {"type": "string", "enum": sorted(formats)}} if formats else {}
    schema = {"type": "object", "required": ["file"], "properties": {**RECORDING, **chosen, **more}}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _enrolment() -> Node:
    fields = {"file": RECORDING["file"], "name": NAME, "keep_audio": BOOL}
    schema = {"type": "object", "required": ["file", "name"], "properties": fields}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _json(**fields: Node) -> Node:
    schema = {**_object(**fields), "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _object(**fields: Node) -> Node:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list(of: Node) -> Node:
    return {"type": "array", "items": of}


def page() -> str:
    """The same for people: a page without anything from elsewhere."""
    document = openapi()
    rows = [
        f"<tr><td><b>{method.upper()}</b></td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(call['summary'])}</td><td>{html.escape(_fields(call))}</td></tr>"
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    ]
    return PAGE.format(about=html.escape(ABOUT), rows="\n".join(rows))


def _fields(call: Node) -> str:
    """Names of all that can be sent."""
    body = call.get("requestBody", {}).get("content", {})
    names = [name for kind in body.values() for name in kind["schema"]["properties"]]
    return ", ".join([*names, *(p["name"] for p in call["parameters"] if p["in"] == "query")])


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>voicelane: HTTP interface</title>
<link rel="stylesheet" href="/page/page.css"><main><h1>HTTP interface</h1><p>{about}</p>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>
<table><tr><th></th><th>Path</th><th></th><th>Fields</th></tr>
{rows}
</table></main></html>
"""
