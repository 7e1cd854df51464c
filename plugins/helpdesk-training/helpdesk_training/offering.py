"""What other plugins may hear of training, and say to it."""

from collections.abc import Sequence
from typing import Any

from helpdesk.api import hookimpl, hookspec


@hookspec("fact")
def training_course_completed(
    user_id: int, course_id: int, assignment_id: int, certificate_id: int, score: int | None
) -> None:
    """Somebody has completed a course; ``score``: percent of its quiz, None where it has none."""


@hookspec("fact")
def training_certificate_expired(user_id: int, course_id: int, certificate_id: int, revoked: bool) -> None:
    """A certificate counts no more: its time is over, or somebody has ``revoked`` it."""


@hookspec("slot")
def training_skills() -> Sequence[str]:
    """The names of skills that other plugins know, so that courses and they mean the same."""
    return ()


@hookspec("slot")
def training_groups() -> Sequence[dict[str, Any]]:
    """Groups of staff that rules may name: ``{"key": "career.level:3", "label": "Senior", "user_ids": [4, 7]}``.

    Asked in a worker, and where rules are written; one or two queries for all of them.
    """
    return ()


@hookimpl
def register_hookspecs() -> list[Any]:
    """Two facts, two that others answer."""
    return [training_course_completed, training_certificate_expired, training_skills, training_groups]
