"""What an owner sets for the mailbox."""

from dataclasses import dataclass

from helpdesk.api import lazy_gettext as _l
from helpdesk.api import setting

STARTTLS, TLS, NONE = "starttls", "tls", "none"


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
