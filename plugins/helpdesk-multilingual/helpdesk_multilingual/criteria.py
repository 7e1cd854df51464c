"""What levels of careers may ask for: that an agent has a language well."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from helpdesk.api import hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_multilingual import agents, languages


@hookimpl(optionalhook=True)
def career_criteria() -> list[dict[str, Any]]:
    """A language that somebody has well, or as their first one."""
    return [
        {
            "key": "multilingual.language", "label": _l("Language, well or as the first one"), "unit": "yes",
            "better": "more", "counts": False, "choices": languages.choices, "measure": measure, "link": link,
        }
    ]  # fmt: skip


def measure(user_ids: Sequence[int], since: datetime | None, choice: str) -> Mapping[int, tuple[float | None, int]]:
    """1 for who has it. No query while nothing changes."""
    able = set(agents.able_in(choice))
    return {number: (float(number in able), 1) for number in user_ids}


def link(user_id: int, choice: str, days: int) -> str | None:
    """Where the languages of somebody stand."""
    return url_for("multilingual.person", user_id=user_id)
