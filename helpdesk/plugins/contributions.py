"""What plugins contribute: frozen data, checked and rendered by the core, never HTML."""

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpdesk.plugins.jobs import LATER as LATER
from helpdesk.plugins.jobs import NORMAL as NORMAL
from helpdesk.plugins.jobs import SOON as SOON
from helpdesk.plugins.jobs import Job as Job
from helpdesk.plugins.jobs import Schedule as Schedule


class Reject(Exception):
    """Raised (or returned) by a ``before_*`` hook to stop the action; ``reason`` is shown to the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        # What the hook had made of the draft by then; set by whoever called it.
        self.draft: Any = None


class DeliveryFailed(Exception):
    """Raised by a channel that could not send. ``sentence`` says what went wrong and what to do.

    ``permanent``: another try is of no use. ``unreachable``: nothing reaches the person at that address any more.
    """

    def __init__(self, sentence: str, *, permanent: bool = False, unreachable: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.permanent = permanent
        self.unreachable = unreachable


def setting(
    default: Any,
    label: Any,
    hint: Any = "",
    *,
    choices: Sequence[tuple[str, Any]] | Callable[[], Sequence[tuple[str, Any]]] = (),
    minimum: int | None = None,
    maximum: int | None = None,
    multiline: bool = False,
    secret: bool = False,
    required: bool = False,
    pattern: str = "",
    internal: bool = False,
) -> Any:
    """Declare one field of a settings dataclass: its default, how the form shows it, and its bounds.

    ``label`` and ``hint`` are lazy translated texts. A ``secret`` is never shown again once saved;
    an ``internal`` one is in no form.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "label": label,
            "hint": hint,
            "choices": choices,
            "minimum": minimum,
            "maximum": maximum,
            "multiline": multiline,
            "secret": secret,
            "required": required,
            "pattern": pattern,
            "internal": internal,
        },
    )


@dataclass(frozen=True)
class SettingsGroup:
    """A frozen dataclass of :func:`setting` fields; ``name`` is the plugin's name (or begins with it)."""

    name: str
    title: Any
    model: type
    hint: Any = ""


@dataclass(frozen=True)
class Permission:
    """A permission of the plugin's own, ``<plugin>.<verb>``, and the roles that have it from the start.

    Raises ValueError for a role that there is not.
    """

    name: str
    label: Any
    roles: Sequence[str] = ("supervisor", "admin")

    def __post_init__(self) -> None:
        known = ("requester", "agent", "supervisor", "admin")
        if isinstance(self.roles, str) or not set(self.roles) <= set(known):
            raise ValueError(f"The permission {self.name} takes a list of roles, of {', '.join(known)}.")


@dataclass(frozen=True)
class CheckStep:
    """One step of a connection test: what was tried, whether it worked (None: not tried), and what to do.

    ``said`` are the other side's own words; ``advice`` is a list of sentences in the reader's language.
    """

    label: str
    ok: bool | None
    detail: str = ""
    said: str = ""
    advice: Sequence[str] = ()
    milliseconds: int | None = None


@dataclass(frozen=True)
class Channel:
    """A way in or out. ``name`` stands on tickets, messages and deliveries.

    ``parse(raw)`` turns raw bytes into an ``IntakeDraft`` and never writes. ``send(outgoing)`` hands one
    ``OutgoingMessage`` to the outside world or raises :class:`DeliveryFailed`; it may be called again with
    the same identity after a crash. ``new_identity()`` gives the identity that a delivery will travel under.
    ``describe(raw)`` says how a raw item is understood, as JSON, without a desk around it. ``check(address)``
    tries the connection step by step with the saved settings, and sends a test to ``address``. ``per_minute`` is how
    many messages go out in any minute (None: any number), or a function that says so each time. ``fetch()`` looks at
    once for what waits outside (``helpdesk mail poll``) and answers with sentences that say what it found, or with a
    :class:`CheckStep` for each account, ``ok`` False where it failed; ``fetch(account)`` does so for one account.
    """

    name: str
    label: Any
    parse: Callable[[bytes], Any] | None = None
    send: Callable[[Any], None] | None = None
    new_identity: Callable[[], str] | None = None
    describe: Callable[[bytes], dict[str, Any]] | None = None
    check: Callable[[str], Sequence[CheckStep]] | None = None
    per_minute: int | Callable[[], int | None] | None = None
    fetch: Callable[..., Sequence[str | CheckStep]] | None = None


@dataclass(frozen=True)
class Service:
    """A loop that workers keep running beside their jobs: a connection that waits, a port that listens.

    ``name`` is ``<plugin>.<what>``. ``run(stop)`` is called in a thread of its own inside an application context,
    outside transactions; it returns soon after ``stop`` is set (``stop.wait(seconds)`` sleeps), which happens when the
    worker ends or the plugin is switched off. One that returns or raises is begun again after a pause. With ``single``
    it runs in one worker of the desk at a time, else in each worker process.
    """

    name: str
    label: Any
    run: Callable[[threading.Event], None]
    single: bool = True


@dataclass(frozen=True)
class Field:
    """A custom field of tickets that the plugin needs. ``name`` is ``<plugin>_<what>`` and stays the field's key.

    Made when the plugin first starts; label, choices and order are the owner's afterwards.
    ``kind`` is text, number, date, choice or checkbox. Raises ValueError for another, and for a choice of nothing.
    """

    name: str
    label: Any
    kind: str = "text"
    choices: Sequence[str] = ()
    public: bool = False
    required: bool = False

    def __post_init__(self) -> None:
        known = ("text", "number", "date", "choice", "checkbox")
        if self.kind not in known:
            raise ValueError(f"The field {self.name} is of no kind that there is; use one of {', '.join(known)}.")
        if len(self.name) > 60:
            raise ValueError(f"The name of the field {self.name} is too long; 60 characters fit.")
        if isinstance(self.choices, str) or bool(self.choices) != (self.kind == "choice"):
            raise ValueError(f"The field {self.name}: a list of choices goes with the kind choice, and only with it.")


@dataclass(frozen=True)
class Column:
    """A column of a report. ``kind``: text, number, percent (0.25 is 25 %), duration (seconds), moment, date."""

    label: Any
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    """What a report answers. A row may be as long as the columns, or end with one address more: where it leads."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: Any = ""


@dataclass(frozen=True)
class Report:
    """A table over a span of time, shown on the page of reports and as CSV. ``name`` is ``<plugin>.<what>``.

    ``run(start, end, user)`` answers a :class:`Table` of what ``user`` may see, from ``start`` (aware) until
    before ``end``; it reads and never writes.
    """

    name: str
    title: Any
    run: Callable[..., Table]
    hint: Any = ""
    permission: str = "report.read"


@dataclass(frozen=True)
class Importer:
    """A source for ``helpdesk import``: ``read(file)`` yields items of an open binary file, ``take(item)`` stores one.

    ``take`` runs in a savepoint inside the core's transaction, answers a word for what it did ("created", "updated",
    "skipped") and raises ``Invalid`` with a sentence when an item cannot be taken: the next one goes on. The same
    item taken twice must not be stored twice. ``name`` is ``<plugin>`` or ``<plugin>-<what>``.
    """

    name: str
    label: Any
    read: Callable[[Any], Any]
    take: Callable[[Any], str]
    hint: Any = ""


@dataclass(frozen=True)
class Act:
    """What an act is called that the plugin records with ``audit``; ``name`` is the act's, ``<plugin>.<act>``.

    ``label`` is a lazy translated text such as “Mailbox changed”.
    """

    name: str
    label: Any


@dataclass(frozen=True)
class NavItem:
    """An entry in the desk's main navigation. ``endpoint`` is one of the plugin's own."""

    label: Any
    endpoint: str
    icon: str = "puzzle"
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True)
class Room:
    """A room of the administration: a card on its first page. ``endpoint`` is one of the plugin's own.

    ``about`` says in a few words what is done there. ``attention`` counts what waits for a person.
    """

    label: Any
    endpoint: str
    about: Any = ""
    icon: str = "puzzle"
    permission: str | None = None
    attention: int = 0
    order: int = 100


@dataclass(frozen=True)
class Panel:
    """A box: beside a ticket, on a person's or a team's page, on the dashboard, on the customers' start page.

    ``template`` is one of the plugin's; ``context`` goes to it. ``wide`` counts on the dashboard only.
    """

    title: Any
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    icon: str = "puzzle"
    permission: str | None = None
    order: int = 100
    wide: bool = False


@dataclass(frozen=True)
class MessageBlock:
    """A part below the text of one message on a ticket's page. ``template`` is one of the plugin's and knows
    ``message``, ``ticket`` and what stands in ``context``; "" for none.

    ``badge`` is a short word in the message's head, ``hint`` says more about it.
    """

    message_id: int
    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    badge: Any = ""
    hint: Any = ""
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True)
class Action:
    """Something to do with a ticket, in its menu. ``endpoint`` is the plugin's own and gets ``values``.

    With ``method`` "post" it is a button that changes something (the form carries the token), with "get" a link.
    A ``question`` is asked before it is done.
    """

    label: Any
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    method: str = "post"
    icon: str = "puzzle"
    permission: str | None = None
    question: Any = ""
    order: int = 100


@dataclass(frozen=True)
class Badge:
    """A short word on a ticket, in lists and on its page. ``tone``: grey, blue, green, amber, red, violet."""

    text: Any
    tone: str = "grey"
    hint: Any = ""


@dataclass(frozen=True)
class ComposerTool:
    """A button of the composer. Pressed, it shows the plugin's page ``endpoint`` below the text.

    In that page an element with ``data-insert="..."`` puts its text where the cursor is.
    """

    label: Any
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    icon: str = "puzzle"
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True)
class Suggestion:
    """An answer that an agent may start from: plain ``text``, and the ``reason`` for it. The best score comes first."""

    title: Any
    text: str
    reason: Any = ""
    score: float = 0.0


@dataclass(frozen=True)
class Command:
    """A click command, mounted at ``helpdesk <plugin> ...``."""

    command: Any
