"""What is hashed, and how: SHA-256 over canonical JSON. docs/security/audit.md says it for other programs."""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Any

from helpdesk.core.models.columns import storable

# What the first link goes on from.
BEGINNING = "0" * 64


def new_salt() -> str:
    """128 random bits: without them nobody can try which details fit a digest."""
    return secrets.token_hex(16)


def plain(value: Any) -> Any:
    """JSON as each database gives it back, so that it hashes the same later: clean texts, no 1.0 where 1 is meant."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def of_details(salt: str, subject: str, data: Any, address: str | None) -> str:
    """The digest of what may name a person. It stays when they are erased; the salt goes."""
    return _sha256(salt, [plain(subject), plain(data), address])


def of_entry(number: int, at: datetime, actor_id: int | None, action: str, details: str) -> str:
    """The digest of an entry, which its link keeps."""
    return _sha256("", [number, at.isoformat(timespec="microseconds"), actor_id, action, details])


def of_link(before: str, number: int, entry: str) -> str:
    """The chain with one more link."""
    return _sha256(before, [number, entry])


def _sha256(before: str, values: list[Any]) -> str:
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before.encode() + text.encode()).hexdigest()
