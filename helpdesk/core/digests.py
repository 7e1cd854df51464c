"""What is kept of a secret that only its bearer has."""

import hashlib


def digest_of(secret: str) -> str:
    """SHA-256 of a secret of many random bits, in hexadecimal: whoever reads the database cannot use it."""
    return hashlib.sha256(secret.encode()).hexdigest()
