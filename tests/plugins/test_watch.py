"""A call that takes long is named at each limit, once, with the line at which it is."""

import threading
from types import SimpleNamespace

import pytest

from helpdesk.plugins import watch
from helpdesk.plugins.watch import HUNG, SLOW, STUCK, Watch


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found = [100.0]
    # In this module alone: other threads go by the real one.
    monkeypatch.setattr(watch, "time", SimpleNamespace(perf_counter=lambda: found[0]))
    return found


def test_each_limit_is_told_once(moment: list[float]) -> None:
    seen = Watch()
    outer = seen.begin("probe", "nav_items")
    limits = []
    for seconds in (1, 2, 3, 9, 11, 12, 29, 31, 40):
        moment[0] = 100.0 + seconds
        limits.append([alarm.limit for alarm in seen.look()])
    assert limits == [[], [SLOW], [], [], [HUNG], [], [], [STUCK], []]
    seen.end(outer)
    assert seen.look() == [] and seen.running == {}


def test_several_limits_at_once_are_told_in_order(moment: list[float]) -> None:
    seen = Watch()
    seen.begin("probe", "nav_items")
    moment[0] += 60
    alarms = seen.look()
    assert [alarm.limit for alarm in alarms] == [SLOW, HUNG, STUCK]
    assert str(alarms[0]).startswith("Plugin probe has been in nav_items for 60 s (watch.py, line ")


def test_the_call_that_another_was_made_from_is_remembered(moment: list[float]) -> None:
    seen = Watch()
    outer = seen.begin("probe", "nav_items")
    moment[0] += 3
    assert [alarm.hook for alarm in seen.look()] == ["nav_items"]
    inner = seen.begin("guard", "veto")
    moment[0] += 3
    assert [alarm.hook for alarm in seen.look()] == ["veto"]
    seen.end(inner)
    assert seen.look() == [], "the outer one was named before"
    moment[0] += 10
    assert [(alarm.hook, alarm.limit) for alarm in seen.look()] == [("nav_items", HUNG)]
    seen.end(outer)


def test_it_says_where_another_thread_is(moment: list[float]) -> None:
    seen = Watch()
    began, done = threading.Event(), threading.Event()

    def hook_that_waits() -> None:
        seen.begin("probe", "nav_items")
        began.set()
        done.wait()

    thread = threading.Thread(target=hook_that_waits, daemon=True)
    thread.start()
    try:
        assert began.wait(60)
        moment[0] += 2.5
        (alarm,) = seen.look()
    finally:
        done.set()
        thread.join()
    assert "threading.py" in alarm.where or "hook_that_waits" in alarm.where
