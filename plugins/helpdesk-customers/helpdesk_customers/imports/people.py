"""Whom the rows of a file name: read as plain columns, since thousands are compared, and made where there is nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, or_, select

from helpdesk.api import Organization, User, add_requesters, db

_COLUMNS = (User.id, User.email, User.name, User.phone, User.locale, User.organization_id, User.role, User.is_service)
_FILLED = ("name", "phone", "locale", "organization_id")


@dataclass
class Person:
    """Somebody as they are, and ``changed``: what of that is to be written."""

    id: int
    email: str | None
    name: str
    phone: str | None
    locale: str | None
    organization_id: int | None
    role: str
    is_service: bool
    is_new: bool = False
    changed: bool = False

    @property
    def is_customer(self) -> bool:
        """Nobody of the staff, and no program."""
        return self.role == "requester" and not self.is_service

    @property
    def display_name(self) -> str:
        """As the desk calls them."""
        return self.name or self.email or f"#{self.id}"

    def fill(self, overwrite: bool = False, **wanted: Any) -> bool:
        """Take values where there are none, or all; empty ones say nothing. Whether something became another."""
        before = self.changed
        for key, value in wanted.items():
            held = getattr(self, key)
            if value and value != held and (overwrite or not held):
                setattr(self, key, value)
                self.changed = True
        return self.changed and not before


def find_people(names: Mapping[str, str], known: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Person]:
    """Who has these addresses, merges considered, made with their names where there is nobody.

    Five queries at most, however many they are. ``known`` is that of ``add_requesters``.
    """
    found, merged = _having(names)
    if missing := [
        (address, name) for address, name in names.items() if address not in found and address not in merged
    ]:
        made = add_requesters(missing, known=known)
        # Whoever was made by somebody else meanwhile is found as well.
        new, also_merged = _having([address for address, _name in missing])
        for address, person in new.items():
            person.is_new = address in made
        found |= new
        merged |= also_merged
    if merged:
        query = select(*_COLUMNS).where(User.id.in_(set(merged.values())))
        survivors = {row.id: Person(*row) for row in db.session.execute(query)}
        # Under each address the same one: what one row fills, the next one sees.
        own = {person.id: person for person in found.values()}
        found |= {address: own.get(number) or survivors[number] for address, number in merged.items()}
    return found


def write_people(people: Iterable[Person]) -> None:
    """Write what was filled in. One query, and one statement for all that changed the same columns."""
    changed = {person.id: person for person in people if person.changed}
    if not changed:
        return
    for user in db.session.scalars(select(User).where(User.id.in_(changed))):
        for key in _FILLED:
            if getattr(user, key) != (value := getattr(changed[user.id], key)):
                setattr(user, key, value)


def _having(addresses: Iterable[str]) -> tuple[dict[str, Person], dict[str, int]]:
    """Who has these addresses, and which are of somebody who went into another, with the number of that one."""
    query = select(*_COLUMNS, User.merged_into_id).where(User.email.in_(list(addresses)))
    found: dict[str, Person] = {}
    merged: dict[str, int] = {}
    columns: list[Any]
    for *columns, survivor_id in db.session.execute(query):
        if survivor_id is None:
            found[columns[1]] = Person(*columns)
        else:
            merged[columns[1]] = survivor_id
    return found, merged


def find_firms(names: Iterable[str]) -> dict[str, int]:
    """The numbers of organizations by name, made where there is none. Two statements when all are there."""
    named = {name for name in names if name}
    wanted = {name.casefold(): name for name in named}
    if not wanted:
        return {}
    same = or_(Organization.name.in_(wanted.values()), func.lower(Organization.name).in_(wanted))
    there = _numbers(same)
    if missing := {key: name for key, name in wanted.items() if key not in there}:
        table: Any = Organization.__table__
        db.session.execute(insert(table), [{"name": name} for name in missing.values()])
        there |= _numbers(Organization.name.in_(missing.values()))
    return {name: there[name.casefold()] for name in named}


def _numbers(which: Any) -> dict[str, int]:
    rows = db.session.execute(select(Organization.id, Organization.name).where(which))
    return {name.casefold(): number for number, name in rows}
