"""How similar texts are found among very many: MinHash over groups of three letters, cut into bands.

Two texts that share most of their groups share several bands, so that one indexed question finds the candidates; how
similar they are is measured of those alone.
"""

import hashlib
import re
import unicodedata
import zlib

from rapidfuzz import fuzz

# 1 - (1 - s^ROWS)^BANDS: of two texts that share 70 % of their groups 99 in 100 are found, of those with 15 % one.
BANDS, ROWS = 20, 4
# A longer text is found only when it is the same.
LONGEST = 1_000
_PRIME = (1 << 31) - 1
_DIGITS = re.compile(r"\d+")


def _number(name: str) -> int:
    """The same one for ever: what is made with it stands in the database."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") % _PRIME


# One function for each row of each band: a * group + b.
_FUNCTIONS = [(_number(f"a{place}") or 1, _number(f"b{place}")) for place in range(BANDS * ROWS)]


def even(text: str) -> str:
    """A text with its spaces, case and forms of letters made even."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digest_of(text: str) -> str:
    """By what the same text is found."""
    return hashlib.sha256(even(text).encode("utf-8", "replace")).hexdigest()


def bands_of(text: str, source: str, target: str) -> list[int]:
    """The bands of a text between two languages, as numbers that fit a BIGINT; none for a long or an empty one."""
    words = even(text)
    if not words or len(words) > LONGEST:
        return []
    # Another order number makes no other text.
    words = f"  {_DIGITS.sub('0', words)}  "
    groups = {zlib.crc32(words[at : at + 3].encode("utf-8", "replace")) % _PRIME for at in range(len(words) - 2)}
    least = [min((a * group + b) % _PRIME for group in groups) for a, b in _FUNCTIONS]
    found = []
    for band in range(BANDS):
        part = f"{source}|{target}|{band}|{least[band * ROWS : band * ROWS + ROWS]}"
        found.append(int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "big", signed=True))
    return found


def likeness(first: str, second: str) -> float:
    """How much two texts are alike, from 0 to 1."""
    return fuzz.ratio(first, second) / 100
