"""What a subject says without the marks that mail programs put in front of it."""

import re
import unicodedata

# Answered and forwarded, as mail programs of many languages write it. They stand before a colon, with a count perhaps.
_MARKS = (
    "re r ref rif res rép aw antw antwort sv vs vá ynt odp bls atb απ σχετ ответ отв ha на hb yt "
    "fwd fw f wg vl vb rv enc tr trs pd i ilt i̇lt továbbítás πρθ пересл ful "
    "回复 回覆 答复 答覆 转发 轉寄 轉發 返信 転送 회신 전달 답장 "
    "رد إعادة توجيه תשובה הועבר"
)
_WORDS = "|".join(sorted({re.escape(word) for word in _MARKS.split()}, key=len, reverse=True))
# A mark, or what a server or a desk puts in brackets: "[EXTERNAL]", "[#1042]".
_PREFIX = re.compile(
    rf"(?:(?:{_WORDS}|إعادة توجيه)\s*(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^?\d{{1,3}})?\s*:|\[[^\[\]]{{1,60}}\])\s*"
)
_SUFFIX = re.compile(r"(?:\s*\((?:fwd|fw)\))+$")
_NUMBER = re.compile(r"#\s?(\d{1,9})(?!\d)")
# What may stand between words of a program and the subject that it names.
_ENDS = (":", "]", "|", ">", "-", "–", "—")
# Longer ones are cut somewhere by somebody.
_COMPARED = 200
_NUMBERS = 5


def bare(subject: str) -> str:
    """A subject in the form in which it is compared; something is left of it, if it had anything."""
    text = " ".join(_folded(subject).split())
    while (mark := _PREFIX.match(text)) is not None and text[mark.end() :]:
        text = text[mark.end() :]
    return _SUFFIX.sub("", text) or text


def same(subject: str, other: str) -> bool:
    """Whether two subjects are the same thing: but for marks, and for words of a program that end with a colon.

    Somebody who writes none has not chosen another.
    """
    first, second = bare(subject)[:_COMPARED], bare(other)[:_COMPARED]
    if not first or not second:
        return True
    return first == second or _names(first, second) or _names(second, first)


def numbers(subject: str) -> list[int]:
    """The ticket numbers that a subject names: ``#1042``."""
    return list(dict.fromkeys(int(number) for number in _NUMBER.findall(subject)[:_NUMBERS]))


def _folded(text: str) -> str:
    """One form for all that reads alike: small letters, and one sign for each letter. Folding may undo the other."""
    for _turn in range(4):
        before, text = text, unicodedata.normalize("NFKC", text).casefold()
        if text == before:
            break
    return text


def _names(longer: str, shorter: str) -> bool:
    """Whether ``longer`` is ``shorter`` with something before it that ends as an announcement does."""
    return longer.endswith(shorter) and longer[: -len(shorter)].rstrip(" \"'“„«「").endswith(_ENDS)
