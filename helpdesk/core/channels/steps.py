"""How an item goes its way: it yields what is to be written, and thinks outside of transactions in between.

So one item can be written by itself, and many together: a commit costs more than what it writes. What many ask for is
asked once (core/abreast.py).
"""

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from helpdesk.core import abreast
from helpdesk.core.abreast import Ask, Way
from helpdesk.core.channels.items import Outcome, read_anew
from helpdesk.core.extensions import db
from helpdesk.core.transaction import Busy, transaction


@dataclass(frozen=True)
class Write:
    """What is written for an item inside a transaction that has locked it; answered with what ``call`` returns.

    ``call`` is a plain function or makes a :data:`Way`. ``about`` names what it asks about and changes beside the item
    (a sender): of two that name the same, the later begins when the earlier has ended.
    """

    call: Callable[[], Any]
    about: Collection[Any] = ()


Steps = Generator[Write | Ask, Any, Outcome]


def alone(intake_id: int, steps: Steps) -> Outcome:
    """Go one item's way, each writing a transaction of its own. Raises what the item does not handle."""
    advance: Callable[[], Write | Ask] = partial(next, steps)
    while True:
        try:
            step = advance()
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        try:
            answer = step.answer() if isinstance(step, Ask) else _written({intake_id: step})[intake_id]
        except Exception as error:  # noqa: BLE001 - the item decides
            advance = partial(steps.throw, error)
        else:
            advance = partial(steps.send, answer)


def together(ways: Mapping[int, Steps]) -> dict[int, Outcome]:
    """Go many items' ways abreast: one transaction for the first writing of all, one for the second ...

    What cannot be written together is left out of the answer: nothing of it has been written. It can go alone.
    """
    ended: dict[int, Outcome] = {}
    answers: dict[int, Any] = dict.fromkeys(ways)
    writes: dict[int, Write] = {}
    while answers:
        # Held here, so that nobody on the way reads one of them by itself.
        _items = read_anew(answers)
        while answers:
            answers = _asked(_advanced(ways, answers, ended, writes))
        try:
            answers = _written(writes)
        except Exception:  # noqa: BLE001 - whose fault it is shows when each goes alone
            break
        writes.clear()
    for steps in ways.values():
        steps.close()
    return ended


def _advanced(
    ways: Mapping[int, Steps], answers: Mapping[int, Any], ended: dict[int, Outcome], writes: dict[int, Write]
) -> dict[int, Ask]:
    """Let each go on to its next step: what it asks is answered here, the rest is noted where it belongs."""
    asks: dict[int, Ask] = {}
    for key, answer in answers.items():
        try:
            step = ways[key].send(answer)
        except StopIteration as end:
            ended[key] = end.value
        except (Busy, OperationalError):
            db.session.rollback()
        else:
            if isinstance(step, Ask):
                asks[key] = step
            else:
                writes[key] = step
    return asks


def _asked(asks: Mapping[int, Ask]) -> dict[int, Any]:
    try:
        return abreast.answered(asks)
    except Exception:  # noqa: BLE001 - each of them asks again when it goes alone
        db.session.rollback()
        return {}


def _written(writes: Mapping[int, Write]) -> dict[int, Any]:
    """Write it all in one transaction, or raise and write nothing."""
    answers: dict[int, Any] = {}
    if not writes:
        return answers
    with transaction():
        _items = read_anew(writes, lock=True)
        for wave in _waves(writes):
            answers |= abreast.together({key: _way(write) for key, write in wave.items()})
    return answers


def _way(write: Write) -> Way[Any]:
    answer = write.call()
    return (yield from answer) if isinstance(answer, Generator) else answer


def _waves(writes: Mapping[int, Write]) -> list[dict[int, Write]]:
    """In their order, those that have nothing to do with one another side by side."""
    waves: list[dict[int, Write]] = []
    last: dict[Any, int] = {}
    for key, write in writes.items():
        turn = max((last[name] + 1 for name in write.about if name in last), default=0)
        if turn == len(waves):
            waves.append({})
        waves[turn][key] = write
        last.update(dict.fromkeys(write.about, turn))
    return waves
