"""Sentences of the engine as they fit the app."""

from __future__ import annotations

from voicelane import VoicelaneError


def words_for(problem: Exception) -> str:
    """What went wrong, without what only helps at a command line."""
    return problem.plain if isinstance(problem, VoicelaneError) else str(problem)
