"""Mail servers on this machine that answer as a test says, and what OpenSSL makes for them."""

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from helpdesk_email.smtp import Server

from helpdesk.testing import network


class Answers:
    """A server that takes mail unless it is told otherwise: ``mail``, ``rcpt`` and ``data`` are its answers."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.envelopes: list[Any] = []
        # The names of the recipients that it was asked for, taken or not.
        self.asked: list[str] = []

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802
        self.asked.append(address)
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers.get("data") == "gone":
            server.transport.abort()
        else:
            self.envelopes.append(envelope)
        return self.answers.get("data", "250 OK")


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, Answers]]]:
    """Start a server: ``serve(rcpt="550 nobody")``. With ``data="gone"`` it goes when it has the text."""
    running: list[Controller] = []

    def start(options: dict[str, Any] | None = None, server: dict[str, Any] | None = None, **answers: str) -> Any:
        handler = Answers(**answers)
        # Its own name: asked for, the machine may take long to say it.
        known = {"ready_timeout": 120.0, "server_hostname": "localhost"}
        controller = Controller(handler, hostname="127.0.0.1", port=network.free_port(), **known, **(options or {}))
        running.append(controller)
        controller.start()
        return Server("127.0.0.1", controller.port, **{"security": "none", "timeout": 30.0, **(server or {})}), handler

    yield start
    for controller in running:
        controller.stop(no_assert=True)


@pytest.fixture
def free_port() -> int:
    """A port at which nobody listens."""
    return network.free_port()


@pytest.fixture(scope="session")
def openssl() -> str:
    """Where the program is that makes keys and certificates."""
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("needs OpenSSL: apt-get install openssl")
    return found


@pytest.fixture(scope="session")
def certificate(openssl: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``localhost`` and for no address, signed by itself; its key lies beside it as key.pem."""
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([openssl, *words.split(), *names], check=True, cwd=folder, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """What a server with that certificate speaks."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context
