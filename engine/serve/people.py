"""Tasks on enrolled people: each client has a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

from voicelane.audio.sources import FileSource
from voicelane.base.errors import AudioError
from voicelane.base.text import check_name, name_key, quoted
from voicelane.profiles.enrolment import ENOUGH_S, LEAST_S, Enroller, Enrolment, keep_recording, known_people
from voicelane.profiles.profile import Profile
from voicelane.profiles.store import ProfileStore
from voicelane.serve.task import Answer, Missing, Work
from voicelane.serve.worker import packed_people
from voicelane.stages.recogniser import Person

_KNOWN: dict[str, tuple[tuple[int, int], list[Person]]] = {}
"""By home: the state of the database, and the people in it then."""


def list_profiles(work: Work, home: str) -> Answer:
    """Names alone: a database may hold thousands."""
    return {"profiles": ProfileStore(Path(home)).names()}, b""


def show_profile(work: Work, home: str, name: str) -> Answer:
    """Everything but the numbers of the voice."""
    return _about(_store(home, name).profile(name)), b""


def listened(enroller: Enroller, path: str, called: str) -> Enrolment:
    """A file of a client, which errors call by what it is and not by its place here."""
    source = FileSource(path)
    source.name = called
    try:
        return enroller.listen(source)
    finally:
        source.close()


def enrol(work: Work, home: str, name: str, path: str, keep_audio: bool = False) -> Answer:
    """A recording of one person into a profile."""
    name, store, enroller = check_name(name), ProfileStore(Path(home)), Enroller(work.config)
    heard = listened(enroller, path, "the recording")
    if heard.recording.speech_s < LEAST_S:
        raise AudioError(
            f"{name}: only {heard.recording.speech_s:.1f} s of speech were found, {LEAST_S:.0f} s are the "
            f"least; speak {ceil(ENOUGH_S - heard.recording.speech_s):.0f} s more"
        )
    profile = store.add(name, enroller.space, [keep_recording(heard, keep_audio)])
    return {**_about(profile), "advice": heard.advice()}, b""


def rename_profile(work: Work, home: str, name: str, new: str) -> Answer:
    """Another name for a person."""
    store = _store(home, name)
    store.rename(name, new)
    return _about(store.profile(new)), b""


def remove_profile(work: Work, home: str, name: str) -> Answer:
    """Nothing is left of it."""
    _store(home, name).remove(name)
    return {}, b""


def people(work: Work, home: str) -> Answer:
    """All voices, for a live worker."""
    return packed_people(known(home, work))


def known(home: str, work: Work) -> list[Person]:
    """All people of a client, read again when the database changed."""
    store = ProfileStore(Path(home))
    if not store.path.exists():
        return []
    about = store.path.stat()
    state = about.st_mtime_ns, about.st_size
    if home not in _KNOWN or _KNOWN[home][0] != state:
        _KNOWN[home] = state, known_people(store, Enroller(work.config))[0]
    return _KNOWN[home][1]


def _store(home: str, name: str) -> ProfileStore:
    """The database that holds a profile of that name; raises `Missing`."""
    store = ProfileStore(Path(home))
    if name_key(name) not in map(name_key, store.names()):
        raise Missing(f"there is no profile named {quoted(name)}")
    return store


def _about(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "created": profile.created,
        "updated": profile.updated,
        "recordings": len(profile.recordings),
        "speech_s": round(profile.speech_s, 2),
        "encoder": profile.space.encoder,
    }


PEOPLE: dict[str, Callable[..., Answer]] = {
    "list_profiles": list_profiles,
    "show_profile": show_profile,
    "enrol": enrol,
    "rename_profile": rename_profile,
    "remove_profile": remove_profile,
    "people": people,
}
