"""No test reaches another machine, and no two get the same port of this one."""

from __future__ import annotations

import atexit
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_EVERYWHERE = "0.0.0.0"  # nosec B104 # compared with
_LOOPBACK = ("127.", "::1", "localhost", _EVERYWHERE, "::ffff:127.")


def free_port() -> int:
    """A port of loopback at which nobody listens, and that nobody else is given while this process runs.

    It is held by a socket that does not listen: the kernel gives the port to none that asks for any, and a server
    that asks for this one (with SO_REUSEADDR, as servers do) gets it, now and when it is started again.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    atexit.register(held.close)
    return int(held.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def _this_machine_only() -> Iterator[None]:
    """Refuse every connection that would leave this machine, so that no test depends on one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
            self.close()
            raise RuntimeError(f"A test tried to reach {address[0]}; tests use this machine only.")
        return original(self, address)

    return connect
