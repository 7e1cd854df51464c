"""Which way a language is written, and English texts on pages that are written from right to left.

An English sentence on such a page is put together by the browser from right to left: what stands before a name is seen
behind it, and the full stop at the beginning. So a text that has no translation is shown inside marks that keep it
together. Only on pages: what is said elsewhere (mails, what is stored, the command line) is left without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from babel.support import NullTranslations
from flask import has_request_context

RIGHT_TO_LEFT = {"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb"}
# Left-to-right isolate, and the end of it. The mark in front says which way the text goes to ``dir="auto"``, which does
# not look inside, so that a text cut short keeps its beginning; the one behind gives the page its own direction back.
_BEGIN, _END = "\u200e\u2066", "\u2069\u200f"
_RIGHT_TO_LEFT_ISOLATE, _POP = "\u2067", "\u2069"
_MARKS = str.maketrans("", "", _BEGIN + _END)
_leaves_the_page: ContextVar[bool] = ContextVar("leaves_the_page", default=False)


def text_direction(code: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if code.split("_")[0] in RIGHT_TO_LEFT else "ltr"


def as_written_in(code: str, text: str) -> str:
    """A date as a right-to-left language writes it, kept together inside an English sentence."""
    return f"{_RIGHT_TO_LEFT_ISOLATE}{text}{_POP}" if text_direction(code) == "rtl" else text


def unmarked(text: str) -> str:
    """A text of the screen without the marks: for files, and to compare with what somebody typed."""
    return text.translate(_MARKS)


@contextmanager
def leaving_the_page() -> Iterator[None]:
    """What is said in this block goes elsewhere than on the page that is asked for."""
    token = _leaves_the_page.set(True)
    try:
        yield
    finally:
        _leaves_the_page.reset(token)


class EnglishInside(NullTranslations):
    """What a right-to-left language falls back to: the English text, kept together on a page."""

    def gettext(self, message: str) -> str:
        return _kept_together(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _kept_together(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return _kept_together(message)

    def npgettext(self, context: str, singular: str, plural: str, num: int) -> str:
        return _kept_together(singular if num == 1 else plural)

    ugettext, ungettext, upgettext, unpgettext = gettext, ngettext, pgettext, npgettext


def _kept_together(text: str) -> str:
    if not text or _leaves_the_page.get() or not has_request_context():
        return text
    return f"{_BEGIN}{text}{_END}"
