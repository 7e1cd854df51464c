"""What character set a text is in that says nothing true about itself.

Where a general detector needs paragraphs, a subject line has ten letters: so the sets of East Asia and of Cyrillic
are told by where their frequent characters stand, and only the rest is left to charset-normalizer.
"""

import re
import threading
from collections.abc import Callable

_SAMPLE = 8_192
MAX_GUESSES = 50
_guesses = threading.local()
_PAIR = re.compile(rb"[\x80-\xff][\x40-\xff]")
_MIXED = re.compile(r"[a-z][\u0430-\u0451]|[\u0430-\u0451][a-z]")
_FREQUENT = frozenset("оеаинтсрії")
_RUN = re.compile(rb"[\x80-\xff]+")


def detect(data: bytes) -> str | None:
    """The likeliest set of ``data``, which is neither ASCII nor UTF-8; None when it could be anything."""
    sample = _sample(data)
    for name, likely in _EAST_ASIAN:
        text = _strict(sample, name)
        if text is not None and likely(sample, text):
            return name
    cyrillic = _cyrillic(sample)
    if cyrillic is not None:
        return cyrillic
    if not _may_guess():
        return None
    from charset_normalizer import from_bytes  # heavy: only for mail that no other way reads

    best = from_bytes(sample).best()
    return best.encoding if best is not None else None


def begin() -> None:
    """A new mail: it may have :data:`MAX_GUESSES` texts guessed by trying every set there is, which is slow."""
    _guesses.left = MAX_GUESSES


def _may_guess() -> bool:
    left: int = getattr(_guesses, "left", MAX_GUESSES)
    _guesses.left = left - 1
    return left > 0


def _sample(data: bytes) -> bytes:
    """The beginning of ``data``, not cut inside a run of bytes above ASCII."""
    sample = data[:_SAMPLE]
    if len(sample) == len(data):
        return sample
    last = sample.rfind(b"\n")
    return sample[:last] if last > 0 else sample[: len(sample) // 2 * 2]


def _strict(sample: bytes, codec: str) -> str | None:
    try:
        return sample.decode(codec)
    except UnicodeError:
        return None


def _pairs(sample: bytes) -> list[bytes]:
    return _PAIR.findall(sample)


def _share(pairs: list[bytes], first: tuple[int, int], second: int = 0xA1) -> float:
    """How many of the pairs lie in the rows ``first``."""
    if not pairs:
        return 0.0
    return sum(first[0] <= pair[0] <= first[1] and pair[1] >= second for pair in pairs) / len(pairs)


def _kana(text: str) -> float:
    foreign = [letter for letter in text if letter > "\x7f"]
    return sum("\u3041" <= letter <= "\u30fe" for letter in foreign) / max(len(foreign), 1)


def _is_euc_jp(sample: bytes, text: str) -> bool:
    """Hiragana and katakana stand in the same rows in GB 2312, but no Chinese text has any."""
    return _kana(text) > 0.15


def _is_shift_jis(sample: bytes, text: str) -> bool:
    return _kana(text) > 0.15


def _is_korean(sample: bytes, text: str) -> bool:
    """All syllables stand in the rows B0 to C8 (KS X 1001); Chinese of some length goes further."""
    pairs = _pairs(sample)
    spaced = len(_RUN.findall(sample)) * 7 >= len(pairs)
    return len(pairs) >= 6 and spaced and _share(pairs, (0xB0, 0xC8)) > 0.9


def _is_simplified(sample: bytes, text: str) -> bool:
    """Level one of GB 2312 holds nearly everything that is written; A1 and A3 are punctuation."""
    pairs = _pairs(sample)
    letters = [pair for pair in pairs if not (pair[0] in (0xA1, 0xA3) and pair[1] >= 0xA1)]
    return _share(letters, (0xB0, 0xD7)) > 0.75


def _is_traditional(sample: bytes, text: str) -> bool:
    pairs = _pairs(sample)
    low = sum(pair[1] < 0x80 for pair in pairs) / max(len(pairs), 1)
    return len(pairs) >= 2 and _share(pairs, (0xA1, 0xC6), 0x40) > 0.8 and low > 0.15


def _cyrillic(sample: bytes) -> str | None:
    """The two sets swap the cases: in the right one nearly all letters are small, and the frequent ones frequent."""
    for name in ("cp1251", "koi8-r"):
        text = sample.decode(name, "ignore")
        letters = [letter for letter in text if letter > "\x7f"]
        small = sum("\u0430" <= letter <= "\u0451" for letter in letters)
        if len(letters) < 4 or small < len(letters) * 0.6 or _MIXED.search(text):
            continue
        if sum(letter in _FREQUENT for letter in letters) > len(letters) * 0.35:
            return name
    return None


_EAST_ASIAN: tuple[tuple[str, Callable[[bytes, str], bool]], ...] = (
    ("euc_jp", _is_euc_jp),
    ("cp932", _is_shift_jis),
    ("cp949", _is_korean),
    ("gb18030", _is_simplified),
    ("cp950", _is_traditional),
)
