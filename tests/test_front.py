"""The web server's process: whose request is worked on next, and which line is ended."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk import front


def line(address: str, *forwarded: str) -> Any:
    request = SimpleNamespace(headers={"X_FORWARDED_FOR": ", ".join(forwarded)} if forwarded else {})
    return SimpleNamespace(addr=(address, 1), requests=[request], sender="")


def test_one_address_after_the_other_and_half_of_the_threads_for_each() -> None:
    queue = front.FairQueue(0, 4)
    lines = [line("192.0.2.1") for _number in range(5)] + [line("192.0.2.2")]
    for one in lines:
        queue.append(one)
    taken = []
    while queue:
        taken.append(queue.popleft())
    assert taken == [lines[0], lines[5], lines[1]]
    queue.done("192.0.2.2")
    assert not queue
    queue.done("192.0.2.1")
    assert len(queue) == 1 and queue.popleft() is lines[2] and not queue


@pytest.mark.parametrize(
    ("hops", "found", "who"),
    [
        (0, line("192.0.2.1", "203.0.113.9"), "192.0.2.1"),
        (1, line("127.0.0.1", "203.0.113.9"), "203.0.113.9"),
        (1, line("127.0.0.1", "198.51.100.1", "203.0.113.9"), "203.0.113.9"),
        (2, line("127.0.0.1", "198.51.100.1", "203.0.113.9"), "198.51.100.1"),
        (2, line("127.0.0.1", "203.0.113.9"), "127.0.0.1"),
        (1, line("127.0.0.1", "unknown" * 100), "unknown" * 14 + "un"),
    ],
)
def test_a_sender_is_who_stands_before_the_trusted_proxies(hops: int, found: Any, who: str) -> None:
    assert front.sender(found, hops) == who


def test_a_network_of_ipv6_is_one_sender() -> None:
    one, same, other = (front.sender(line(a), 0) for a in ("2001:db8:1:2::1", "2001:db8:1:2:3::4", "2001:db8:1:3::1"))
    assert one == same != other


def test_ipv4_on_a_socket_for_both_kinds_is_told_apart() -> None:
    assert [front.sender(line(f"::ffff:192.0.2.{last}"), 0) for last in (1, 2)] == ["192.0.2.1", "192.0.2.2"]


def test_a_line_that_is_too_slow_is_ended_though_nothing_can_be_written_to_it() -> None:
    ended: list[Any] = []

    def made(will_close: bool, requests: list[Any], slow: bool = False) -> Any:
        found = SimpleNamespace(will_close=will_close, waits=not requests, requests=requests, last_activity=1000.0)
        found.is_too_slow = lambda moment: slow
        found.handle_close = lambda: ended.append(found)
        return found

    slow, told, working, good = made(False, [], slow=True), made(True, []), made(True, ["busy"]), made(False, [])
    one = front.Front.__new__(front.Front)
    one.adj, one.active_channels = SimpleNamespace(channel_timeout=30), dict(enumerate([slow, told, working, good]))
    one.maintenance(1000.0)
    assert ended == [slow, told]
    one.maintenance(1031.0)
    assert ended[2:] == [slow, told, good], "the last one had been idle"


def test_a_line_is_too_slow_by_what_it_has_moved() -> None:
    one = front.Line.__new__(front.Line)
    one.request, one.total_outbufs_len = None, 0
    one._doing, one._since, one._moved = None, 0.0, 0
    assert not one.is_too_slow(1000.0)
    one.request = object()
    assert not one.is_too_slow(1000.0) and not one.is_too_slow(1020.0)
    assert one.is_too_slow(1020.1)
    one._moved = 10_000
    assert not one.is_too_slow(1029.9) and one.is_too_slow(1030.1)
    # Another request on the same line begins anew, and an answer does too.
    one.request = object()
    assert not one.is_too_slow(1031.0)
    one.request, one.total_outbufs_len = None, 5
    assert not one.is_too_slow(1060.0) and one.is_too_slow(1080.1)


def test_who_has_most_lines_gives_one_away() -> None:
    ended: list[Any] = []

    def made(address: str, since: float, requests: list[Any] | None = None) -> Any:
        found = SimpleNamespace(addr=(address, 1), creation_time=since, requests=requests or [])
        found.waits = not found.requests
        found.handle_close = lambda: ended.append(found)
        return found

    lines = [made("192.0.2.1", 1.0), made("192.0.2.2", 3.0), made("192.0.2.2", 2.0), made("192.0.2.2", 1.0, ["busy"])]
    one = front.Front.__new__(front.Front)
    one.active_channels = dict(enumerate(lines))
    one._make_room()
    assert ended == [lines[2]]
    one.active_channels = {0: lines[3]}
    one._make_room()
    assert len(ended) == 1


def test_the_dispatcher_leaves_half_of_its_threads_to_others() -> None:
    """Two of four threads are held by one address; a third request of it waits, another address is answered."""
    dispatcher = front.ThreadedTaskDispatcher()
    dispatcher.queue = front.FairQueue(0, 4)
    dispatcher.set_thread_count(4)
    free, seen = threading.Event(), threading.Semaphore(0)
    served: list[str] = []

    def task(address: str, waits: bool) -> Any:
        found = line(address)

        def service() -> None:
            served.append(address)
            seen.release()
            if waits:
                free.wait(60)
            with dispatcher.lock:
                dispatcher.queue.done(found.sender)
                dispatcher.queue_cv.notify()

        found.service = service
        return found

    for one in [task("192.0.2.1", True), task("192.0.2.1", True), task("192.0.2.1", False), task("192.0.2.2", False)]:
        dispatcher.add_task(one)
    for _turn in range(3):
        assert seen.acquire(timeout=60)
    assert sorted(served) == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    free.set()
    assert seen.acquire(timeout=60)
    dispatcher.shutdown(timeout=60)
