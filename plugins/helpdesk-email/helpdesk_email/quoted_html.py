"""Where the quoted mail begins in an HTML body, found by the marks that mail programs leave."""

import re
from html import unescape

_SPACE = r"[ \t\n\f\r]"
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:]*+)"
    r"(?P<attributes>(?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    rf"(?:^|{_SPACE})(class|id|type|style){_SPACE}*={_SPACE}*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I
)
# Gmail, Outlook (three generations), Thunderbird, Yahoo, Proton, QQ and NetEase, Zoho, Lark, GMX.
_MARKS = {
    "class": re.compile(
        r"(?:^|\s)(?:gmail_quote|gmail_quote_container|gmail_extra|moz-cite-prefix|moz-forward-container|yahoo_quoted"
        r"|protonmail_quote|zmail_extra|outlookmessageheader|ms-outlook-mobile-reference-message|history-quote-wrapper"
        r"|adm_quote|quote-reply|cm_quote|x_gmail_quote)(?:\s|$)",
        re.IGNORECASE,
    ),
    "id": re.compile(
        r"(?:appendonsend|divrplyfwdmsg|replysplit|isreplycontent|isforwardcontent|mail-editor-reference-message-container"
        r"|yahoo_quoted_\d+|outlookmessageheader|oriMsgHtmlSeperator|original-content|reply-intro)",
        re.IGNORECASE,
    ),
    "type": re.compile(r"cite", re.IGNORECASE),
    "style": re.compile(
        r"border:\s*none;\s*border-top:\s*solid\s+#(?:e1e1e1|b5c4df)\b.*padding:\s*3\.0pt", re.IGNORECASE | re.DOTALL
    ),
}
_SCANNED = 400_000
_SILENT = frozenset({"head", "script", "style", "title"})
# What a text form has and the HTML has not: addresses of links, words for pictures.
_ADDED = re.compile(r"<?(?:https?://|mailto:)[^\s>)]+[>)]?|\[(?:cid|image):[^\]]*\]|\ufffd")


def split(html: str) -> tuple[str, str]:
    """The HTML that the person wrote and the quoted rest ("" without a mark, or with words below the quote)."""
    for match in _TAG.finditer(html, 0, _SCANNED):
        if match["end"] or not match["name"]:
            continue
        name = match["name"].lower()
        found = _marked(name, match["attributes"])
        if not found:
            continue
        if name == "blockquote" and _answer_below(html, match.start()):
            return html, ""
        if _is_blank(html[: match.start()]):
            return html, ""
        return html[: match.start()], html[match.start() :]
    return html, ""


def split_behind(html: str, written: str) -> tuple[str, str]:
    """Cut ``html`` behind the words ``written``, with which it must begin; it stays whole where it does not.

    Letters and digits are compared, nothing else: a text form of HTML has other spaces, signs and addresses.
    """
    wanted = _letters(written)
    small = html[:_SCANNED].lower()
    position = seen = 0
    cut: int | None = None
    for match in _TAG.finditer(html, 0, _SCANNED):
        if match.start() < position:
            continue
        letters = _letters(unescape(html[position : match.start()]))
        if letters and cut is not None:
            return html[:cut], html[cut:]
        if not wanted.startswith(letters, seen):
            return html, ""
        seen += len(letters)
        closes = bool(match["end"])
        if seen == len(wanted) and (cut is None or (closes and cut == position)):
            # The elements that are closed right behind the words belong to them.
            cut = match.end() if closes else match.start()
        position = match.end()
        name = (match["name"] or "").lower()
        if name in _SILENT and not closes:
            closing = small.find(f"</{name}", position)
            position = closing if closing >= 0 else len(html)
    return html, ""


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, _ADDED.sub("", text)))


def _marked(tag: str, attributes: str) -> bool:
    for match in _ATTRIBUTE.finditer(attributes[:2_000]):
        name = match[1].lower()
        value = match[2] or match[3] or match[4] or ""
        if name == "type" and tag != "blockquote":
            continue
        mark = _MARKS[name]
        if mark.search(value) if name in ("class", "style") else mark.fullmatch(value):
            return True
    return False


def _answer_below(html: str, start: int) -> bool:
    """Whether words stand after the end of the blockquote that begins at ``start``."""
    depth = 0
    for match in _TAG.finditer(html, start, start + _SCANNED):
        if (match["name"] or "").lower() != "blockquote":
            continue
        depth += -1 if match["end"] else 1
        if depth == 0:
            return not _is_blank(html[match.end() : match.end() + _SCANNED])
    return False


def _is_blank(html: str) -> bool:
    html = re.sub(r"<(style|script|title|head)\b.*?(?:</\1>|\Z)", "", html, flags=re.DOTALL | re.IGNORECASE)
    return not re.sub(r"<[^<>]*>|&nbsp;|&#160;|\s", "", html)
