"""How long a call was, as people type and read it."""

import re

from flask_babel import gettext as _

from helpdesk.core.workflow import Invalid

_MOST = 86_400


def read_length(text: str) -> int | None:
    """Seconds of "3:20", "1:02:30" or "4" (minutes); None for nothing. Raises :class:`Invalid` for anything else."""
    text = text.strip()
    if not text:
        return None
    found = re.fullmatch(r"(?:(\d{1,2})[:：])?(\d{1,4})[:：](\d{2})|(\d{1,4})", text)
    if found is None:
        raise Invalid("call", _("Write the length as minutes, or as minutes and seconds: 3:20."))
    hours, minutes, seconds, alone = (int(part or 0) for part in found.groups())
    length = alone * 60 if found[4] else hours * 3600 + minutes * 60 + seconds
    if seconds > 59 or (found[1] and minutes > 59) or length > _MOST:
        raise Invalid("call", _("Write the length as minutes, or as minutes and seconds: 3:20."))
    return length


def written(seconds: int | None) -> str:
    """As it is typed: 3:20."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
