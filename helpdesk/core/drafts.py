"""Plain data that hooks may change before something is written. Ids instead of objects: drafts are copied."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class StoredFile:
    """A file whose bytes are already on disk (core/files.py), about to be attached."""

    name: str
    content_type: str
    size: int
    sha256: str
    content_id: str | None = None


@dataclass
class TicketDraft:
    """A ticket about to be opened, with its first message."""

    subject: str
    requester_id: int
    text: str
    html: str = ""
    quoted: str = ""
    files: list[StoredFile] = field(default_factory=list)
    # Who writes the first message; None: the requester.
    author_id: int | None = None
    visibility: str = "public"
    channel: str = "web"
    team_id: int | None = None
    assignee_id: int | None = None
    priority: str = "normal"
    # What kind of ticket it is, and what it is about: numbers of a type and of a topic.
    type_id: int | None = None
    topic_id: int | None = None
    status: str | None = None
    tags: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    follower_ids: list[int] = field(default_factory=list)
    locale: str | None = None
    # Which of the channel's accounts it came by; answers leave by it.
    account: str | None = None
    verified: bool = True
    external_id: str | None = None
    intake_id: int | None = None
    # How long the call was that the first message tells of.
    call_seconds: int | None = None
    # Kept in the history, e.g. why an answer did not join the ticket it names.
    reason: str = ""
    # Whether the requester is told by mail that it was received, with the link to follow it.
    notice: bool = False
    # What the notice says instead of the usual; "": the usual.
    notice_text: str = ""
    # Set by workflow.prepare_ticket: the hooks have been asked.
    prepared: bool = False


@dataclass
class MessageDraft:
    """A reply or note about to be written."""

    text: str
    html: str = ""
    quoted: str = ""
    files: list[StoredFile] = field(default_factory=list)
    visibility: str = "public"
    channel: str = "web"
    # Key of the status to set together with it; None: as the workflow's rules say.
    status: str | None = None
    verified: bool = True
    external_id: str | None = None
    intake_id: int | None = None
    # Why an incoming item joined this ticket, kept in the history.
    reason: str = ""
    # Who else gets what comes from now on.
    follower_ids: list[int] = field(default_factory=list)
    # Whether a closed ticket opens again for it.
    reopens: bool = False
    # How long the call was that it tells of.
    call_seconds: int | None = None
    # Colleagues whom a note names, by number: they are told.
    mentions: list[int] = field(default_factory=list)
    prepared: bool = False


@dataclass
class IncomingFile:
    """A file inside an incoming item."""

    name: str
    content_type: str
    data: bytes
    content_id: str | None = None


# What the other side tells of a message of ours.
BOUNCE, DELAY, COMPLAINT = "bounce", "delay", "complaint"


@dataclass
class Return:
    """What came back of a message that we sent: it could not be delivered, is late, or somebody complained of it."""

    # BOUNCE, DELAY or COMPLAINT.
    kind: str
    # The address that it was sent to, "" where nobody says; the identity that it travelled under, if it is known.
    address: str = ""
    identity: str | None = None
    # Whether trying again is in vain (RFC 3463: class 5).
    permanent: bool = True
    # The other side's words, for people to read.
    reason: str = ""


@dataclass
class IntakeDraft:
    """An incoming item as its channel understood it."""

    channel: str
    sender_address: str
    sender_name: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    quoted: str = ""
    files: list[IncomingFile] = field(default_factory=list)
    sent_at: datetime | None = None
    # Identities without angle brackets.
    external_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] = field(default_factory=list)
    # Candidates for a signed reply token, taken from the addresses it was sent to.
    reply_tokens: list[str] = field(default_factory=list)
    machine: bool = False
    machine_reason: str = ""
    # Machine mail that people stand behind (a list, a shop's contact form) opens a ticket; a robot's answer does not.
    may_open: bool = True
    # A sentence when the item cannot be used at all: it goes to quarantine with it.
    refused: str = ""
    problems: list[str] = field(default_factory=list)
    locale: str | None = None
    # Set by the core: which of the channel's accounts took it in, and where its raw bytes are.
    account: str = ""
    source: str = ""
    # What stood in front of it, names in small letters, decoded and cut to what rules need.
    headers: dict[str, list[str]] = field(default_factory=dict)
    # Who else was written to, as (address, name): they may become followers.
    copies: list[tuple[str, str]] = field(default_factory=list)
    # Whether its sender is who it says: True proved, False disproved, None: nobody can tell.
    verified: bool | None = None
    # Whether one of staff may answer a customer by it, once proved; else a person lets it in.
    staff_may_answer: bool = True
    # Whether the sender may be told that it was received; the core has a last word (no robot, once a day).
    notice: bool = False
    # What is said to the sender then instead of the usual (outside opening hours, say); "": the usual.
    notice_text: str = ""
    # The team that a new ticket goes to, and what else is said of it: a key, numbers of a type and of a topic, names.
    # What there is not (any more) is left out and noted among the problems.
    team_id: int | None = None
    priority: str | None = None
    type_id: int | None = None
    topic_id: int | None = None
    tags: list[str] = field(default_factory=list)
    # What it tells of messages that we sent.
    returns: list[Return] = field(default_factory=list)


@dataclass
class OutgoingFile:
    """A file to send along."""

    name: str
    content_type: str
    size: int
    path: str
    content_id: str | None = None
    # Where the recipient may fetch it instead, for a channel that cannot carry it; "": nowhere.
    link: str = ""


@dataclass
class OutgoingMessage:
    """One copy for one recipient, in the recipient's language, ready for its channel."""

    kind: str
    identity: str
    address: str
    name: str
    locale: str
    subject: str
    text: str
    html: str = ""
    author_name: str = ""
    ticket_number: int | None = None
    # Goes into the address that the recipient answers to.
    reply_token: str | None = None
    # What the recipient may open in a browser, and the words on that link.
    link: str = ""
    link_label: str = ""
    in_reply_to: str | None = None
    references: list[str] = field(default_factory=list)
    files: list[OutgoingFile] = field(default_factory=list)
    # Automatic mail says so, so that other robots do not answer it.
    automatic: bool = False
    # Which of the channel's accounts it leaves by; "": the channel's own choice.
    account: str = ""
    # What the agent who wrote it stands under it.
    signature: str = ""
    # Where the recipient says that no more of this kind is wanted; only what nobody asked for has it.
    unsubscribe: str = ""
    # Why somebody gets it who has not asked: one sentence. Empty for who has.
    why: str = ""
