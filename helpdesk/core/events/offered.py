"""Hooks that plugins offer to one another: ask for an answer, collect what others put in, publish a fact."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from helpdesk.core.events.record import record
from helpdesk.core.models import Event
from helpdesk.plugins import manager
from helpdesk.plugins.manager import Contribution

_LONGEST = 80


class UnknownHook(LookupError):
    """No plugin that is installed offers such a hook, or it is of another kind; the text says what to change."""


def ask(hook: str, **arguments: Any) -> Any:
    """The first answer that is not None to a hook of the kind answer that a plugin offers.

    Each plugin that implements it is asked by itself: one that raises is logged, and the next is asked. None when
    nobody has an answer, or when the plugin that offers the hook is off.

    Raises :class:`UnknownHook`, and TypeError for arguments that the hook does not have.
    """
    if not _offered(hook, "answer", "ask", arguments):
        return None
    return manager.current().answer(hook, **arguments)


def collect(hook: str, **arguments: Any) -> list[Any]:
    """What all plugins put into a hook of the kind slot that a plugin offers, in one list.

    One that raises is logged and puts in nothing. Empty when the plugin that offers the hook is off.

    Raises :class:`UnknownHook`, and TypeError for arguments that the hook does not have.
    """
    if not _offered(hook, "slot", "collect", arguments):
        return []
    return [found.item for found in manager.current().slot(hook, **arguments) if found.item is not None]


def publish(fact: str, **arguments: Any) -> Event | None:
    """Record a fact that a plugin offers, inside the open transaction, as an event with these arguments (JSON).

    After the commit a worker tells each plugin that implements it, once; one that raises is told again, as with the
    desk's own facts. None, and nothing recorded, when the plugin that offers the hook is off.

    Raises :class:`UnknownHook`, TypeError for arguments that the hook does not have, ValueError for those that are
    not JSON, and RuntimeError outside a transaction.
    """
    if not _offered(fact, "fact", "publish", arguments):
        return None
    try:
        json.dumps(arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The arguments of {fact} must be JSON: {error}") from error
    if len(fact) > _LONGEST:
        raise ValueError(f"The name of the fact {fact} is too long; {_LONGEST} characters fit.")
    return record(fact, None, None, arguments)


def _offered(hook: str, kind: str, verb: str, arguments: dict[str, Any]) -> bool:
    """Check the call; whether the plugin that offers the hook is on."""
    found = next((one for one in _contributed() if one.item.__name__ == hook), None)
    if found is None:
        raise UnknownHook(f"No plugin offers the hook “{hook}”; correct its name, or install the plugin that does.")
    spec = manager.current().specs[hook]
    if spec.kind != kind:
        right = {"answer": "ask", "slot": "collect", "fact": "publish"}[spec.kind]
        raise UnknownHook(f"The hook “{hook}” is of the kind {spec.kind}; call it with {right}, not {verb}.")
    if set(spec.arguments) != set(arguments):
        raise TypeError(f"The hook “{hook}” takes {_words(spec.arguments)}; it was called with {_words(arguments)}.")
    return manager.current().is_on(found.plugin)


def _contributed() -> Iterator[Contribution]:
    return manager.current().contributions("register_hookspecs", include_off=True)


def _words(names: Iterable[str]) -> str:
    return ", ".join(names) or "no arguments"
