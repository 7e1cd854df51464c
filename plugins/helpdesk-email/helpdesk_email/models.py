"""Mailboxes that mail is fetched from, servers that it leaves by, rules for what comes in."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.api import UtcDateTime, db, now

# How mail comes in: fetched by us, or handed to us (a local listener, an HTTP provider, a pipe).
IMAP, POP3, HANDED = "imap", "pop3", "handed"
# What becomes of a mail on its server once it is kept here.
SEEN, MOVE, DELETE = "seen", "move", "delete"
# Which part of a mail a rule looks at, how, and what it does.
SENDER, HEADER, SUBJECT, TEXT = "sender", "header", "subject", "text"
IS, CONTAINS, BEGINS, ENDS = "is", "contains", "begins", "ends"
IGNORE, HOLD, SORT = "ignore", "hold", "sort"


class _Access:
    """How one signs in at a server. Secrets are written, never shown."""

    host: Mapped[str] = mapped_column(String(255), default="")
    port: Mapped[int] = mapped_column(default=0)
    # "starttls", "tls" or "none", as in the settings.
    security: Mapped[str] = mapped_column(String(10), default="tls")
    username: Mapped[str] = mapped_column(String(320), default="")
    password: Mapped[str] = mapped_column(Text, default="")
    # OAuth 2: "", or one of oauth.PROVIDERS; then a token is asked for in place of the password.
    oauth: Mapped[str] = mapped_column(String(20), default="")
    oauth_token_url: Mapped[str] = mapped_column(String(500), default="")
    oauth_client_id: Mapped[str] = mapped_column(String(500), default="")
    oauth_client_secret: Mapped[str] = mapped_column(Text, default="")
    oauth_refresh_token: Mapped[str] = mapped_column(Text, default="")
    oauth_access_token: Mapped[str] = mapped_column(Text, default="")
    oauth_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Server(_Access, db.Model):
    """A server beside that of the settings. They are tried in the order of ``position``; 0 and less come before it."""

    __tablename__ = "email_server"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    position: Mapped[int] = mapped_column(default=1)
    active: Mapped[bool] = mapped_column(default=True)
    # Not tried before this moment: it failed, the next one is asked.
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class MainServer(db.Model):
    """How the server of the settings does, by host and port: named anew in the settings, it begins anew."""

    __tablename__ = "email_main_server"

    place: Mapped[str] = mapped_column(String(300), primary_key=True)
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Mailbox(_Access, db.Model):
    """One of our addresses: where its mail comes from, whose it is, and in whose name answers leave."""

    __tablename__ = "email_mailbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Lower-case; customers write to it.
    address: Mapped[str] = mapped_column(String(255), unique=True)
    sender_name: Mapped[str] = mapped_column(String(200), default="")
    active: Mapped[bool] = mapped_column(default=True)
    kind: Mapped[str] = mapped_column(String(10), default=IMAP)
    folder: Mapped[str] = mapped_column(String(255), default="INBOX")
    afterwards: Mapped[str] = mapped_column(String(10), default=SEEN)
    move_to: Mapped[str] = mapped_column(String(255), default="")
    # What a provider signs its posts with; "": none may post to this mailbox.
    secret: Mapped[str] = mapped_column(Text, default="")
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="SET NULL"), index=True)
    locale: Mapped[str | None] = mapped_column(String(20))
    signature: Mapped[str] = mapped_column(Text, default="")
    # Whose checks of senders are believed of mail that came by this mailbox, beside those of the settings.
    trusted_hosts: Mapped[str] = mapped_column(Text, default="")
    # Its server is Microsoft's Exchange, which names no host.
    exchange: Mapped[bool] = mapped_column(default=False)
    # The server that its answers leave by first; None: as the order says.
    server_id: Mapped[int | None] = mapped_column(ForeignKey("email_server.id", ondelete="SET NULL"), index=True)
    # What came to its server before that moment stays there; None: it is taken in as well.
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Up to this number ``since`` counts: what has a higher one was put there after the first look.
    old_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    # Where fetching stands. A fetcher holds the mailbox until the moment given, and says so again while it works.
    # ``uidvalidity`` is the server's in its lower 32 bits (0 for POP3), and which server and folder in those above.
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)
    last_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    # The mail that the server does not give out, and in how many polls.
    stuck_at: Mapped[str] = mapped_column(String(300), default="")
    stuck_polls: Mapped[int] = mapped_column(default=0)
    fetcher: Mapped[str] = mapped_column(String(32), default="")
    fetching_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    backlog: Mapped[int] = mapped_column(default=0)
    fetched: Mapped[int] = mapped_column(default=0)
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Failing since that moment, and why; both are empty when the last poll went well.
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    @property
    def proves(self) -> bool:
        """Whether somebody is believed who proves senders of its mail."""
        return self.exchange or bool(self.trusted)

    @property
    def trusted(self) -> frozenset[str]:
        """``trusted_hosts`` one by one, in small letters."""
        return frozenset(name.strip().lower() for name in self.trusted_hosts.split(",") if name.strip())


class FetchedMail(db.Model):
    """A mail that was fetched by POP3 and left on its server, by the name that the server gives it."""

    __tablename__ = "email_fetched"

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("email_mailbox.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)


class Rule(db.Model):
    """What an owner says of mail: what fits is ignored, held for people to look at, or its ticket sorted."""

    __tablename__ = "email_rule"
    __table_args__ = (
        Index("ix_email_rule_part_pattern", "part", "pattern"),
        Index("ix_email_rule_position", "position", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Of those that ignore or hold the first that fits counts, of those that sort each. A new one has its number and so
    # is the last; moving changes those of two rules.
    position: Mapped[int] = mapped_column(default=0)
    part: Mapped[str] = mapped_column(String(10), default=SENDER)
    # For HEADER its name in small letters.
    header: Mapped[str] = mapped_column(String(100), default="")
    how: Mapped[str] = mapped_column(String(10), default=IS)
    # Compared without regard to letter case.
    pattern: Mapped[str] = mapped_column(String(255))
    act: Mapped[str] = mapped_column(String(10), default=IGNORE)
    # For SORT what a ticket gets that the mail opens; "" and None: nothing. Tags stand with commas between them.
    priority: Mapped[str] = mapped_column(String(10), default="")
    type_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_type.id", ondelete="SET NULL"), index=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"), index=True)
    # What the topic was called when it was chosen: so that a rule can say which one was deleted.
    topic_name: Mapped[str] = mapped_column(String(80), default="")
    tags: Mapped[str] = mapped_column(String(255), default="")
    active: Mapped[bool] = mapped_column(default=True)
    hits: Mapped[int] = mapped_column(default=0)
    hit_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
