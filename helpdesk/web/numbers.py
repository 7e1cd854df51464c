"""Numbers out of addresses and forms."""

from flask import Flask
from werkzeug.routing import IntegerConverter

# What the databases hold.
_MOST = 2**63 - 1


def row_number(text: str) -> int:
    """The number of a row, for ``type=`` of a query's or form's ``get``. Raises ValueError for what no row can have."""
    number = int(text)
    if not 0 <= number <= _MOST:
        raise ValueError
    return number


class RowNumber(IntegerConverter):
    """``<int:...>`` in an address: with more than 18 digits, which fit into every database, the address is not there.

    By its pattern, so that a method that another address has is not offered for it.
    """

    regex = r"\d{1,18}"


def init_app(app: Flask) -> None:
    """For every address that is added from now on, of plugins as well."""
    app.url_map.converters["int"] = RowNumber
