"""What surveys, their states and their figures are called on pages."""

from datetime import date, datetime
from functools import lru_cache

from babel import dates
from flask_babel import format_decimal, format_percent, get_locale, get_timezone

from helpdesk.api import gettext as _
from helpdesk.api import now, pgettext


def kinds() -> list[tuple[str, str, str]]:
    """The kinds of surveys: key, name, and what each measures."""
    return [
        ("csat", _("Satisfaction (CSAT)"), _("One to five, after a ticket was solved.")),
        ("nps", _("Recommendation (NPS)"), _("Zero to ten and the reason, now and then.")),
        ("ces", _("Effort (CES)"), _("One to seven: how easy it was.")),
        ("form", _("Questionnaire"), _("Your own questions, on one page or several.")),
    ]


def kind(key: str) -> str:
    """One of them."""
    return {name: text for name, text, _hint in kinds()}[key]


def looks() -> list[tuple[str, str]]:
    """How one to five can look."""
    return [
        ("faces", _("Faces")),
        ("stars", _("Stars")),
        ("thumbs", _("Thumbs: good or not good")),
        ("numbers", pgettext("look", "Numbers")),
    ]


def occasions() -> list[tuple[str, str, str]]:
    """When a survey asks: key, name, and what it means."""
    return [
        ("solved", _("After a ticket was solved"), _("Some hours later; not when it was opened again.")),
        ("rhythm", _("On a rhythm"), _("Each customer who wrote to us, every so many days.")),
        ("hand", _("By hand"), _("Somebody of the team asks a customer from a ticket.")),
        ("link", _("By a link"), _("For a page or a poster: whoever has the link may answer.")),
    ]


def occasion(key: str) -> str:
    """One of them."""
    return {name: text for name, text, _hint in occasions()}[key]


def actions() -> list[tuple[str, str]]:
    """What a low score can lead to."""
    return [
        ("ticket", _("Open a follow-up ticket")),
        ("call", _("Promise a call")),
        ("tell", _("Tell the supervisors")),
        ("tag", _("Tag the ticket")),
    ]


def action(key: str) -> str:
    """One of them."""
    return dict(actions()).get(key, key)


def done(key: str) -> str:
    """What a score has led to."""
    return {
        "ticket": _("Follow-up ticket"),
        "call": _("Promised call"),
        "tell": _("The supervisors were told"),
        "tag": _("The ticket was tagged"),
    }.get(key, key)


def item_kinds() -> list[tuple[str, str]]:
    """The kinds of questions in a questionnaire."""
    return [
        ("text", pgettext("question", "Text")),
        ("single", _("One choice")),
        ("multiple", _("Several choices")),
        ("scale", _("Scale from 1")),
        ("date", pgettext("question", "Date")),
    ]


def item_kind(key: str) -> str:
    """One of them."""
    return dict(item_kinds()).get(key, key)


def invitation_states() -> list[tuple[str, str]]:
    """Where an invitation can stand."""
    return [
        ("planned", pgettext("invitation", "Planned")),
        ("sent", pgettext("invitation", "Sent")),
        ("answered", pgettext("invitation", "Answered")),
        ("closed", pgettext("invitation", "Closed without an answer")),
        ("suppressed", pgettext("invitation", "Not sent")),
    ]


def invitation_state(key: str) -> str:
    """One of them."""
    return dict(invitation_states()).get(key, key)


def invitation_tone(key: str) -> str:
    """Its colour."""
    return {"planned": "blue", "sent": "violet", "answered": "green"}.get(key, "grey")


def why(key: str) -> str:
    """Why somebody was not asked."""
    return {
        "cap": _("Was asked often enough"),
        "again": _("Is being asked already"),
        "opted_out": _("Wants no such mail"),
        "complaint": _("Has an open complaint"),
        "tag": _("Has a tag that is left out"),
        "refused": _("A plugin said no"),
        "own": _("Whoever solved it may not choose who is asked"),
        "no_address": _("Has no address"),
        "reopened": _("The ticket was opened again"),
        "off": _("The survey was switched off"),
        "staff": _("Is one of the team"),
        "bounced": _("Mail to the address came back"),
        "inactive": _("The account is switched off"),
        "late": _("Its time had passed"),
        "other_team": _("The survey is for another team"),
        "merged": _("The ticket went into another one"),
    }.get(key, key)


def follow_up_states() -> list[tuple[str, str]]:
    """How far a follow-up is."""
    return [
        ("open", pgettext("follow-up", "To do")),
        ("contacted", pgettext("follow-up", "Contacted")),
        ("resolved", pgettext("follow-up", "Resolved")),
    ]


def follow_up_state(key: str) -> str:
    """One of them."""
    return dict(follow_up_states()).get(key, key)


def follow_up_tone(key: str) -> tuple[str, str]:
    """Its colour and shape; colour is never the only sign."""
    return {"open": ("amber", "clock"), "contacted": ("blue", "phone"), "resolved": ("green", "check")}[key]


def breakdown(key: str) -> tuple[str, str]:
    """By what figures are broken down: the title, and the head of the column."""
    return {
        "agent": (_("By agent"), _("Agent")),
        "team": (_("By team"), _("Team")),
        "tag": (_("By tag"), _("Tag")),
        "channel": (_("By channel"), _("Channel")),
        "language": (_("By language"), _("Language")),
    }[key]


def nobody(key: str) -> str:
    """What stands for those without."""
    return {
        "agent": _("Nobody in particular"),
        "team": _("No team"),
        "tag": _("No tag"),
        "channel": _("No channel"),
        "language": pgettext("language", "Unknown"),
    }[key]


def part(key: str) -> str:
    """A part of a scale."""
    return {
        "promoters": _("Promoters"),
        "passives": _("Passives"),
        "detractors": _("Detractors"),
        "good": _("Good scores"),
        "bad": _("Low scores"),
    }[key]


def step(key: str) -> str:
    """How long each stretch of a trend is."""
    return {"day": _("By day"), "week": _("By week"), "month": _("By month")}[key]


# ---- figures


def value(kind: str, number: float | None) -> str:
    """The figure of a survey as it is read: 87 %, +32, 5.8."""
    if number is None:
        return "–"
    if kind == "csat":
        return format_percent(number / 100)
    if kind == "nps":
        # The mark keeps the sign in front where the page goes from right to left, as negative numbers have it there.
        plus = "\u200e+" if get_locale().text_direction == "rtl" else "+"
        return f"{plus if round(number) > 0 else ''}{format_decimal(round(number))}"
    return format_decimal(round(number, 1), "0.0")


def between(kind: str, low: float | None, high: float | None) -> str:
    """The interval in which the true figure is, in words; "" where none can be said."""
    if low is None or high is None:
        return ""
    # Translators: two figures between which the true one probably is: "between 81% and 92%"
    return _("between %(low)s and %(high)s", low=value(kind, low), high=value(kind, high))


def share(number: float | None) -> str:
    """A part of a whole."""
    return "–" if number is None else format_percent(number)


def count(number: int) -> str:
    """A number in the reader's digits and marks."""
    return format_decimal(number)


def figure_name(kind: str) -> str:
    """What the main figure of a survey is called."""
    return {
        "csat": _("Satisfied customers"),
        "nps": _("Net Promoter Score"),
        "ces": _("How easy, on average"),
        "form": pgettext("surveys", "Answers"),
    }[kind]


def formula(kind: str) -> str:
    """How the figure is made, and which end is good."""
    return {
        "csat": _("Satisfied customers: answers of 4 and 5, of all answers. More is better."),
        "nps": _(
            "Net Promoter Score: the share of promoters (9 and 10) minus the share of detractors (0 to 6), "
            "from −100 to +100. More is better."
        ),
        "ces": _("Effort: the average from 1 (very hard) to 7 (very easy). More is better: 7 is the good end."),
        "form": "",
    }[kind]


# ---- times


def reader_zone() -> str:
    """The zone in which the reader sees times."""
    return str(get_timezone())


def day(value: date | datetime) -> str:
    """A day of the calendar, with the year where it is not this one; of a moment the day of the reader's zone."""
    value = value.astimezone(get_timezone()).date() if isinstance(value, datetime) else value
    return _day(value, "MMMd" if value.year == now().year else "yMMMd", str(get_locale()))


def hour(number: int) -> str:
    """An hour of the day."""
    return dates.format_time(datetime(2000, 1, 1, number % 24), "short", locale=str(get_locale()))


@lru_cache(4096)
def _day(value: date, skeleton: str, code: str) -> str:
    return dates.format_skeleton(skeleton, value, locale=code)
