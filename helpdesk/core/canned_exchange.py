"""Canned responses as a file: JSON with all of it, CSV with a line for each language."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.core import canned, i18n
from helpdesk.core.canned import Canned, InvalidCanned
from helpdesk.core.extensions import db
from helpdesk.core.models import CannedResponse, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.view import MINE
from helpdesk.core.spreadsheets import harmless
from helpdesk.core.transaction import transaction

COLUMNS = ("folder", "name", "language", "text")
MOST, SIZE = 2000, 5 << 20


class NotTaken(Exception):
    """A file cannot be taken in; nothing was written. The text is a sentence with the place."""


@dataclass
class Taken:
    """How many were made, and how many of them anew."""

    made: int = 0
    changed: int = 0


def as_json(user: User) -> str:
    """What somebody has, as JSON."""
    rows = [
        {
            "folder": response.folder,
            "name": response.name,
            "active": response.active,
            "texts": {row.locale: row.text for row in response.texts},
        }
        for response in _everything(user)
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def as_csv(user: User) -> str:
    """What somebody has, as CSV with a line for each language; nothing in it is calculated by a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for response in _everything(user):
        for row in response.texts:
            writer.writerow([*(harmless(text) for text in (response.folder, response.name, row.locale, row.text))])
    return file.getvalue()


def take_in(data: bytes, actor: User, shared_with: str = MINE) -> Taken:
    """Make or change canned responses from a file of :func:`as_json` or :func:`as_csv`, all of them or none.

    One of the same folder and name that ``actor`` may change gets the new texts. Joins or opens the transaction. Raises
    :class:`NotTaken` with what is wrong and where, and NotAllowed.
    """
    if len(data) > SIZE:
        raise NotTaken(_("This file is too large; %(number)s MB fit.", number=SIZE >> 20))
    wanted = list(_read(data))
    if len(wanted) > MOST:
        raise NotTaken(_("These are too many; %(number)s fit into one file.", number=MOST))
    taken = Taken()
    with transaction():
        known = {(row.folder, row.name): row for row in _everything(actor) if canned.may_change(row, actor)}
        for place, one in enumerate(wanted, start=1):
            one.shared_with = shared_with
            found = known.get((one.folder, one.name))
            if found is not None:
                one.shared_with, one.team_id = found.shared_with, found.team_id
            try:
                kept = canned.save(found, one, actor)
            except InvalidCanned as problem:
                raise NotTaken(_("Response %(number)s (%(name)s): %(problem)s", number=place, name=one.name,
                                 problem=str(problem))) from problem  # fmt: skip
            known[kept.folder, kept.name] = kept
            taken.made += found is None
            taken.changed += found is not None
    return taken


def _everything(user: User) -> Sequence[CannedResponse]:
    query = select(CannedResponse).where(canned.shown_to(user)).options(selectinload(CannedResponse.texts))
    return db.session.scalars(query.order_by(CannedResponse.folder, CannedResponse.name, CannedResponse.id)).all()


def _read(data: bytes) -> Iterator[Canned]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTaken(_("This file is not in UTF-8.")) from error
    if text.lstrip()[:1] in ("[", "{"):
        yield from _of_json(text)
    else:
        yield from _of_csv(text)


def _of_json(text: str) -> Iterator[Canned]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotTaken(_("This is no JSON: %(problem)s", problem=str(error))) from error
    if not isinstance(rows, list):
        raise NotTaken(_("A list of responses is wanted, each with “name” and “texts”."))
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("texts"), dict):
            raise NotTaken(_("A list of responses is wanted, each with “name” and “texts”."))
        texts = {storable(code): str(words) for code, words in row["texts"].items()}
        yield Canned(_text(row, "name"), texts, _text(row, "folder"), active=row.get("active") is not False)


def _of_csv(text: str) -> Iterator[Canned]:
    try:
        rows = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise NotTaken(_("This is no CSV: %(problem)s", problem=str(error))) from error
    if not rows or "name" not in rows[0] or "text" not in rows[0]:
        raise NotTaken(_("The first line names the columns: %(names)s.", names=", ".join(COLUMNS)))
    found: dict[tuple[str, str], Canned] = {}
    for row in rows:
        name, folder = _bare(_text(row, "name")), _bare(_text(row, "folder"))
        one = found.setdefault((folder, name), Canned(name, {}, folder))
        language = _text(row, "language") or i18n.default_locale()
        one.texts = {**one.texts, language: _bare(_text(row, "text"))}
    yield from found.values()


def _text(row: Any, name: str) -> str:
    value = row.get(name)
    # What is wrong with it names it on a page, which holds no lone surrogate.
    return "" if value is None else storable(str(value))


def _bare(text: str) -> str:
    """Without the apostrophe that kept a spreadsheet from calculating it."""
    return text[1:] if text.startswith("'") and harmless(text[1:]) == text else text
