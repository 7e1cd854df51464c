"""What of a message is language: without quotes, code, addresses, numbers, pictures and the signature."""

import re

# So much is looked at; a message that goes on speaks no other language after it.
LONGEST = 1_000
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_QUOTED = re.compile(r"^[ \t]*[>|].*$", re.MULTILINE)
# "On Monday ... wrote:" in whatever language: the line before a quote that ends in a colon and holds an address or a
# time.
_INTRODUCTION = re.compile(r"^[^\n]{0,200}(?:@|\d[:.h]\d\d)[^\n]{0,120}:[ \t]*$(?=\n+[ \t]*[>|])", re.MULTILINE)
_FENCE = re.compile(r"```.*?(```|\Z)|~~~.*?(~~~|\Z)", re.DOTALL)
_CODE = re.compile(r"`[^`\n]{1,200}`")
# Lines as programs write them.
_CODE_LINE = re.compile(
    r"^[ \t]*(?:at [\w.$<>]{1,80}\(.*\)|File \".*|Traceback .*|[\w.]{0,80}(?:Error|Exception)\b.*|[$#] .*|"
    r"[{}\[\]();]+|"
    r"[ -~]{0,200}[(){}=<>\[\]][ -~]{0,200}[;{}][ \t]*|\w{1,60}[ \t]*[=:]{1,2}=?[ \t]*\S{1,80}[;,]?|<[^>\n]{1,200}>.*|"
    r"(?:GET|POST|HTTP|SELECT|INSERT)\b.*|"
    r"(?:def|class|return|import|from|function|const|let|var|if|for|while|print)\b"
    r"[^\n]{0,80}[(){}=:;\[\]].*|return \w{1,60})$",
    re.MULTILINE,
)
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|net|org|example|io)\b(?:/\S*)?", re.I
)
_ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
# Order numbers, serial numbers, versions: anything with a digit in it.
_NUMBERED = re.compile(r"[#№]?\b[\w./-]{0,40}\d[\w./:-]{0,80}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,100}\}\}|%\(\w{1,60}\)[sd]|\{\w{0,60}\}")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
# Pictures, and marks that say which way a text runs.
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200b-\u200f\u202a-\u202e\u2066-\u2069\u20e3]")
_SPACE = re.compile(r"[^\S\n]+")
_GAP = re.compile(r"\n\s*\n")


def cleaned(text: str) -> str:
    """What remains of ``text`` to tell its language by; "" when nothing does. Lines stay lines."""
    text = text[: LONGEST * 3].replace("\r", "\n").replace("\x00", " ")
    if (end := _SIGNATURE.search(text)) is not None and text[: end.start()].strip():
        text = text[: end.start()]
    text = _FENCE.sub("\n", text)
    text = _QUOTED.sub("", _INTRODUCTION.sub("", text))
    prose = _CODE_LINE.sub("", text)
    for pattern in (_CODE, _LINK, _ADDRESS, _PLACEHOLDER, _TAG, _NUMBERED, _PICTURES):
        prose = pattern.sub(" ", prose)
    return _GAP.sub("\n\n", _SPACE.sub(" ", prose)).strip()[:LONGEST]
