"""Everybody's records, narrowed by words, a segment and conditions; the same as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request, stream_with_context, url_for

from helpdesk.api import (
    Invalid,
    Organization,
    allowed,
    audit,
    db,
    now,
    number_in,
    permission_required,
    reader,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_customers import condition_form, conditions, exporting, listing, segments
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.condition_choices import Choice
from helpdesk_customers.condition_form import Row
from helpdesk_customers.models import ALL, ANY, ORGANIZATION, PERSON, Segment
from helpdesk_customers.permissions import MANAGE, USE

_ENDPOINTS = {PERSON: "customers.index", ORGANIZATION: "customers.organizations"}
_FILES = {PERSON: "customers.people_file", ORGANIZATION: "customers.organizations_file"}


@dataclass(frozen=True)
class Asked:
    """What an address asks for: the filters, the rows of conditions as they were typed, what is wrong with them."""

    filters: listing.CustomerFilters
    rows: Sequence[Row]
    known: Mapping[str, Choice]
    errors: Mapping[str, str]

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked for at all."""
        wanted = self.filters
        return bool(self.rows or wanted.q or wanted.segment_id or wanted.tag or wanted.organization_id)

    def query(self, **changes: Any) -> dict[str, Any]:
        """The same as parts of an address; ``changes`` take the place of some."""
        wanted = self.filters
        values = {
            "q": wanted.q,
            "segment": wanted.segment_id,
            "tag": wanted.tag,
            "organization": wanted.organization_id,
            "match": wanted.match if wanted.match != ALL else "",
            **condition_form.as_query(self.rows),
        }
        return {key: value for key, value in {**values, **changes}.items() if value}


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """People with their records."""
    return _list(PERSON)


@pages.get("/organizations")
@permission_required(USE)
def organizations() -> Any:
    """Organizations with their records."""
    return _list(ORGANIZATION)


@pages.post("/people.csv")
@permission_required(MANAGE)
def people_file() -> Any:
    """The people of the list as a file."""
    return _file(PERSON)


@pages.post("/organizations.csv")
@permission_required(MANAGE)
def organizations_file() -> Any:
    """The organizations of the list as a file."""
    return _file(ORGANIZATION)


def _list(subject: str) -> Any:
    asked = _read(subject, request.args)
    # Conditions that cannot be read find nobody, rather than everybody.
    found = listing.Page([]) if asked.errors else listing.customers(asked.filters, request.args.get("after", ""))
    listed = segments.listed(subject)
    endpoint = _ENDPOINTS[subject]

    def here(**values: Any) -> str:
        return url_for(endpoint, **values)

    return show(
        "index.html",
        422 if asked.errors else 200,
        subject=subject,
        asked=_typed(asked),
        rows=[(one.subject, one.record) for one in found.rows],
        more=here(**asked.query(after=found.after)) if found.after else "",
        segments=listed,
        segment=_segment(asked, listed),
        chips=_chips(asked, here),
        rows_of_form=asked.rows,
        known=asked.known,
        errors=asked.errors,
        problem=asked.errors.get("conditions", ""),
        may_manage=allowed(reader(), MANAGE),
        save_url=url_for(
            "customers.new_segment", subject=subject, match=asked.filters.match, **condition_form.as_query(asked.rows)
        ),  # fmt: skip
        export_url=url_for(_FILES[subject], **asked.query()),
        here=here,
    )


def _file(subject: str) -> Any:
    asked = _read(subject, request.args)
    with transaction():
        audit(
            "customers.exported", reader(), subject, {"filters": {key: str(one) for key, one in asked.query().items()}}
        )
    answer = Response(stream_with_context(exporting.customers_csv(asked.filters)), mimetype="text/csv")
    name = f"{'people' if subject == PERSON else 'organizations'}_{now().date().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _read(subject: str, sent: Mapping[str, str]) -> Asked:
    known = condition_form.known_of(subject)
    rows = condition_form.sent_rows(sent, known)
    wanted = listing.CustomerFilters(
        subject=subject,
        q=" ".join(sent.get("q", "").split())[: listing.WORDS],
        segment_id=number_in(sent.get("segment")),
        tag=sent.get("tag", "").strip()[:100],
        organization_id=number_in(sent.get("organization")) if subject == PERSON else None,
        match=ANY if sent.get("match") == ANY else ALL,
    )
    # A row that was just added is not filled in yet: it narrows nothing, and nothing is wrong with it.
    ready = rows[:-1] if condition_form.is_growing(sent) else rows
    try:
        found = conditions.read(subject, condition_form.as_read(ready))
    except Invalid as problem:
        return Asked(wanted, rows, known, condition_form.errors_of(problem.field, str(problem)))
    return Asked(replace(wanted, conditions=found), rows, known, {})


def _typed(asked: Asked) -> dict[str, Any]:
    wanted = asked.filters
    return {
        "q": wanted.q,
        "tag": wanted.tag,
        "organization": wanted.organization_id,
        "match": wanted.match,
        "is_narrow": asked.is_narrow,
    }


def _segment(asked: Asked, listed: Sequence[Segment]) -> Segment | None:
    return next((one for one in listed if one.id == asked.filters.segment_id), None)


def _chips(asked: Asked, here: Any) -> list[tuple[str, str]]:
    """What narrows the list and has no field of its own, each with the address without it."""
    wanted, found = asked.filters, []
    if wanted.tag:
        found.append((_("Tag: %(name)s", name=wanted.tag), here(**asked.query(tag=""))))
    if wanted.organization_id is not None:
        firm = db.session.get(Organization, wanted.organization_id)
        name = firm.name if firm is not None else f"#{wanted.organization_id}"
        found.append((name, here(**asked.query(organization=None))))
    return found
