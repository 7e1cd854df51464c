"""Foreign HTML made harmless, and the ways between HTML and plain text.

Everything that a person can write with markup - mails, the rich reply editor, articles - goes through
:func:`clean_html` before it is stored, and is shown as it then stands.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

import nh3

from helpdesk.core.plaintext import ATTRIBUTE, TAG, PlainTextReader
from helpdesk.core.tagsoup import escape, reduce

ImageSource = Callable[[str], str | None]

# Passes until the cleaned HTML parses to itself; what does not settle is shown as text.
MAX_PASSES = 4

_TAGS = frozenset(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure"
    " h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub sup"
    " table tbody td tfoot th thead tr tt u ul var wbr".split()
)
# Removed with everything inside; of other unknown elements only the tags go and the words stay.
_DROPPED = frozenset(
    "applet audio canvas embed frameset iframe map math noembed noframes noscript object script select"
    " style svg template title video xml".split()
)
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "col": {"span"},
    "colgroup": {"span"},
    "img": {"alt", "height", "src", "title", "width"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_NUMBERS = frozenset({"colspan", "height", "rowspan", "span", "start", "value", "width"})
_WORDS = {
    "dir": {"ltr", "rtl", "auto"},
    "scope": {"col", "row", "colgroup", "rowgroup"},
    "type": {"1", "a", "A", "i", "I"},
}
_NUMBER = re.compile(r"[0-9]{1,4}")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_LINK = re.compile(r"(?:https?://[^\s/?#]|mailto:[^\s])[^\s]*", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# A parser drops one line break after <pre>, so that without this each pass would drop another.
_PRE = re.compile(r"(<pre(?: [^\s\"=>]+=\"[^\"]*\")*>)\n+")


@dataclass(frozen=True)
class Cleaned:
    """Harmless HTML, and how many pictures from elsewhere were left out of it."""

    html: str
    blocked_images: int


def clean_html(html: str, image_src: ImageSource | None = None) -> str:
    """The harmless part of ``html``, to store and show (see :func:`clean`). Cleaning twice changes nothing more."""
    return clean(html, image_src).html


def clean(html: str, image_src: ImageSource | None = None) -> Cleaned:
    """Keep the structure of ``html`` (text, lists, tables, links) and nothing that acts, loads or decorates.

    Never raises, whatever the text. Links lead to http, https and mailto only. Pictures that came with
    the mail (``cid:``, RFC 2392) stay; with ``image_src`` each is asked for by its content id and gets the
    address that the function returns, or gives way to its alternative text when that is ``None``. All other
    pictures give way to their alternative text, so that nothing foreign is ever loaded.
    """
    html = _storable(html)
    blocked = 0
    words = ""
    for _ in range(MAX_PASSES):
        reduced = reduce(html)
        words = words or reduced.words
        if reduced.too_deep:
            break
        cleaned, images = _one_pass(reduced.html)
        blocked += images
        if cleaned == html:
            return Cleaned(_with_sources(cleaned, image_src), blocked)
        html = cleaned
    return Cleaned(_paragraphs(words), blocked)


def html_to_text(html: str) -> str:
    """``html`` as plain text that reads well: paragraphs, lists, quotes, tables, links with their address."""
    reduced = reduce(_storable(html))
    if reduced.too_deep:
        return reduced.words
    return PlainTextReader().read(_one_pass(reduced.html, keep_images=False)[0])


def text_to_html(text: str) -> str:
    """Plain ``text`` as cleaned HTML: paragraphs, line breaks, and links where there are addresses."""
    return clean_html(_paragraphs(_storable(text)))


def snippet(text: str, length: int = 140) -> str:
    """The beginning of ``text`` on one line of at most ``length`` characters, cut at a word where there are words."""
    line = " ".join(text[: length * 20].split())
    if len(line) <= length:
        return line
    cut = line[: max(length - 1, 0)]
    space = cut.rfind(" ")
    if space > length // 2:
        cut = cut[:space]
    return cut.rstrip(" ,;:.-") + "…"


def content_id(source: str) -> str:
    """The content id that a ``cid:`` address names, as the Content-ID header has it between its brackets (RFC 2392)."""
    return unquote(source[4:]).strip("<>")


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")


def _one_pass(html: str, keep_images: bool = True) -> tuple[str, int]:
    """Clean once: the HTML, and the number of pictures that gave way to their alternative text."""
    html = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "cid"},
        link_rel="noopener noreferrer nofollow",
    )
    removed = 0

    def image(match: re.Match[str]) -> str:
        nonlocal removed
        if match[2] != "img":
            return match[0]
        attributes = dict(ATTRIBUTE.findall(match[3]))
        if keep_images and "src" in attributes:
            return match[0]
        removed += 1
        return _alternative(attributes)

    return TAG.sub(image, _PRE.sub(r"\1", html)), removed


def _attribute(tag: str, name: str, value: str) -> str | None:
    """What stays of an attribute that is on the list."""
    if name == "href":
        return value.strip() if _LINK.fullmatch(value.strip()) else None
    if name == "src":
        return value.strip() if value.strip()[:4].lower() == "cid:" else None
    if name in _NUMBERS:
        return value if _NUMBER.fullmatch(value) else None
    if name in _WORDS:
        return value if value in _WORDS[name] else None
    if name == "lang":
        return value if _LANGUAGE.fullmatch(value) else None
    return value


def _with_sources(html: str, image_src: ImageSource | None) -> str:
    """Ask for the address of each picture that came with the mail."""
    if image_src is None:
        return html

    def image(match: re.Match[str]) -> str:
        if match[2] != "img":
            return match[0]
        attributes = dict(ATTRIBUTE.findall(match[3]))
        source = image_src(content_id(unescape(attributes["src"])))
        if source is None:
            return _alternative(attributes)
        attributes["src"] = escape(source, quote=True)
        return "<img" + "".join(f' {name}="{value}"' for name, value in attributes.items()) + ">"

    return TAG.sub(image, html)


def _alternative(attributes: dict[str, str]) -> str:
    text = " ".join(unescape(attributes.get("alt", "")).split())
    return f"[{escape(text)}]" if text else ""


_ADDRESS = re.compile(
    r"(?P<url>\b(?:https?://|www\.)[^\s<>\"'，。！？；：、（）【】《》「」『』“”‘’]{1,2000})"
    r"|(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
    re.ASCII,
)


def _paragraphs(text: str) -> str:
    blocks = [block.strip("\n") for block in re.split(r"\n[ \t]*+\n\s*+", text)]
    return "\n".join("<p>" + _linked(block).replace("\n", "<br>\n") + "</p>" for block in blocks if block.strip())


def _linked(text: str) -> str:
    """Escaped ``text`` in which web and mail addresses are links."""
    pieces = []
    position = 0
    for match in _ADDRESS.finditer(text):
        shown = _without_tail(match[0])
        target = shown
        if not match["url"]:
            target = f"mailto:{shown}"
        elif shown.startswith("www."):
            target = f"https://{shown}"
        if not _LINK.fullmatch(target):
            continue
        pieces.append(escape(text[position : match.start()]))
        pieces.append(f'<a href="{escape(target, quote=True)}">{escape(shown)}</a>')
        position = match.start() + len(shown)
    pieces.append(escape(text[position:]))
    return "".join(pieces)


def _without_tail(address: str) -> str:
    """An address without the punctuation of the sentence that it ends."""
    while address and address[-1] in ".,;:!?*_~)]}":
        opening = {")": "(", "]": "[", "}": "{"}.get(address[-1])
        if opening and address.count(opening) >= address.count(address[-1]):
            break
        address = address[:-1]
    return address
