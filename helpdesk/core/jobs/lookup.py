"""Finding jobs: what the pages and the command line ask the ledger for."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, Text, cast, or_, select

from helpdesk.core.models import Job


def matching(*, states: Iterable[str] = (), name: str = "", text: str = "") -> Select[Job]:
    """The jobs in one of ``states`` (none: all), of one ``name`` or one plugin, whose details contain ``text``.

    A name without a dot is a plugin's ("core" is the desk itself). Looked for are the number, the key, the arguments
    and the error. A query, to be ordered and cut by whoever asks.
    """
    query: Select[Job] = select(Job)
    if chosen := tuple(states):
        query = query.where(Job.state.in_(chosen))
    if "." in name:
        query = query.where(Job.name == name)
    elif name:
        query = query.where(Job.name.startswith(f"{name}.", autoescape=True))
    if text:
        query = query.where(_mentions(text))
    return query


def _mentions(text: str) -> ColumnElement[bool]:
    number = text.lstrip("#")
    if number.isdecimal() and len(number) < 19 and text.startswith("#"):
        return Job.id == int(number)
    places = (Job.error, Job.key, cast(Job.args, Text))
    return or_(*(place.icontains(text, autoescape=True) for place in places))
