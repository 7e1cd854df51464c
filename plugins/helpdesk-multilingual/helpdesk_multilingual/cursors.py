"""Where a page of a list ends, as an address carries it: anything else that stands there is the beginning."""

import base64
import json
from typing import Any


def written(*values: Any) -> str:
    """The values of a list's order as one word."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read(text: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Those values again, each of its kind; None for what is no such word."""
    if not text or len(text) > 2_000:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != len(kinds):
        return None
    if any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
        return None
    if any(kind is int and not 0 <= value < 2**63 for value, kind in zip(values, kinds, strict=True)):
        return None
    return tuple(values)
