"""Bytes of a mail as text, whatever the mail claims about them."""

import codecs
import re

from helpdesk_email import detection

# What programs write, and the larger set that they mean by it (WHATWG Encoding, 4.2, widened).
_MEANT = {
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8mb4": "utf-8",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
}
# Only these are ever decoded with: Python's other codecs are no character sets (punycode, unicode_escape ...).
_KNOWN = frozenset(
    codecs.lookup(name).name
    for name in (
        "ascii utf-8 utf-7 utf-16 utf-16le utf-16be utf-32 gb18030 hz cp950 big5hkscs cp932 euc_jp iso2022_jp"
        " iso2022_jp_2 iso2022_jp_ext cp949 johab iso2022_kr koi8-r koi8-u mac-roman mac-cyrillic cp437 cp850 cp852"
        " cp866 cp874 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 iso8859-1 iso8859-2 iso8859-3"
        " iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15"
        " iso8859-16 shift_jis_2004 euc_kr"
    ).split()
)
_ASCII = codecs.lookup("ascii").name
_ISO_2022 = re.compile(rb"\x1b(?:\$[@B]|\$\([A-D]|\([BJI])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Enough to tell, little enough to be quick.
_SAMPLE = 8_192


def decode(data: bytes, declared: str = "", hint: str = "") -> tuple[str, bool]:
    """``data`` as text, and whether the declared character set was the wrong one.

    The declared set first, then UTF-8, then ``hint`` (what the rest of the mail is written in), then a guess.
    Never raises; what nothing can read becomes U+FFFD. NUL and lone surrogates are replaced.
    """
    text, repaired = _decode(data, codec_name(declared), codec_name(hint))
    return clean(text), repaired or bool(declared.strip() and codec_name(declared) is None)


def clean(text: str) -> str:
    """``text`` with line ends as ``\\n``, and without what a database refuses."""
    return _UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def codec_name(charset: str) -> str | None:
    """The codec that reads what is labelled ``charset``, or None for one that nobody knows."""
    label = charset.strip().strip("\"'").lower().replace(" ", "")
    if not label or len(label) > 40 or not label.isascii():
        return None
    label = _MEANT.get(label, _MEANT.get(label.replace("_", "-"), label))
    label = re.sub(r"^(?:cs)?windows-?(?=\d)", "cp", label)
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    return name if name in _KNOWN else None


def _decode(data: bytes, declared: str | None, hint: str | None) -> tuple[str, bool]:
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "replace"), declared not in (None, "utf-8")
    if _ISO_2022.search(data[:_SAMPLE]):
        codec = declared if declared and declared.startswith("iso2022") else "iso2022_jp_ext"
        return data.decode(codec, "replace"), codec != declared and declared is not None
    if data.isascii() and declared not in ("utf-7", "hz", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        return data.decode("ascii"), False
    utf8 = _strict(data, "utf-8")
    # A text with multi-byte sequences that are all valid UTF-8 is UTF-8, also when a single-byte set is declared:
    # those accept everything.
    if utf8 is not None and (declared in (None, _ASCII, "utf-8") or _is_single_byte(declared)):
        return utf8, declared not in (None, "utf-8")
    if declared in (None, _ASCII, "utf-8") and _mostly_utf8(data):
        return data.decode("utf-8", "replace"), True
    for codec in filter(None, (declared, hint)):
        if codec not in (_ASCII, "utf-8") and (text := _strict(data, codec)) is not None:
            return text, codec != declared and declared is not None
    if utf8 is not None:
        return utf8, True
    guessed = codec_name(detection.detect(data) or "")
    if guessed:
        return data.decode(guessed, "replace"), True
    fallback = declared if declared and declared != _ASCII else "cp1252"
    return data.decode(fallback, "replace"), True


def _is_single_byte(codec: str | None) -> bool:
    return codec is not None and (codec.startswith(("cp12", "iso8859", "koi8", "mac-")) or codec in ("cp437", "cp850"))


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _mostly_utf8(data: bytes) -> bool:
    """Whether a text is UTF-8 but for a few broken places, or was cut in the middle of a letter."""
    text = data[:_SAMPLE].decode("utf-8", "replace")
    return text.count("\ufffd") * 5 < sum(letter > "\x7f" for letter in text)
