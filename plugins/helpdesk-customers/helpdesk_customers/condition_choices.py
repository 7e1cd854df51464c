"""What conditions on people and organizations may be about, with the operators and values of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from helpdesk.api import gettext as _
from helpdesk.api import language_name, locales, pgettext
from helpdesk_customers import consents
from helpdesk_customers.fields import fields_of
from helpdesk_customers.models import CHOICE, DAY, NUMBER, PERSON, WAYS, YES, RecordField

FIELD, CONSENT = "field:", "consent:"
# What the value of a condition is, and so how it is typed.
LINE, WHOLE, DATE, AMOUNT, PICK = "line", "whole", "day", "amount", "choice"


@dataclass(frozen=True)
class Choice:
    """What a condition can be about: the kind of its value, its operators and what may be chosen."""

    key: str
    label: str
    kind: str
    operators: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, str]] = ()


def choices(subject: str) -> list[Choice]:
    """Everything that a condition on people, or on organizations, may be about, in the order of the form."""
    is_person = subject == PERSON
    texts, days = _texts(), _days()
    least_most, has = _least_most(), [("has", _("has")), ("lacks", _("has not"))]
    fifths = [(str(number), str(number)) for number in range(1, 6)]
    yes_no = [("yes", _("Yes")), ("no", _("No"))]
    is_not = [("is", _("is")), ("not", _("is not"))]
    found = [Choice("name", _("Name"), LINE, texts)]
    if is_person:
        languages = [(code, language_name(code)) for code, _own in locales()]
        found += [
            Choice("email", _("Address"), LINE, texts),
            Choice("phone", _("Phone"), LINE, texts),
            Choice("language", _("Language"), PICK, is_not, languages),
            Choice("organization", _("Organization"), LINE, texts),
            Choice("birthday", _("Birthday in the next days"), WHOLE, [("within", _("within"))]),
            Choice("contact_by", _("Wants to be reached by"), PICK, is_not, _ways()),
            Choice("care_mail", _("Takes mail nobody asked for"), PICK, [("is", _("is"))], yes_no),
        ]
        found += [
            Choice(f"{CONSENT}{key}", _("Consent: %(purpose)s", purpose=label), PICK, [("is", _("is"))],
                   [("given", _("given")), ("withdrawn", _("withdrawn")), ("none", _("never asked"))])
            for key, label in consents.purposes()
        ]  # fmt: skip
    else:
        found += [
            Choice("domain", _("Domain"), LINE, texts),
            Choice("members", _("Number of people"), WHOLE, least_most),
        ]
    found += [
        Choice("tag", _("Tag"), LINE, has),
        Choice("since", _("Known since"), DATE, days),
        Choice("owns", _("Product (article number)"), LINE, [("has", _("has or bought")), ("lacks", _("has not"))]),
        Choice("ordered", _("Last order"), DATE, days),
        Choice("orders", _("Orders (in the days that count)"), WHOLE, least_most),
        Choice("revenue", _("Revenue (in the days that count)"), AMOUNT, least_most),
        Choice("score", _("Value (3 to 15)"), WHOLE, least_most),
        Choice("recency", _("Recency"), PICK, least_most, fifths),
        Choice("frequency", _("Frequency"), PICK, least_most, fifths),
        Choice("monetary", _("Revenue, in fifths"), PICK, least_most, fifths),
        Choice("open_tickets", pgettext("customer", "Open tickets"), WHOLE, least_most),
        Choice("wrote", _("Last ticket"), DATE, days),
    ]
    return found + [_field_choice(field) for field in fields_of(subject)]


# ---- operators


def _texts() -> list[tuple[str, str]]:
    return [
        ("contains", _("contains")),
        ("lacks", _("does not contain")),
        ("is", _("is")),
        ("begins", _("begins with")),
        ("ends", _("ends with")),
        ("filled", _("is filled")),
        ("empty", _("is empty")),
    ]


def _least_most() -> list[tuple[str, str]]:
    return [("least", pgettext("rule", "at least")), ("most", pgettext("rule", "at most"))]


def _days() -> list[tuple[str, str]]:
    return [
        ("within", _("within the last")),
        ("not_within", _("not within the last")),
        ("before", _("before")),
        ("after", _("after")),
    ]


def _ways() -> list[tuple[str, str]]:
    words = {"email": _("Mail"), "phone": _("Phone"), "chat": _("Chat"), "post": _("Letter")}
    return [(way, words[way]) for way in WAYS if way]


def _field_choice(field: RecordField) -> Choice:
    empty = [("filled", _("is filled")), ("empty", _("is empty"))]
    key = f"{FIELD}{field.key}"
    if field.kind == NUMBER:
        operators = [
            ("number_least", pgettext("rule", "at least")),
            ("number_most", pgettext("rule", "at most")),
            ("number_is", _("is")),
        ]
        return Choice(key, field.label, NUMBER, operators + empty)
    if field.kind == DAY:
        days = [(f"day_{how}", label) for how, label in [*_days(), ("is", _("is"))]]
        return Choice(key, field.label, DATE, days + empty)
    if field.kind == YES:
        return Choice(key, field.label, PICK, [("yes_is", _("is"))], [("yes", _("Yes")), ("no", _("No"))])
    if field.kind == CHOICE:
        operators = [("chosen", _("is")), ("not", _("is not")), *empty]
        return Choice(key, field.label, PICK, operators, [(choice, choice) for choice in field.choices])
    return Choice(key, field.label, LINE, _texts())
