"""What a sample ticket is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CUSTOMER = "customer"


@dataclass(frozen=True)
class Picture:
    """A small picture that is drawn when the story is told; ``tint`` is its colour."""

    name: str
    tint: tuple[int, int, int] = (120, 130, 140)


@dataclass(frozen=True)
class Line:
    """Something that ``who`` (a key of the cast, or the customer) said or did, ``hours`` after the line before.

    A line without text changes the status only.
    """

    who: str
    hours: float
    text: str = ""
    note: bool = False
    status: str | None = None
    files: Sequence[Picture] = ()


@dataclass(frozen=True)
class Story:
    """One ticket from its first message on. ``days`` ago it began."""

    days: float
    name: str
    email: str
    subject: str
    text: str
    locale: str = "en"
    team: str | None = None
    # Who took it, this long after it came.
    assignee: str | None = None
    taken_after: float = 0.4
    priority: str = "normal"
    tags: Sequence[str] = ()
    channel: str = "email"
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Picture] = ()
    lines: Sequence[Line] = ()
    followers: Sequence[str] = ()
