"""What plugins contribute: frozen data, checked and rendered by the core, never HTML."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Reject(Exception):
    """Raised (or returned) by a ``before_*`` hook to stop the action; ``reason`` is shown to the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryFailed(Exception):
    """Raised by a channel that could not send. ``sentence`` says what went wrong and what to do."""

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.permanent = permanent


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
    """A permission of the plugin's own, ``<plugin>.<verb>``, and the roles that have it from the start."""

    name: str
    label: Any
    roles: Sequence[str] = ("supervisor", "admin")


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
    tries the connection step by step with the saved settings, and sends a test to ``address``.
    """

    name: str
    label: Any
    parse: Callable[[bytes], Any] | None = None
    send: Callable[[Any], None] | None = None
    new_identity: Callable[[], str] | None = None
    describe: Callable[[bytes], dict[str, Any]] | None = None
    check: Callable[[str], Sequence[CheckStep]] | None = None


@dataclass(frozen=True)
class Job:
    """Work that a worker does: ``run(**args)`` with JSON arguments, in an app context. It may run twice."""

    name: str
    run: Callable[..., Any]
    max_attempts: int = 8


@dataclass(frozen=True)
class NavItem:
    """An entry in the desk's main navigation. ``endpoint`` is one of the plugin's own."""

    label: Any
    endpoint: str
    icon: str = "puzzle"
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True)
class Panel:
    """A box beside a ticket. ``template`` is one of the plugin's; ``context`` goes to it."""

    title: Any
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    icon: str = "puzzle"
    permission: str | None = None
    order: int = 100


@dataclass(frozen=True)
class Command:
    """A click command, mounted at ``helpdesk <plugin> ...``."""

    command: Any
