"""What the forms of the catalogue and of rules need beyond a usual form: days, rows, lists of SKUs."""

from collections.abc import Iterator, Mapping
from datetime import date

from helpdesk.api import Form
from helpdesk.api import gettext as _

# So many rows of prices, relations or conditions a form has at most.
MOST_ROWS = 40
_EXAMPLE = "2026-03-31"


class RowForm(Form):
    """A form with days, and with rows whose fields are named ``price-0-amount``."""

    def day(self, name: str, *, required: bool = False) -> date | None:
        """A day, or None where nothing was typed."""
        text = self.typed.get(name, "").strip()
        self.values[name] = None
        if not text:
            if required:
                self.refuse(name, _("Write a day such as %(example)s.", example=_EXAMPLE))
            return None
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = date.min
        if not 1990 <= found.year < 2200:
            self.refuse(name, _("Write a day such as %(example)s.", example=_EXAMPLE))
            return None
        self.values[name] = found
        return found

    def rows(self, name: str, fields: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The rows in which something was typed: the first part of their names, and what was typed in each field."""
        for place in range(MOST_ROWS):
            row = {field: self.typed.get(f"{name}-{place}-{field}", "").strip() for field in fields}
            if any(row.values()):
                yield f"{name}-{place}", row


def typed_rows(typed: Mapping[str, str], name: str, fields: tuple[str, ...], needed: str) -> list[dict[str, str]]:
    """The rows of a form that is shown again; one without the ``needed`` field is left out."""
    found = []
    for place in range(MOST_ROWS):
        row = {field: typed.get(f"{name}-{place}-{field}", "") for field in fields}
        if row[needed].strip():
            found.append(row)
    return found


def with_empty(rows: list[dict[str, str]], fields: tuple[str, ...], more: int = 1) -> list[dict[str, str]]:
    """The rows and some empty ones below them."""
    return [*rows, *(dict.fromkeys(fields, "") for _place in range(more))][:MOST_ROWS]


def split(text: str) -> list[str]:
    """What was typed with commas, or one on a line, in its order; each once."""
    parts = [part.strip() for part in text.replace("\n", ",").replace("，", ",").replace("،", ",").split(",")]
    return list(dict.fromkeys(part for part in parts if part))
