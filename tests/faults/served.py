"""Desks that answer over HTTP: `helpdesk serve`, or `helpdesk web` alone."""

import http.client
import subprocess

from helpdesk.testing.served import free_port, wait_for
from tests.faults.desk import PATIENCE, Desk
from tests.faults.visitors import PASSWORD

ADMIN = "admin@desk.example"


class Served:
    """A running `helpdesk serve` (or another command that listens), and the way to start it again."""

    def __init__(self, desk: Desk, command: str = "serve") -> None:
        self.desk, self.command, self.port = desk, command, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until a page is answered."""
        self.process = self.desk.start(self.command, "--port", str(self.port), HELPDESK_TRUSTED_PROXIES="1")
        wait_for(self._answers, PATIENCE)

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.desk.said()[-3000:]
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            line.request("GET", "/auth/sign-in", headers={"Connection": "close"})
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()


def add_admin(desk: Desk) -> None:
    """The administrator without whom no customer is let in."""
    words = ("user", "add", ADMIN, "--role", "admin", "--password-stdin")
    desk.run(*words, feed=f"{PASSWORD}\n".encode())
