"""No test reaches another machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_EVERYWHERE = "0.0.0.0"  # nosec B104 # compared with
_LOOPBACK = ("127.", "::1", "localhost", _EVERYWHERE, "::ffff:127.")


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
