"""What mail carries besides text and files: invitations, winmail.dat, signatures, encryption, other mails."""

import base64
import struct

import pytest
from helpdesk_email import calendars, incoming, secured, tnef
from helpdesk_email.parsing import parse
from hypothesis import given, settings
from hypothesis import strategies as st

HEAD = b"From: Anna <anna@customer.example>\nSubject: Hello\n"


def _mixed(*parts: tuple[str, bytes], kind: str = "multipart/mixed") -> bytes:
    """A mail of parts, each with its Content-Type (and what stands behind it in the head) and its body."""
    body = b"".join(b"--b\nContent-Type: %s\n\n%s\n" % (head.encode(), data) for head, data in parts)
    return HEAD + f"Content-Type: {kind}; boundary=b\n\n".encode() + body + b"--b--\n"


def _event(method: str, *lines: str) -> bytes:
    begin = ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT"]
    event = ["SUMMARY:Fitting a brake", "LOCATION:Workshop", *lines]
    return "\n".join([*begin, *event, "END:VEVENT", "END:VCALENDAR", ""]).encode()


WHEN = ("DTSTART;TZID=Europe/Berlin:20260202T100000", "DTEND;TZID=Europe/Berlin:20260202T113000")
WHO = ("ORGANIZER;CN=Shop:mailto:help@shop.example", "ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:anna@customer.example")


def test_an_invitation_is_shown_below_the_text_and_stays_a_file() -> None:
    event = _event("REQUEST", *WHEN, *WHO, "RRULE:FREQ=WEEKLY")
    parts = [("text/plain", b"See you!"), ("text/html", b"<p>See you!</p>"), ("text/calendar; method=REQUEST", event)]
    mail = parse(_mixed(*parts, kind="multipart/alternative"))
    assert mail.text == (
        "See you!\n\nInvitation: Fitting a brake\nWhen: 2026-02-02 10:00 - 11:30 (Europe/Berlin)\nIt repeats.\n"
        "Where: Workshop\nOrganiser: Shop <help@shop.example>\nWith: Anna <anna@customer.example>"
    )
    assert mail.html.startswith("<p>See you!</p><p>Invitation: Fitting a brake<br>\nWhen: 2026-02-02")
    assert [(file.name, file.data.strip()) for file in mail.attachments] == [("attachment.ics", event.strip())]


@pytest.mark.parametrize(
    ("event", "first", "when"),
    [
        (_event("CANCEL", *WHEN), "Cancelled: Fitting a brake", "When: 2026-02-02 10:00 - 11:30 (Europe/Berlin)"),
        (
            _event("REPLY", *WHEN, *WHO),
            "Anna <anna@customer.example> accepts: Fitting a brake",
            "When: 2026-02-02 10:00 - 11:30 (Europe/Berlin)",
        ),
        (
            _event("REQUEST", "DTSTART:20260202T100000Z", "DURATION:PT1H"),
            "Invitation: Fitting a brake",
            "When: 2026-02-02 10:00 - 11:00 (UTC)",
        ),
        (
            _event("PUBLISH", "DTSTART;VALUE=DATE:20260202", "DTEND;VALUE=DATE:20260205"),
            "Calendar entry: Fitting a brake",
            "When: 2026-02-02 - 2026-02-04",
        ),
    ],
    ids=["cancelled", "answer", "UTC", "days"],
)
def test_each_kind_of_invitation_is_told(event: bytes, first: str, when: str) -> None:
    assert calendars.describe(event).split("\n")[:2] == [first, when]


_ICS = [
    "BEGIN:VCALENDAR",
    "BEGIN:VEVENT",
    "DTSTART:20260202",
    "DTSTART;TZID=No/Where:20260202T9",
    "END:VEVENT",
    "RRULE:x",
]


@given(
    st.lists(
        st.sampled_from([*_ICS, "RRULE:x", "DTEND:x", "ATTENDEE;CN=:", "SUMMARY"]) | st.text(max_size=9), max_size=15
    )
)
@settings(max_examples=100, deadline=None)
def test_a_hostile_calendar_is_a_file_at_least(lines: list[str]) -> None:
    calendars.describe("\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]).encode())


def _attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


WINMAIL = (
    struct.pack("<IH", 0x223E9F78, 1)
    + _attribute(1, 0x9007, 6, struct.pack("<II", 1252, 0))
    + _attribute(1, 0x800C, 2, b"Inside Outlook\0")
    + _attribute(2, 0x9002, 6, b"\0" * 14)
    + _attribute(2, 0x8010, 1, b"..\\offer\x96.pdf\0")
    + _attribute(2, 0x800F, 6, b"%PDF offer")
)


def test_winmail_dat_is_unpacked_and_kept() -> None:
    raw = _mixed(
        ("application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64", base64.b64encode(WINMAIL))
    )
    # By the way that all mail takes: it is read in a process of its own.
    draft = incoming.parse(raw)
    assert draft.text == "Inside Outlook"
    assert [(file.name, file.data) for file in draft.files] == [("winmail.dat", WINMAIL), ("offer–.pdf", b"%PDF offer")]
    assert (draft.refused, draft.problems) == ("", [])


def test_a_broken_winmail_dat_is_kept_as_it_is() -> None:
    mail = parse(_mixed(("text/plain", b"Hi"), ("application/ms-tnef; name=winmail.dat", WINMAIL[:40])))
    assert [file.name for file in mail.attachments] == ["winmail.dat"]
    assert mail.problems == ["Its “winmail.dat” could not be unpacked."]
    assert mail.text == "Hi"


def test_a_winmail_dat_of_a_thousand_pieces_is_not_taken_apart() -> None:
    pieces = _attribute(1, 0, 0, b"") * 100_000
    assert tnef.unpack(WINMAIL[:6] + pieces) is None


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_hostile_envelopes_are_files_at_least(data: bytes) -> None:
    tnef.unpack(WINMAIL[:6] + _attribute(1, 0x9007, 6, data))
    secured.opaque(secured.Field("application/pkcs7-mime", {}), _SIGNED_DATA + data)


_SIGNED_DATA = bytes.fromhex("308006092a864886f70d010702a0803080020101310006092a864886f70d010701a080")


@pytest.mark.parametrize(
    ("kind", "name", "maker"),
    [
        ("application/pgp-signature", "signature.asc", "PGP"),
        ("application/pkcs7-signature", "smime.p7s", "S/MIME"),
    ],
)
def test_a_signed_mail_is_read_and_labelled(kind: str, name: str, maker: str) -> None:
    signed = _mixed(("text/plain", b"Good morning"), (kind, b"xyz"), kind=f"multipart/signed; protocol={kind}")
    mail = parse(signed)
    sentence = f"This message is signed with {maker}. The signature is attached and was not checked."
    assert mail.text == f"Good morning\n\n{sentence}"
    assert [(file.name, file.data.strip()) for file in mail.attachments] == [(name, b"xyz")]


def test_a_mail_inside_its_signature_is_read() -> None:
    inner = b"Content-Type: text/plain\n\nGood morning\n"
    # The octets in two pieces, with end marks, as OpenSSL writes them.
    octets = b"\x24\x80\x04" + bytes([9]) + inner[:9] + b"\x04" + bytes([len(inner) - 9]) + inner[9:] + b"\0\0"
    raw = HEAD + b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n"
    mail = parse(raw + b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(_SIGNED_DATA + octets))
    assert mail.text.startswith("Good morning\n\nThis message is signed with S/MIME.")
    assert [file.name for file in mail.attachments] == ["smime.p7m"]


def test_text_in_armour_is_read_without_it() -> None:
    signed = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nGood morning\n- -- \nAnna\n"
    mail = parse(HEAD + b"\n" + signed + b"-----BEGIN PGP SIGNATURE-----\n\nxyz\n-----END PGP SIGNATURE-----\n")
    assert mail.text.startswith("Good morning\n\nThis message is signed with PGP.")
    assert mail.quoted == "-- \nAnna"
    assert [file.name for file in mail.attachments] == ["signature.asc"]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (
            _mixed(
                ("application/pgp-encrypted", b"Version: 1"),
                ("application/octet-stream; name=encrypted.asc", b"-----BEGIN PGP MESSAGE-----"),
                kind="multipart/encrypted; protocol=application/pgp-encrypted",
            ),
            ["attachment.asc", "encrypted.asc"],
        ),
        (
            HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nxyz",
            ["smime.p7m"],
        ),
        (HEAD + b"\n-----BEGIN PGP MESSAGE-----\n\nxyz\n-----END PGP MESSAGE-----\n", ["encrypted.asc"]),
    ],
    ids=["PGP", "S/MIME", "armour"],
)
def test_an_encrypted_mail_says_so_and_keeps_its_parts(raw: bytes, names: list[str]) -> None:
    mail = parse(raw)
    assert "cannot be read here. Its parts are attached." in mail.text
    assert [file.name for file in mail.attachments] == names


def test_a_mail_that_only_encloses_another_is_read_as_that() -> None:
    inner = b"From: Bo <bo@b.example>\nSubject: Old mail\n\nold words\n> older\n"
    mail = parse(_mixed(("message/rfc822", inner)))
    assert mail.text == "From: Bo <bo@b.example>\nSubject: Old mail\n\nold words\n\n> older"
    assert [file.name for file in mail.attachments] == ["Old mail.eml"]
