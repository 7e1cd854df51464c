"""A number in the database that tells every process, within two seconds, that cached data is old."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import select, update

from helpdesk.core.extensions import db
from helpdesk.core.models import Generation
from helpdesk.core.transaction import after_commit

EXTENSION = "helpdesk.generation"
INTERVAL = 2.0
_T = TypeVar("_T")


class _Cache:
    def __init__(self) -> None:
        self.number = 0
        self.checked = float("-inf")
        self.values: dict[str, Any] = {}


def _cache() -> _Cache:
    cache: _Cache = current_app.extensions.setdefault(EXTENSION, _Cache())
    return cache


def cached(key: str, build: Callable[[], _T]) -> _T:
    """The value under ``key``, built when the generation changed. Plain data only: it outlives sessions."""
    cache = _cache()
    _refresh(cache)
    values = cache.values
    if key not in values:
        values[key] = build()
    value: _T = values[key]
    return value


def bump() -> None:
    """Tell every process that something cached changed. Joins the open transaction; this process sees it at once."""
    db.session.execute(update(Generation).values(number=Generation.number + 1))
    after_commit(forget)


def forget() -> None:
    """Drop what this process has cached."""
    cache = _cache()
    cache.checked = float("-inf")
    cache.values = {}


def _refresh(cache: _Cache) -> None:
    moment = time.monotonic()
    if moment - cache.checked < INTERVAL:
        return
    cache.checked = moment
    number = db.session.scalar(select(Generation.number)) or 0
    if number != cache.number:
        cache.number = number
        cache.values = {}
