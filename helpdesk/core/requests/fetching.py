"""One request, to the place that was checked and to no other."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urljoin

from flask_babel import gettext as _

from helpdesk.core import settings
from helpdesk.core.extensions import db
from helpdesk.core.requests import addresses, targets
from helpdesk.core.requests.addresses import Address
from helpdesk.core.requests.errors import FetchFailed, FetchLate, FetchRefused, FetchUnreached
from helpdesk.core.requests.targets import Target
from helpdesk.core.transaction import in_transaction

log = logging.getLogger(__name__)

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Other services listen elsewhere, and some of them obey lines of text.
_PORTS = (443, 8443)
_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
# These the desk writes itself.
_OURS = (
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "upgrade",
    "te",
    "cookie",
    "user-agent",
)


@dataclass(frozen=True)
class Answer:
    """What a server said: ``headers`` by their names in small letters, ``url`` where it was at last."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def fetch(
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = 20.0,
    largest: int = 1_000_000,
) -> Answer:
    """Ask a web server, with ``seconds`` for all of it and an answer of ``largest`` bytes at most.

    The name is looked up once, every address behind it is checked, and one of them is connected to. Outside only
    https is spoken; a server of the owner's own network is asked where the setting ``RequestSettings`` lists it. A GET
    follows redirects, each checked anew, without ``headers`` (but Accept) once it leads to another server; with other
    methods a redirect is an answer. Proxies of the environment are not used, cookies not kept.

    Call it outside transactions: nothing of the database is held meanwhile. Raises FetchRefused, FetchUnreached,
    FetchLate or FetchFailed, each with a sentence, and ValueError for a method or header that cannot be sent.
    """
    if in_transaction():
        raise RuntimeError("fetch() is called outside transactions: others would wait for the network.")
    sent = dict(headers or {})
    if method not in _METHODS or any(name.lower() in _OURS for name in sent):
        raise ValueError("This method or header is not the caller's to choose.")
    own = _own_servers()
    until = time.monotonic() + seconds
    target = targets.read(url)
    for _turn in range(_REDIRECTS + 1):
        place = _checked(target, own, until, seconds)
        answer = _asked(target, place, method, body, sent, until, seconds, largest)
        location = answer.headers.get("location")
        if method != "GET" or answer.status not in _MOVED or location is None:
            return answer
        next_target = targets.read(urljoin(answer.url, location))
        if next_target.origin != target.origin:
            # Who leads elsewhere leads out, never in, and does not hand on what was meant for the first one.
            own = frozenset()
            sent = {name: value for name, value in sent.items() if name.lower() == "accept"}
        target = next_target
    raise FetchFailed(_("%(host)s leads from one address to the next without end.", host=target.host))


def _own_servers() -> frozenset[tuple[str, int]]:
    was_open = db.session().in_transaction()
    found = settings.get(settings.RequestSettings).servers
    if not was_open:
        db.session.rollback()
    return found


def _checked(target: Target, own: frozenset[tuple[str, int]], until: float, seconds: float) -> Sequence[Address]:
    """The addresses of a target, all of them ones that may be spoken to."""
    is_own = (target.host, target.port) in own
    if not is_own and target.port not in _PORTS and target.scheme == "https":
        raise FetchRefused(
            _("Port %(port)s of %(host)s is not asked; web servers have 443.", port=target.port, host=target.host)
        )
    found = [target.literal] if target.literal else _resolved(target, until, seconds)
    allowed = addresses.may_be_allowed if is_own else addresses.is_public
    if not all(allowed(address) for address in found):
        raise FetchRefused(_inside(target, is_own))
    if target.scheme != "https" and not is_own:
        raise FetchRefused(_("Outside your own network the address must begin with https://."))
    return list(dict.fromkeys(found))


def _inside(target: Target, is_own: bool) -> str:
    if is_own:
        return _("%(host)s is at an address that is never asked.", host=target.host)
    return _(
        "%(host)s is in your own network; those are asked only if they stand in the settings under "
        "“Servers in your own network”, as %(host)s:%(port)s.",
        host=f"[{target.host}]" if ":" in target.host else target.host,
        port=target.port,
    )


def _resolved(target: Target, until: float, seconds: float) -> list[Address]:
    found: list[Address] = []
    wrong: list[BaseException] = []

    def look_up() -> None:
        try:
            for place in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
                found.append(ip_address(str(place[4][0]).partition("%")[0]))
        except (OSError, ValueError) as error:
            wrong.append(error)

    # The system's look-up has no limit of its own.
    thread = threading.Thread(target=look_up, name="look-up", daemon=True)
    thread.start()
    thread.join(max(0.0, until - time.monotonic()))
    if thread.is_alive():
        raise _late(target, seconds)
    if wrong or not found:
        reason = getattr(wrong[0], "strerror", None) if wrong else None
        raise FetchUnreached(
            _("%(host)s was not found (%(reason)s).", host=target.host, reason=reason or _("no such name"))
        )
    return found


def _asked(
    target: Target,
    place: Sequence[Address],
    method: str,
    body: bytes,
    headers: Mapping[str, str],
    until: float,
    seconds: float,
    largest: int,
) -> Answer:
    line = _connected(target, place, until, seconds)
    late = threading.Event()

    def end() -> None:
        late.set()
        # The reader is woken up; by the socket below, as TLS would take leave first.
        with suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    clock = threading.Timer(max(0.0, until - time.monotonic()), end)
    clock.daemon = True
    connection = (HTTPConnection if target.scheme == "http" else HTTPSConnection)(target.host, target.port)
    # It would look the name up again, and connect to what is behind it by then.
    connection.auto_open = 0
    begun = time.monotonic()
    try:
        clock.start()
        if target.scheme == "https":
            # In two steps: whoever is slow with the first is cut off as well.
            line = secure = _encrypted(line, target.host)
            secure.do_handshake()
        connection.sock = line
        connection.request(
            method, target.path, body or None, {"User-Agent": "helpdesk", "Accept-Encoding": "identity", **headers}
        )
        answer = connection.getresponse()
        said = answer.read(largest + 1)
        cut = bool(answer.length) and len(said) <= largest and method != "HEAD"
    except (OSError, HTTPException) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise _late(target, seconds) from error
        if isinstance(error, ssl.SSLError):
            raise FetchUnreached(_unreached(target, error)) from error
        raise FetchFailed(_("%(host)s did not answer: %(reason)s.", host=target.host, reason=_reason(error))) from error
    finally:
        clock.cancel()
        clock.join()
        connection.close()
        line.close()
    if late.is_set():
        # What was read may be the beginning alone.
        raise _late(target, seconds)
    if len(said) > largest:
        raise FetchFailed(_("The answer of %(host)s is too large.", host=target.host))
    if cut:
        raise FetchFailed(_("%(host)s broke off in the middle of its answer.", host=target.host))
    log.debug("%s %s: %s in %.0f ms", method, target.host, answer.status, (time.monotonic() - begun) * 1000)
    return Answer(answer.status, _headers(answer), said, _written(target))


def _headers(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


def _written(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{target.scheme}://{host}:{target.port}{target.path}"


def _connected(target: Target, place: Sequence[Address], until: float, seconds: float) -> socket.socket:
    failed: OSError = OSError()
    for address in place:
        left = until - time.monotonic()
        if left <= 0:
            raise _late(target, seconds)
        try:
            return socket.create_connection((str(address), target.port), left)
        except OSError as error:
            failed = error
    raise FetchUnreached(_unreached(target, failed)) from failed


def _encrypted(line: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)


def _unreached(target: Target, error: OSError) -> str:
    return _("%(host)s could not be reached: %(reason)s.", host=target.host, reason=_reason(error))


def _reason(error: BaseException) -> str:
    """In the system's words, which may hold those of the server: one short line of them."""
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return "".join(mark if mark.isprintable() else " " for mark in str(words))[:200] or type(error).__name__


def _late(target: Target, seconds: float) -> FetchLate:
    return FetchLate(_("%(host)s did not answer within %(seconds)s seconds.", host=target.host, seconds=f"{seconds:g}"))
