"""What a person wrote, and the quoted mail below it.

Nothing is lost: what is cut off the text is kept beside it. Where quote and answer alternate, all of it is the answer.
"""

import re
from collections.abc import Sequence

from helpdesk_email.attributions import MAX_LINE, attribution_at, is_quote, separator_at

_MAX_INTRODUCTIONS = 10
_SIGNATURE_LINES = 12
_SIGNATURE = re.compile(r"^\s{0,3}(?:--|—|__)\s*$")
_DEVICE = (
    r"(?:mobile|cell|phone|handy|smartphone|device|i-?phone|i-?pad|i-?pod|android|galaxy|samsung|huawei|xiaomi|windows"
    r"|outlook|mail(?:box)?|yahoo|gmail|airmail|blackberry|htc|thunderbird|k-9|proton)"
)
_SENT_FROM = re.compile(
    r"^[\W_]*(?:"
    rf"sent (?:from|via|with|by|using) (?:my |a |the )?(?:\w+ ){{0,2}}\[?{_DEVICE}|sent (?:from|via) my \S"
    rf"|(?:\w+ )?from (?:my )?{_DEVICE}\b|get \[?outlook for\b|do(?:wnload)? outlook"
    r"|envoyé (?:depuis|de|avec|à partir)\b|von meinem .{0,60} gesendet|gesendet (?:von|mit|über)\b"
    r"|diese (?:nachricht|e-mail) wurde von .{0,80} gesendet|enviado (?:desde|do|de|a partir)\b|inviato (?:da|dal) "
    r"|verzonden (?:met|vanaf|van|via)\b|verstuurd vanaf|sendt (?:fra|via)\b|skickat från|lähetetty |wysłane? z\b"
    r"|отправлено (?:с|из)\b|надіслано з|odesláno z|gönderildi\b"
    r"|(?:outlook (?:für|for|voor|pour|para|per) (?:ios|android)\b|(?:获取|取得|télécharge[rz]|obtener|obter|obtenir"
    r"|scarica|скачайте|получить)(?: o)? outlook\b)|أُ?رسلت من|تم الإرسال من"
    r"|從我的.{0,40}傳送|从我的.{0,40}发送|发自我?的?|來自我的"
    r"|.{0,30}から送信|나의 .{0,30}에서 보냄)",
    re.IGNORECASE,
)


def cut(text: str) -> tuple[str, str]:
    """What the person wrote, and the rest (quoted mail, signature). The first is never empty unless ``text`` is.

    Takes time in proportion to the length of the text.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    written, quoted = _split(lines)
    written, signature = _signature(written)
    if not any(line.strip() for line in written):
        return _join(lines), ""
    return _join(written), _join([*signature, *quoted])


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    tail = _quoted_tail(lines)
    found = 0
    for index in range(len(lines)):
        if index >= tail:
            break
        if not lines[index].strip():
            continue
        if separator_at(lines, index):
            return lines[:index], lines[index:]
        start = attribution_at(lines, index) if found < _MAX_INTRODUCTIONS else None
        if start is None:
            continue
        found += 1
        parted = _at_attribution(lines, start, index)
        if parted is not None:
            return parted
    start = tail
    # An introduction in a language that is not known, right above the quote.
    if 0 < tail < len(lines):
        above = _last_written(lines, tail - 1)
        line = lines[above] if above >= 0 else ""
        if line.rstrip().endswith((":", "：")) and len(line) < MAX_LINE and re.search(r"\d.*\d|@", line):
            start = above
    return lines[:start], lines[start:]


def _at_attribution(lines: list[str], start: int, end: int) -> tuple[list[str], list[str]] | None:
    """Where to cut at an introduction in lines ``start`` to ``end``; None where the answer stands among quotes."""
    before, after = lines[:start], lines[end + 1 :]
    blocks, answer = _blocks(after)
    if not blocks:
        # The quote is not marked: all that follows, or, when nothing stands above, the answer itself.
        return (before, lines[start:]) if _written(before) else (after, lines[start : end + 1])
    if not answer:
        return before, lines[start:]
    if _written(before) or len(blocks) > 1:
        return None
    first, last = blocks[0]
    below, rest = _split(after[last:])
    return below, [*lines[start : end + 1], *after[first:last], *rest]


def _blocks(lines: Sequence[str]) -> tuple[list[tuple[int, int]], bool]:
    """The marked quotes at the beginning of ``lines``, and whether somebody wrote something below the first of them."""
    blocks: list[tuple[int, int]] = []
    answer = False
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if is_quote(line):
            if blocks and not _written(lines[blocks[-1][1] : index]):
                blocks[-1] = (blocks[-1][0], index + 1)
            else:
                blocks.append((index, index + 1))
        elif not blocks:
            return [], False
        elif _SIGNATURE.match(line) or _SENT_FROM.match(line[:MAX_LINE]):
            break
        else:
            answer = True
    return blocks, answer


def _quoted_tail(lines: Sequence[str]) -> int:
    """Where the marked quote begins with which the text ends; the number of lines when there is none."""
    start = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if not line.strip():
            continue
        if not is_quote(line):
            break
        start = index
    return start


def _signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut a short signature below ``--``, and what telephones add."""
    cut_at = len(lines)
    for index in range(len(lines) - 1, 0, -1):
        if _SIGNATURE.match(lines[index]):
            if sum(bool(line.strip()) for line in lines[index + 1 :]) <= _SIGNATURE_LINES and _written(lines[:index]):
                cut_at = index
            break
    last = _last_written(lines, cut_at - 1)
    while last > 0 and len(lines[last]) < 160 and _SENT_FROM.match(lines[last]):
        cut_at = last
        last = _last_written(lines, last - 1)
    return lines[:cut_at], lines[cut_at:]


def _last_written(lines: Sequence[str], index: int) -> int:
    while index >= 0 and not lines[index].strip():
        index -= 1
    return index


def _written(lines: Sequence[str]) -> bool:
    return any(line.strip() for line in lines)


def _join(lines: Sequence[str]) -> str:
    return re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(lines)).rstrip()
