"""Mail as nobody should send it: real mails that are damaged, and mails made to break whoever reads them.

Each is made from its number alone, so that one that failed can be made again.
"""

import base64
import random
import zlib
from collections.abc import Callable
from pathlib import Path

Maker = Callable[[random.Random], bytes]

_CHARSETS = (
    "utf-8 utf-7 utf-16 utf-32 gb2312 big5 iso-2022-jp iso-2022-kr shift_jis euc-kr koi8-r hz ascii idna base64"
    " zlib unicode_escape rot13 mbcs x-unknown ?? ' utf-8\x00"
).split(" ")
_TRICKS = "\u202e\u200b\u2066\ufeff\u0000\ud7ff\U0010ffff\u0301\u200d\u061c\u2028"
_TYPES = (
    "text/plain text/html text/calendar application/ms-tnef application/pkcs7-mime application/pdf image/svg+xml"
    " message/rfc822 message/delivery-status message/partial message/external-body message/feedback-report"
    " message/disposition-notification multipart/mixed multipart/alternative multipart/related multipart/report"
    " multipart/signed multipart/encrypted multipart/digest text/x-amp-html a/b / text ;;= TEXT/HTML;charset"
).split(" ")


def real_mails(corpora: Path) -> list[bytes]:
    """Every mail of the public collections."""
    files = sorted(file for file in (corpora / "mail").rglob("*") if file.suffix == ".eml")
    return [file.read_bytes() for file in files]


def damaged(originals: list[bytes], number: int) -> bytes:
    """The first ones are the real mails as they are; then each is damaged once to four times."""
    if number < len(originals):
        return originals[number]
    chance = random.Random(number)
    raw = chance.choice(originals)
    for _time in range(chance.randint(1, 4)):
        raw = chance.choice(_DAMAGES)(raw, chance)
    return raw[: 2 * 1024 * 1024]


def made(number: int) -> bytes:
    """A mail of one of the kinds below. Those that are read in a process of their own are every twentieth."""
    chance = random.Random(number)
    slow, others = divmod(number, 20)
    if others == 0:
        return _SLOW[slow % len(_SLOW)](chance)
    return _QUICK[(number - slow) % len(_QUICK)](chance)


# Damages


def _flip(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _time in range(chance.randint(1, 40)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def _behead(raw: bytes, chance: random.Random) -> bytes:
    return raw[chance.randint(0, min(len(raw), 2_000)) :]


def _double_lines(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    for _time in range(chance.randint(1, 10)):
        line = chance.choice(lines)
        lines.insert(chance.randint(0, min(len(lines), 40)), line)
    return b"\n".join(lines)


def _other_charsets(raw: bytes, chance: random.Random) -> bytes:
    for name in (b"utf-8", b"UTF-8", b"iso-8859-1", b"ISO-8859-1", b"us-ascii", b"US-ASCII", b"ISO-2022-JP"):
        raw = raw.replace(name, chance.choice(_CHARSETS).encode())
    return raw


def _break_boundaries(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"\n--", chance.choice([b"\n-", b"\n---", b"\n\n--", b"\n--x", b"\n-- "]), chance.randint(1, 5))


def _other_line_ends(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"\n", chance.choice([b"\r", b"\r\n", b"\r\r\n", b"\n\r", b"\x00\n", b"\x0b\n"]))


def _insert(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randint(0, len(raw))
    junk = chance.choice(
        [b"\x00" * 50, b"\xff\xfe", b"=?utf-8?b?", b"<" * 500, chance.randbytes(200), b"\n\n", b"\x1b$B"]
    )
    return raw[:place] + junk + raw[place:]


def _other_types(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"text/plain", chance.choice(_TYPES).encode()).replace(b"7bit", b"base64")


_DAMAGES = (
    *(_flip, _cut, _behead, _double_lines, _other_charsets, _break_boundaries, _other_line_ends, _insert),
    _other_types,
)


# Made-up mails


def _mail(head: str | bytes = b"", body: str | bytes = b"Hello", sender: str | None = None, unique: int = 0) -> bytes:
    head = head.encode("utf-8", "surrogatepass") if isinstance(head, str) else head
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    origin = sender if sender is not None else f"Eve <eve{unique % 50}@evil.example>"
    first = f"From: {origin}\r\nMessage-ID: <{unique}@evil.example>\r\n".encode("utf-8", "surrogatepass")
    return first + head + b"\r\n\r\n" + body


def _parts(chance: random.Random, *parts: bytes, kind: str = "multipart/mixed") -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return _mail(f"Subject: Parts\r\nContent-Type: {kind}; boundary=b", body, unique=chance.getrandbits(40))


def _many_addresses(chance: random.Random) -> bytes:
    return _mail("To: " + ", ".join(f"u{n}@evil.example" for n in range(20_000)), unique=chance.getrandbits(40))


def _deep_parts(chance: random.Random) -> bytes:
    levels = (f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(1_000))
    return b"From: eve@evil.example\r\n" + "".join(levels).encode() + chance.randbytes(20)


def _deep_mails(chance: random.Random) -> bytes:
    return b"From: eve@evil.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + chance.randbytes(20)


def _many_headers(chance: random.Random) -> bytes:
    return _mail("\r\n".join(f"X-{n}: {chance.random()}" for n in range(30_000)))


def _long_header(chance: random.Random) -> bytes:
    return _mail("Subject: " + chance.choice('a(<"\\;=?') * 1_000_000, unique=chance.getrandbits(40))


def _much_html(chance: random.Random) -> bytes:
    tag = chance.choice(
        ["<div>", "<p>x", "<table><tr><td>", "<a b='", "<!--", "&amp;", "<style", "<blockquote type=cite>"]
    )
    return _mail("Content-Type: text/html", tag * (400_000 // len(tag)), unique=chance.getrandbits(40))


def _many_parts(chance: random.Random) -> bytes:
    return _parts(chance, *[b"\r\nhi"] * 20_000)


def _winmail(chance: random.Random) -> bytes:
    data = b"\x78\x9f\x3e\x22\x01\x00\x02\x90\x06\x00" + chance.randbytes(chance.randint(0, 300))
    return _parts(chance, b"Content-Type: application/ms-tnef\r\n\r\n" + data)


def _charset_bomb(chance: random.Random) -> bytes:
    label = chance.choice(_CHARSETS)
    subject = f"=?{label}?b?{base64.b64encode(chance.randbytes(40)).decode()}?="
    return _mail(f'Subject: {subject}\r\nContent-Type: text/plain; charset="{label}"', chance.randbytes(3_000))


def _encoded_words(chance: random.Random) -> bytes:
    words = " ".join(f"=?{chance.choice(_CHARSETS)}?{chance.choice('bqx')}?=41=??==?" for _n in range(500))
    return _mail(f"Subject: {words}\r\nTo: {words} <a@b.example>", unique=chance.getrandbits(40))


def _packed(chance: random.Random) -> bytes:
    data = base64.encodebytes(b"PK\x03\x04" + zlib.compress(b"\0" * 10_000_000) + chance.randbytes(9))
    head = b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _parts(chance, head + data)


def _direction_tricks(chance: random.Random) -> bytes:
    name = "".join(chance.choice(_TRICKS + "gpj.exe") for _n in range(30))
    head = f"Subject: {name}\r\nTo: {name} <a@b.example>".replace("\x00", "")
    part = f'Content-Type: image/png; name="{name}"\r\n\r\nx'.encode("utf-8", "surrogatepass")
    return _mail(
        head + "\r\nContent-Type: multipart/mixed; boundary=b", b"--b\r\n" + part, f'"{name}" <eve@evil.example>'
    )


def _paths(chance: random.Random) -> bytes:
    name = chance.choice(
        ["../../etc/passwd", "..\\..\\x", "\u200b.htaccess", "a" * 5_000, "CON", "%2e%2e%2f", "a\r\nb", ""]
    )
    part = f"Content-Disposition: attachment; filename=\"{name}\"; filename*=utf-8''%zz%ff{name}\r\n\r\nx"
    return _parts(chance, part.encode())


def _scripts(chance: random.Random) -> bytes:
    html = "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)><a href=javascript:x>a</a>"
    return _mail(f"Subject: {html}\r\nContent-Type: text/html", html * 5, f'"{html}" <eve@evil.example>')


def _injections(chance: random.Random) -> bytes:
    text = chance.choice(
        ["x\rBcc: a@b.example", "x\x00y", "=?utf-8?q?x=0D=0ABcc:_a@b.example?=", "'; DROP TABLE ticket --"]
    )
    return _mail(f"Subject: {text}\r\nIn-Reply-To: <{text}>\r\nReferences: {text}", text, f"{text} <eve@evil.example>")


def _types(chance: random.Random) -> bytes:
    parts = []
    for _n in range(chance.randint(1, 6)):
        encoding = chance.choice(["base64", "quoted-printable", "x-uuencode", "8bit", "gzip", "", "BASE64;"])
        head = f"Content-Type: {chance.choice(_TYPES)}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        parts.append(head.encode() + chance.randbytes(chance.randint(0, 400)))
    kind = chance.choice([name for name in _TYPES if name.startswith("multipart")])
    return _parts(chance, *parts, kind=kind)


def _no_sender(chance: random.Random) -> bytes:
    origin = chance.choice(
        ["", "<>", "@", "a@b@c.example", "a b c", ",,,", '"', "a@" + "b" * 5_000, "x:;", "<a@b.example"]
    )
    return _mail(f"Subject: {chance.random()}", "Hello", origin)


def _several_senders(chance: random.Random) -> bytes:
    return _mail(
        f"From: boss@desk.example\r\nSender: x\r\nSubject: {chance.random()}", "Hi", "a@b.example, <c@d.example>"
    )


def _robots(chance: random.Random) -> bytes:
    head = chance.choice(["Auto-Submitted: auto-replied", "Precedence: bulk", "Return-Path: <>", "List-Id: <a.b>"])
    return _mail(
        f"{head}\r\nSubject: {chance.choice(['Out of office', 'failure notice', 'x'])}", "550 5.1.1 <a@b.example>"
    )


def _report(chance: random.Random) -> bytes:
    lines = ["Final-Recipient: rfc822;a@b.example", "Action: failed", "Status: 5.1.1", "", "Diagnostic-Code: ;;", " x"]
    status = "\r\n".join(chance.choices(lines, k=30)).encode()
    part = b"Content-Type: message/delivery-status\r\n\r\n" + status
    return _parts(chance, b"\r\nSorry", part, kind="multipart/report; report-type=delivery-status")


def _invitation(chance: random.Random) -> bytes:
    lines = [
        "BEGIN:VEVENT",
        "END:VEVENT",
        "DTSTART:20260202",
        "DTSTART;TZID=x:9",
        "RRULE:FREQ=SECONDLY",
        "SUMMARY:\\n",
        "X",
    ]
    event = "\r\n".join(["BEGIN:VCALENDAR", *chance.choices(lines, k=20), "END:VCALENDAR"]).encode()
    return _parts(chance, b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + event)


def _envelope(chance: random.Random) -> bytes:
    data = bytes.fromhex("308006092a864886f70d010702a0803080020101310006092a864886f70d010701a080") + chance.randbytes(
        99
    )
    return _parts(chance, b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\n" + data)


def _threads(chance: random.Random) -> bytes:
    names = " ".join(f"<{n}@evil.example>" for n in range(chance.randint(1, 2_000)))
    to = "help+1-1-aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example"
    return _mail(
        f"Subject: Re: [#{chance.randint(1, 99)}] x\r\nTo: {to}\r\nReferences: {names}", unique=chance.getrandbits(40)
    )


def _dates(chance: random.Random) -> bytes:
    date = chance.choice(
        ["", "0", "Thu, 99 Foo 99999 99:99:99 +9999", "1 Jan 0001 00:00", "-1", "9" * 900, "31 Feb 2026"]
    )
    return _mail(f"Date: {date}\r\nSubject: {chance.random()}")


def _quotes(chance: random.Random) -> bytes:
    lines = [
        "On 2020 a@b.example wrote:",
        "> a",
        "b",
        "-- ",
        "From: a",
        "Sent: b",
        "To: c",
        "",
        "_" * 30,
        "&" * 99,
        "12:30 wrote:",
    ]
    return _mail(f"Subject: {chance.random()}", "\r\n".join(chance.choices(lines, k=2_000)))


def _noise(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(0, 5_000))


def _blank(chance: random.Random) -> bytes:
    return chance.choice([b" ", b"\r\n", b"\n\n\n", b"\x00", b":", b"From", b"From:", b"\xff"]) * chance.randint(1, 60)


def _only_head(chance: random.Random) -> bytes:
    return f"From: eve@evil.example\r\nSubject: {chance.random()}".encode()


_SLOW: tuple[Maker, ...] = (
    *(_many_addresses, _deep_parts, _deep_mails, _many_headers, _long_header, _much_html, _many_parts, _winmail),
)
_QUICK: tuple[Maker, ...] = (
    *(_charset_bomb, _encoded_words, _packed, _direction_tricks, _paths, _scripts, _injections, _types, _no_sender),
    *(
        _several_senders,
        _robots,
        _report,
        _invitation,
        _envelope,
        _threads,
        _dates,
        _quotes,
        _noise,
        _blank,
        _only_head,
    ),
)
