"""The web server's process: gunicorn starts, renews and ends it; waitress takes requests in and gives answers out.

A thread works on a request only once all of it is there, and is free again once the answer is made, however slow the
visitor's line: all connections are held by one loop. (gunicorn's own workers give a thread to each line, so that eight
visitors who send a letter a minute keep everybody else out.)
"""

import logging
import os
import resource
import time
from collections import Counter, OrderedDict, deque
from ipaddress import IPv6Address, ip_address
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

# How long nothing may come from a line between two requests, and how slow a request or an answer may be on the whole.
_IDLE_SECONDS = 30
_PATIENCE_SECONDS = 20.0
_BYTES_A_SECOND = 1000
_LARGEST_HEAD = 32 * 1024
# So many requests of a line are taken before their answers were fetched: each answer may hold a file.
_MOST_AHEAD = 2
# A line may need so many files: itself, what came in, what goes out.
_MOST_LINES, _MOST_FILES, _OTHER_FILES, _FILES_EACH = 500, 4096, 250, 2 + _MOST_AHEAD
# What is larger waits in a file: with all lines in use, memory holds little of each.
_IN_MEMORY = 128 * 1024
# With so many lines the loop pauses a little, so that their single bytes come in together.
_MANY_LINES, _PAUSE_SECONDS = 100, 0.01
_LINGER_SECONDS = 1.0


class FairQueue:
    """Requests in the order in which they came, but one address after the other, and each has half of the threads only.

    A flood, or a guesser whose every try costs a hash, holds up its sender. Used under the dispatcher's lock.
    """

    def __init__(self, hops: int, threads: int) -> None:
        self._hops, self._each = hops, max(1, threads // 2)
        self._waiting: OrderedDict[str, deque[HTTPChannel]] = OrderedDict()
        self._working: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many addresses have a request whose turn may be now."""
        return sum(self._working[address] < self._each for address in self._waiting)

    def append(self, line: "Line") -> None:
        line.sender = sender(line, self._hops)
        self._waiting.setdefault(line.sender, deque()).append(line)

    def popleft(self) -> "Line":
        address = next(address for address in self._waiting if self._working[address] < self._each)
        lines = self._waiting[address]
        line = lines.popleft()
        self._working[address] += 1
        if lines:
            self._waiting.move_to_end(address)
        else:
            del self._waiting[address]
        return line

    def done(self, address: str) -> None:
        """A thread has finished with a request, and looks for the next one."""
        self._working[address] -= 1
        if not self._working[address]:
            del self._working[address]


def sender(line: HTTPChannel, hops: int) -> str:
    """The address that a request came from, behind as many proxies as are trusted. An IPv6 network counts as one."""
    found = str(line.addr[0])
    if hops and line.requests:
        named = line.requests[0].headers.get("X_FORWARDED_FOR", "").split(",")
        found = named[-hops].strip() if len(named) >= hops else found
    try:
        address = ip_address(found)
    except ValueError:
        return found[:100]
    if isinstance(address, IPv6Address):
        # A socket for both kinds tells of IPv4 like that. Whoever has one address of IPv6 has the whole /64.
        return str(address.ipv4_mapped or int(address) >> 64)
    return str(address)


class Request(HTTPRequestParser):
    """A request that comes in. One that names its end in two ways is refused, and its line ended (RFC 9112, 6.1)."""

    def parse_header(self, header_plus: bytes) -> None:
        """As the base does, which would believe the chunks and answer what may stand hidden behind them."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("It has a Content-Length and a Transfer-Encoding.")


class Line(HTTPChannel):
    """One connection, and how fast it is."""

    parser_class = Request
    sender = ""

    def __init__(self, *words: Any, **named: Any) -> None:
        self._doing: object = None
        self._since = time.monotonic()
        self._moved = 0
        super().__init__(*words, **named)

    def recv(self, size: int) -> bytes:
        """As the base does; counted."""
        data: bytes = super().recv(size)
        self._moved += len(data)
        return data

    def send(self, data: bytes, do_close: bool = True) -> int:
        """As the base does; counted."""
        sent: int = super().send(data, do_close)
        self._moved += sent
        return sent

    def received(self, data: bytes) -> bool:
        """As the base does. Of a line that asks on before it has fetched its answers the first requests are answered.

        The last of them says that the line ends with it (RFC 9112, 9.6): what came behind has to be sent again.
        """
        taken: bool = super().received(data)
        with self.requests_lock:
            if len(self.requests) > _MOST_AHEAD:
                for request in self.requests[_MOST_AHEAD:]:
                    request.close()
                del self.requests[_MOST_AHEAD:]
                self.requests[-1].headers["CONNECTION"] = "close"
        return taken

    def service(self) -> None:
        """As the base does, in a thread."""
        dispatcher, address = self.server.task_dispatcher, self.sender
        try:
            super().service()
        finally:
            with dispatcher.lock:
                dispatcher.queue.done(address)
                dispatcher.queue_cv.notify()

    def is_too_slow(self, moment: float) -> bool:
        """Whether the request that comes, or the answer that goes, takes too long for its size. Asked every second."""
        doing = self.request or (self.total_outbufs_len > 0)
        if doing is not self._doing:
            self._doing, self._since, self._moved = doing, moment, 0
        return bool(doing) and moment - self._since > _PATIENCE_SECONDS + self._moved / _BYTES_A_SECOND

    @property
    def is_busy(self) -> bool:
        """Whether something is worked on, comes in or goes out."""
        return bool(self.requests or self.request or self.total_outbufs_len)

    @property
    def waits(self) -> bool:
        """Whether nothing of it is being worked on: it can be ended without harm to anything here."""
        return not self.requests


class Front(TcpWSGIServer):
    """The loop's side of one address that is listened on."""

    channel_class = Line

    def maintenance(self, now: float) -> None:
        """End the lines that are idle or too slow, also those that take nothing. Called every second."""
        super().maintenance(now)
        moment = time.monotonic()
        for line in list(self.active_channels.values()):
            if line.is_too_slow(moment):
                line.will_close = True
            # The base waits until something can be written, which a visitor who reads nothing never lets happen.
            if line.will_close and line.waits:
                line.handle_close()

    def readable(self) -> bool:
        """Always listens; where there are too many lines one goes for the next."""
        if self.accepting and len(self._map) >= self.adj.connection_limit:
            self._make_room()
        return bool(super().readable())

    def _make_room(self) -> None:
        """End the line that has waited longest, of the address that has most."""
        waiting = [line for line in self.active_channels.values() if line.waits]
        if not waiting:
            return
        counts: dict[str, int] = {}
        for line in waiting:
            counts[line.addr[0]] = counts.get(line.addr[0], 0) + 1
        most = max(counts, key=counts.__getitem__)
        min((line for line in waiting if line.addr[0] == most), key=lambda line: line.creation_time).handle_close()


class FrontWorker(Worker):
    """What gunicorn runs in each process (``--worker-class``)."""

    _fronts: list[Front] = []

    def init_process(self) -> None:
        """After the fork: the kinds of message that would be written for each visitor who leaves are switched off."""
        for name in ("waitress", "waitress.queue"):
            logging.getLogger(name).setLevel(logging.ERROR)
        super().init_process()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """TERM: take no more, finish what there is."""
        super().handle_exit(sig, frame)
        for front in self._fronts:
            front.pull_trigger()

    def run(self) -> None:
        """Serve until gunicorn says so or is gone, then drain."""
        application = self.wsgi
        config = application.config["HELPDESK"]
        lines: dict[int, Any] = {}
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.queue = FairQueue(config.trusted_proxies, self.cfg.threads)
        dispatcher.set_thread_count(self.cfg.threads)
        adjustments = _adjustments(application.config["MAX_CONTENT_LENGTH"])
        self._fronts = [self._front(one.sock, application, lines, dispatcher, adjustments) for one in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self._turn(lines)
        for front in self._fronts:
            front.accepting = False
        self._drain(lines)
        dispatcher.shutdown(cancel_pending=False, timeout=1)

    def _front(self, sock: Any, application: Any, lines: dict[int, Any], dispatcher: Any, adjustments: Any) -> Front:
        info = (sock.family, sock.type, sock.proto, sock.getsockname())
        return Front(
            application, lines, _sock=sock, dispatcher=dispatcher, adj=adjustments, sockinfo=info, bind_socket=False
        )

    def _turn(self, lines: dict[int, Any]) -> None:
        self.notify()
        wasyncore.loop(timeout=1, use_poll=True, map=lines, count=1)
        if len(lines) > _MANY_LINES:
            time.sleep(_PAUSE_SECONDS)

    def _drain(self, lines: dict[int, Any]) -> None:
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < self.cfg.graceful_timeout:
            held = [line for front in self._fronts for line in list(front.active_channels.values())]
            # A request may be on its way to a line that looks idle.
            if passed > _LINGER_SECONDS:
                for line in held:
                    line.will_close = line.will_close or not line.is_busy
            if not held:
                return
            self._turn(lines)


def _adjustments(largest: int) -> Adjustments:
    return Adjustments(
        sockets=[],
        ident=None,
        connection_limit=_connections(),
        cleanup_interval=1,
        channel_timeout=_IDLE_SECONDS,
        max_request_header_size=_LARGEST_HEAD,
        max_request_body_size=largest,
        inbuf_overflow=_IN_MEMORY,
        outbuf_overflow=_IN_MEMORY,
        # An answer that nobody fetches waits in a file and not in a thread.
        outbuf_high_watermark=1 << 30,
        # The application knows how many proxies are trusted.
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
    )


def _connections() -> int:
    """How many lines there may be: as many as the files that this process may have open allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(50, min(_MOST_LINES, (wanted - _OTHER_FILES) // _FILES_EACH))
