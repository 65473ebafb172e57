"""Recordings that clients send: written to private files whose names are the server's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

MEGABYTE = 1e6
MOST_FIELDS, MOST_FIELD_BYTES = 64, 4 << 20
"""A reference of a known speaker is a field of up to some megabytes."""
PART_BYTES = 1 << 20
FORM = re.compile(r"multipart/form-data|application/x-www-form-urlencoded", re.IGNORECASE)


@dataclass
class Upload:
    """What a request brought: fields, and the recording as a file that is deleted afterwards."""

    fields: dict[str, list[str]]
    path: Path
    size: int
    name: str = ""
    """What the client calls it: shown, never opened."""
    file: Any = field(default=None, repr=False)

    def text(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self.fields.get(name, [default])[-1]

    def close(self) -> None:
        """The file is gone."""
        if self.file is not None:
            self.file.close()
            self.file = None


async def upload(request: Request, most_mb: float) -> Upload:
    """The recording of a form, field `file`, or the body itself; the query's fields count as well.

    Raises `HTTPException` 413 where it is too large, 400 and 422 where it is none.
    """
    limited = Request(request.scope, _limited(request, most_mb))
    file = tempfile.NamedTemporaryFile(prefix="voicelane-")  # noqa: SIM115
    try:
        fields = {name: request.query_params.getlist(name) for name in request.query_params}
        if FORM.match(request.headers.get("content-type", "")):
            name, more = await _form(limited, file)
            fields |= more
        else:
            name = ""
            async for part in limited.stream():
                file.write(part)
        file.flush()
        size = file.tell()
        if not size:
            raise HTTPException(422, "there is no sound in the request; send a file as the field `file`")
    except BaseException:
        file.close()
        raise
    return Upload(fields, Path(file.name), size, name, file)


async def _form(request: Request, file: IO[bytes]) -> tuple[str, dict[str, list[str]]]:
    """The name of the form's file, which is copied, and the other fields."""
    async with _parsed(request) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise HTTPException(422, "the form has no field `file` with a recording")
        while part := await sent.read(PART_BYTES):
            file.write(part)
        names = {name.removesuffix("[]") for name in form}
        texts = {
            name: [v for key in (name, f"{name}[]") for v in form.getlist(key) if isinstance(v, str)]
            for name in names
        }
        return sent.filename or "", {name: values for name, values in texts.items() if values}


@asynccontextmanager
async def _parsed(request: Request) -> AsyncIterator[FormData]:
    form = await request.form(max_files=4, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES)
    try:
        yield form
    finally:
        await form.close()


def _limited(request: Request, most_mb: float) -> Any:
    """The request's body, up to the limit."""
    most, had = most_mb * MEGABYTE, 0
    told = request.headers.get("content-length", "0")
    too_large = HTTPException(413, f"more than {most_mb:g} MB; send it in pieces, or as a live stream")
    if told.isdecimal() and int(told) > most:
        raise too_large

    async def receive() -> Message:
        nonlocal had
        message = await request.receive()
        had += len(message.get("body", b""))
        if had > most:
            raise too_large
        return message

    return receive
