"""Who is not shown what a rule suggests: drawn by a hash of customer and rule, so that nobody chooses."""

import hashlib

_RANGE = 2**64


def is_held(draw: str, user_id: int, percent: int) -> bool:
    """Whether a customer is among the ``percent`` to whom a rule shows nothing.

    The same answer each time, and independent from one rule to the next. Who is held back at a lower share is held
    back at a higher one.
    """
    digest = hashlib.sha256(f"{draw}:{user_id}".encode()).digest()
    return int.from_bytes(digest[:8]) * 100 < percent * _RANGE
