"""The one clock. Everything that needs the time asks here, so that tests can travel."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, aware and in UTC."""
    return datetime.now(UTC)
