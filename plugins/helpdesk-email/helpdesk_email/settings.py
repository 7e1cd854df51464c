"""What an owner sets for mail: four groups, so that the first one, which the set-up shows, stays short."""

from dataclasses import dataclass

from helpdesk.api import lazy_gettext as _l
from helpdesk.api import setting

STARTTLS, TLS, NONE = "starttls", "tls", "none"
WEEKDAYS, NOT_SUNDAYS, EVERY_DAY = "1-5", "1-6", "1-7"
# 8:00 and 8 are as good as 08:00.
_TIME = "([01]?[0-9]|2[0-3])(:[0-5][0-9])?"
_SPAN = rf"{_TIME}\s*-\s*({_TIME}|24(:00)?)"
_SPANS = rf"-|{_SPAN}(\s*,\s*{_SPAN})*"
_SPANS_HINT = _l("For example 09:00-12:00, 13:00-17:00. Empty: as above. Only a hyphen: closed.")
_SAME_HINT = _l("As on Mondays, for example 09:00-12:00, 13:00-17:00.")
_DAY = r"([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])( [^\r\n]{0,80})?"
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,200}[A-Za-z0-9])?"
# Names of servers, separated by commas.
HOSTS = rf"{_NAME}(\s*,\s*{_NAME})*"


@dataclass(frozen=True)
class EmailSettings:
    """The desk's address, and the server that its mail leaves by."""

    address: str = setting(
        "",
        _l("Mail address of the desk"),
        _l("An address like support@shop.example. Customers write to it, and answers come from it."),
        pattern=r"[^\s@<>,;:\"()\[\]\\+]{1,40}@[^\s@<>,;:\"()\[\]\\]{1,200}",
    )
    sender_name: str = setting(
        "", _l("Sender name"), _l("Stands before the address in customers' mailboxes. Empty: the name of the desk.")
    )
    agent_in_sender: bool = setting(
        True, _l("Show who answers"), _l("The agent's name stands in front of the sender name.")
    )
    smtp_host: str = setting(
        "", _l("Outgoing server (SMTP)"), _l("A name like mail.shop.example."), pattern=r"[^\s/@]+"
    )
    smtp_port: int = setting(
        587, _l("Port"), _l("Usually 587 with STARTTLS, 465 with TLS, 25 without."), minimum=1, maximum=65535
    )
    smtp_security: str = setting(
        STARTTLS,
        _l("Security"),
        _l("Without encryption only to a server on the same machine or network."),
        choices=((STARTTLS, _l("STARTTLS")), (TLS, _l("TLS")), (NONE, _l("No encryption"))),
    )
    smtp_user: str = setting("", _l("User name"), _l("Empty: the server asks for none."))
    smtp_password: str = setting("", _l("Password"), secret=True)
    mails_a_minute: int = setting(
        0,
        _l("Mails a minute"),
        _l("What the outgoing server allows; more than that wait for their turn. 0: any number."),
        minimum=0,
        maximum=100_000,
    )
    plus_addressing: bool = setting(
        True,
        _l("Signed reply addresses"),
        _l(
            "Answers go to support+…@shop.example, so that each finds its ticket. Switch it off when your mail server "
            "does not deliver such addresses; answers are then recognised by their references alone."
        ),
    )

    @property
    def domain(self) -> str:
        """The domain of the desk's address as it travels (RFC 5890 A-labels), or "" without a usable one."""
        try:
            return self.address.rpartition("@")[2].encode("idna").decode("ascii")
        except UnicodeError:
            return ""


@dataclass(frozen=True)
class IncomingSettings:
    """What is believed of mail that comes in, and which ways in there are beside the mailboxes."""

    trusted_hosts: str = setting(
        "",
        _l("Servers whose checks count"),
        _l(
            "Names that your own mail servers put into Authentication-Results, separated by commas, for example "
            "mx.shop.example. What they say of a sender (SPF, DKIM, DMARC) is believed; what others say is not. "
            "Empty: no sender is taken for proved by it."
        ),
        pattern=HOSTS,
    )
    staff_by_mail: bool = setting(
        True,
        _l("Agents may answer by mail"),
        _l("Their answer to a mail of the desk goes to the customer. Off: it waits for somebody to look at it."),
    )
    rspamd_url: str = setting(
        "",
        _l("rspamd"),
        _l(
            "Address of an rspamd that is asked about each mail, for example http://127.0.0.1:11333; one in your own "
            "network must also stand under “Requests to other servers”. Empty: none is."
        ),
        pattern=r"https?://[^\s/@]+(/[^\s]*)?",
    )
    listen_lmtp: str = setting(
        "",
        _l("Take mail in by LMTP"),
        _l(
            "Address and port at which the worker takes mail from your own mail server, for example 127.0.0.1:2424. "
            "Whoever reaches it can hand mail in. Empty: off."
        ),
        pattern=r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\]):\d{1,5}",
    )

    def believes_staff(self, proves: bool = False) -> bool:
        """Whether an agent's answer by mail goes to the customer: without a server that proves senders it is held.

        ``proves``: the mailbox that it comes to believes one of its own.
        """
        return self.staff_by_mail and (proves or bool(self.trusted))

    @property
    def trusted(self) -> frozenset[str]:
        """``trusted_hosts`` one by one, in small letters."""
        return frozenset(name.strip().lower() for name in self.trusted_hosts.split(",") if name.strip())


@dataclass(frozen=True)
class AnswerSettings:
    """What the desk says by itself to those who write."""

    received_notice: bool = setting(
        True,
        _l("Say that a mail was received"),
        _l("With the ticket's number and a link. Robots and lists never get one, people one a day at most."),
    )
    out_of_hours_notice: bool = setting(
        False,
        _l("Say when the desk is closed"),
        _l("Outside the hours below the notice says when somebody reads it again."),
    )
    opens: str = setting(
        "09:00", _l("Opens at"), _l("In the time zone of the desk, for example 09:00."), required=True, pattern=_TIME
    )
    closes: str = setting("17:00", _l("Closes at"), _l("For example 17:00."), required=True, pattern=_TIME)
    open_days: str = setting(
        WEEKDAYS,
        _l("Days on which it is open"),
        choices=(
            (WEEKDAYS, _l("Monday to Friday")),
            (NOT_SUNDAYS, _l("Monday to Saturday")),
            (EVERY_DAY, _l("Every day")),
        ),
    )
    monday: str = setting("", _l("Other hours on Mondays"), _SPANS_HINT, pattern=_SPANS)
    tuesday: str = setting("", _l("Other hours on Tuesdays"), _SAME_HINT, pattern=_SPANS)
    wednesday: str = setting("", _l("Other hours on Wednesdays"), _SAME_HINT, pattern=_SPANS)
    thursday: str = setting("", _l("Other hours on Thursdays"), _SAME_HINT, pattern=_SPANS)
    friday: str = setting("", _l("Other hours on Fridays"), _SAME_HINT, pattern=_SPANS)
    saturday: str = setting("", _l("Other hours on Saturdays"), _SAME_HINT, pattern=_SPANS)
    sunday: str = setting("", _l("Other hours on Sundays"), _SAME_HINT, pattern=_SPANS)
    holidays: str = setting(
        "",
        _l("Days on which it is closed"),
        _l("One on a line: 12-25 for every year, 2027-03-26 for one. What you write behind a date is for you."),
        multiline=True,
        pattern=rf"{_DAY}(\s*\n\s*{_DAY})*",
    )

    @property
    def weekdays(self) -> range:
        """The days on which it is open as ISO numbers: 1 is Monday."""
        first, _dash, last = self.open_days.partition("-")
        return range(int(first), int(last) + 1)


@dataclass(frozen=True)
class OutgoingSettings:
    """How mail leaves, beyond its server."""

    largest_attachment_mb: int = setting(
        10,
        _l("Attachments up to (MB)"),
        _l("What is larger in sum is not sent along: the mail has links to the files. 0: always links."),
        minimum=0,
        maximum=100,
    )
    dkim_domain: str = setting(
        "",
        _l("DKIM: domain"),
        _l("Mail is signed for this domain. Empty: not signed here, which is right when the mail server signs."),
        pattern=rf"{_NAME}",
    )
    dkim_selector: str = setting(
        "",
        _l("DKIM: selector"),
        _l("The name in front of ._domainkey in the DNS, for example desk2026."),
        pattern=_NAME,
    )
    dkim_key: str = setting(
        "",
        _l("DKIM: private key"),
        _l("In PEM form, RSA, with its BEGIN and END lines. Never shown again; leave it empty to keep the saved one."),
        multiline=True,
        secret=True,
    )
