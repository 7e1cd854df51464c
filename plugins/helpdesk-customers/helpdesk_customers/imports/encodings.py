"""In which encoding a file is written, found from its bytes; the owner sees it and may say another one."""

import codecs
import re

# What may be chosen, with what people call it.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "gb18030": "GB18030 / GBK",
    "big5": "Big5",
    "shift_jis": "Shift JIS",
    "euc-kr": "EUC-KR",
    "cp1252": "Windows-1252 / Latin-1",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1256": "Windows-1256",
    "latin-1": "Latin-1 (ISO 8859-1)",
}
# In this order: the longer mark begins like the shorter one.
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Of the letters of a text in Chinese, so many are common ones when it is read rightly.
_COMMON = 0.9


_SAMPLE = 65_536
_OTHERS = re.compile(rb"[\x80-\xff]")


class Watch:
    """Looks at the bytes of a file as they go by, and says in the end how they are written."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._head = b""
        self._marked = b""

    def feed(self, piece: bytes) -> None:
        """One more piece, in order."""
        if len(self._head) < _SAMPLE:
            self._head += piece[: _SAMPLE - len(self._head)]
        # A file may begin with a million plain letters: what counts is where others begin.
        if self._marked:
            self._marked += piece[: _SAMPLE - len(self._marked)]
        elif (first := _OTHERS.search(piece)) is not None:
            self._marked = piece[first.start() : first.start() + _SAMPLE]
        if self._is_utf8:
            try:
                self._utf8.decode(piece)
            except UnicodeDecodeError:
                self._is_utf8 = False

    def found(self) -> tuple[str, int]:
        """The encoding, and how many bytes of a mark stand in front."""
        for mark, encoding in _MARKS:
            if self._head.startswith(mark):
                return encoding, len(mark)
        if (wide := _wide(self._head)) is not None:
            return wide, 0
        if self._is_utf8:
            return "utf-8", 0
        return _of_bytes(self._marked), 0


def mark_length(head: bytes, encoding: str) -> int:
    """How many bytes of a mark a file of that encoding begins with."""
    return next((len(mark) for mark, name in _MARKS if name == encoding and head.startswith(mark)), 0)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain letters is nought."""
    half = len(head) // 2
    if half < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > half * 0.3 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.3 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _of_bytes(sample: bytes) -> str:
    """The likeliest encoding of one or two bytes: Chinese where its common characters come out."""
    text = _decoded(sample, "gb18030")
    if text is not None:
        letters = [sign for sign in text if ord(sign) > 127]
        common = sum(_is_common(sign) for sign in letters)
        if letters and common >= _COMMON * len(letters):
            return "gb18030"
    return "cp1252" if _decoded(sample, "cp1252") is not None else "latin-1"


def _is_common(sign: str) -> bool:
    """Characters of GB 2312, of which texts consist: its first level, kana, and punctuation in full width."""
    try:
        code = sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xF7


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        # The sample may end within a letter.
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None
