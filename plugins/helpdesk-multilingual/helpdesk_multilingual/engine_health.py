"""How engines do: what failed several times in a row is left alone for a while, longer each time."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from helpdesk.api import db, now, transaction
from helpdesk_multilingual.models import EngineState

# So many failures in a row, and the first pause.
PATIENCE, PAUSE, LONGEST_PAUSE = 3, timedelta(seconds=30), timedelta(hours=1)
# That all is well is written down so often.
_FRESH = timedelta(minutes=10)


def states() -> dict[str, EngineState]:
    """The state of each engine that was asked. One query."""
    return {state.key: state for state in db.session.scalars(select(EngineState).order_by(EngineState.key))}


def rests(state: EngineState | None) -> bool:
    """Whether an engine is left alone now."""
    return state is not None and state.open_until is not None and state.open_until > now()


def failed(key: str, sentence: str) -> None:
    """Note a failure. Opens a transaction of its own."""
    with transaction():
        state = _of(key)
        state.failures += 1
        state.last_error, state.last_error_at = sentence[:500], now()
        if state.failures >= PATIENCE:
            pause = PAUSE * 2 ** min(state.failures - PATIENCE, 20)
            state.open_until = now() + min(pause, LONGEST_PAUSE)


def worked(key: str, state: EngineState | None, milliseconds: int) -> None:
    """Note that it has answered: after a failure, else every ten minutes. Opens a transaction of its own."""
    is_fresh = state is not None and state.last_ok_at is not None and state.last_ok_at > now() - _FRESH
    if state is not None and not state.failures and is_fresh:
        return
    with transaction():
        found = _of(key)
        found.failures, found.open_until = 0, None
        found.last_ok_at, found.milliseconds = now(), milliseconds


def _of(key: str) -> EngineState:
    state = db.session.get(EngineState, key, with_for_update=True)
    if state is not None:
        return state
    try:
        with db.session.begin_nested():
            state = EngineState(key=key, failures=0)
            db.session.add(state)
    except IntegrityError:
        # Another process was first.
        return db.session.get_one(EngineState, key, with_for_update=True)
    return state
