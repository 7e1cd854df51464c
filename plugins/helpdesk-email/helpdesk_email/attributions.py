"""How mail programs introduce what they quote, in many languages."""

import re
from collections.abc import Sequence

# Longer lines are no introductions; looking at no more keeps every check quick.
MAX_LINE = 400
_SPAN = 6

_VERB = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|escribió|escribi[oó]|escreveu|écrit|ecrit|ha scritto|scrive|schreef"
    r"|geschreven|skrev|kirjoitti|napisał(?:\(a\)|a)?|pisze|napsala?|napsal\(a\)|napísala?|írta|a scris|пише(?:т|)"
    r"|писал[аи]?|написал(?:\(а\)|а|и)?|написав|написала|έγραψε|yazdı|menulis|viết|napisao|je napisal[ao]?)"
    r"|写道|寫道|撰写|書きました|のメール\s*[:：]|さんのメッセージ|작성|님이|كتب|تمت كتابة|כתבה?|เขียน",
    re.IGNORECASE,
)
_END = re.compile(r"(?:[:：]|\s-{2,})[\s*_]*$")
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\d{1,2}[:.h]\d\d\b|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}\s*[年년]|\d{1,2}\s*月", re.IGNORECASE
)
_MAIL = re.compile(r"[^\s<>@]{1,80}@[^\s<>@]{1,80}")
_OPENER = re.compile(
    r"^\W*(?:on|am|le|el|il|em|op|den|de|dne|dňa|dnia|w dniu|pe|på|à|a|lør|man|tir|ons|tor|fre|søn|v|во?|у|tarihinde"
    r"|mon|tue|wed|thu|fri|sat|sun|vào|pada|在|于|於|\d)",
    re.IGNORECASE,
)
_DATED_ADDRESS = re.compile(r"^\W{0,4}\d{1,4}[./年-].{0,200}<[^<>@\s]{1,80}@[^<>@\s]{1,80}>\s*$")
_SEPARATOR = re.compile(
    r"^[\s>]*(?:[-_=*]{2,}|—{2,})(?:\s|&nbsp;)*(?:\w+\s+){0,2}"
    r"(?:original|originale?|ursprüngliche|ursprungligt|opprinnelig|oprindelig"
    r"|oorspronkelijk|oryginalna|исходное|пересылаемое|пересланное|forwarded|weitergeleitete|transféré|transmis"
    r"|reenviado|encaminhada|inoltrato|doorgestuurd|vidarebefordrat|videresendt|przekazana|mensaje|message|mensagem"
    r"|messaggio|nachricht|bericht|原始邮件|原始郵件|转发邮件|轉寄郵件|转发的邮件|回复的邮件|original message"
    r"|邮件原件|郵件原件|回复的原邮件|元のメッセージ|転送メッセージ|الرسالة|رسالة|원본 메시지|전달된 메시지)"
    r"[^\n]{0,60}?(?:[-_=*]{2,}|—{2,})\s*$"
    r"|^\s*(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|début du message (?:transféré|réexpédié)"
    r"|inicio del mensaje reenviado|início da mensagem (?:encaminhada|reenviada)|inizio messaggio inoltrato"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|início de mensagem reenviada|下面是被转发的邮件|以下是转发的邮件"
    r"|開始轉寄郵件|転送されたメッセージ)\s*[:：]\s*$",
    re.IGNORECASE,
)
_LABELS = {
    "from": "from|von|de|da|van|från|fra|od|от|від|kimden|lähettäjä|feladó"
    "|发件人|寄件者|寄件人|差出人|送信者|من|보낸 ?사람",
    "date": "date|sent|gesendet|datum|envoyé|enviado(?: el| em)?|fecha|data|inviato|verzonden|skickat|sendt|dato"
    "|wysłano|дата|отправлено|надіслано|tarih|gönderilen|päivämäärä|lähetetty|发送时间|发送日期|日期|寄件日期|傳送日期|送信日時|日付"
    "|تم الإرسال|أُرسلت|التاريخ"
    "|보낸 ?날짜|날짜",
    "to": "to|an|à|a|para|naar|aan|till|til|do|кому|kime|vastaanottaja|címzett|cc|kopie|收件人|收件者|宛先|إلى"
    "|받는 ?사람|抄送",
    "subject": "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|тема|konu|aihe|předmět|tárgy"
    "|主题|主旨|件名|الموضوع|제목",
}
_LABEL = re.compile(
    r"^\s*\*{0,2}\s*(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _LABELS.items()) + r")\s*\*{0,2}\s*[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*[_-]{8,}\s*$")


def is_quote(line: str) -> bool:
    """Whether a line is marked as quoted."""
    return line.lstrip().startswith((">", "＞")) and not line.strip().startswith(">:")


def separator_at(lines: Sequence[str], index: int) -> bool:
    """Whether "Original message", a forwarded message or a copied header begins at this line."""
    line = lines[index]
    if len(line) > MAX_LINE:
        return False
    if _SEPARATOR.match(line):
        return True
    if _RULE.match(line):
        return index + 1 < len(lines) and _header_at(lines, _next_written(lines, index + 1))
    return _header_at(lines, index)


def attribution_at(lines: Sequence[str], end: int) -> int | None:
    """The line where the introduction ("On ... wrote:") that ends at ``end`` begins, or None when none ends there."""
    last = lines[end]
    if len(last) > MAX_LINE:
        return None
    if _DATED_ADDRESS.match(last) and _quote_follows(lines, end):
        return end
    if not _END.search(last) or not last.strip(" \t:：>-"):
        if not last.strip().endswith(">:"):
            return None
    weak: int | None = None
    for start in range(end, max(end - _SPAN, -1), -1):
        line = lines[start]
        if len(line) > MAX_LINE or (start < end and _END.search(line)):
            break
        span = " ".join(lines[start : end + 1])
        if start == end and is_quote(line) and (_OPENER.match(line) or _DATE.search(line)):
            return None
        if len(span) > MAX_LINE or (start < end and is_quote(line)):
            break
        says = _VERB.search(span) or (span.rstrip().endswith(">:") and _MAIL.search(span))
        if not says:
            continue
        blank_inside = any(not inner.strip() for inner in lines[start:end])
        if blank_inside and not _MAIL.search(span):
            break
        if _DATE.search(span) and (weak is None or _OPENER.match(line)):
            return start
        if weak is None and _VERB.search(span) and (_MAIL.search(span) or _quote_follows(lines, end)):
            weak = start
    return weak


def _quote_follows(lines: Sequence[str], end: int) -> bool:
    following = _next_written(lines, end + 1)
    return following < len(lines) and (is_quote(lines[following]) or lines[following].startswith("| "))


def _next_written(lines: Sequence[str], index: int) -> int:
    while index < len(lines) and not lines[index].strip():
        index += 1
    return index


def _header_at(lines: Sequence[str], index: int) -> bool:
    """Whether a copied mail header (From, Date, To, Subject in any order) begins at this line."""
    kinds: set[str] = set()
    for offset, line in enumerate(lines[index : index + 8]):
        match = _LABEL.match(line[:MAX_LINE])
        if match is None:
            if offset == 0 or not line.strip():
                break
            continue
        kinds.add(str(match.lastgroup))
    return len(kinds) >= 3 and "from" in kinds
