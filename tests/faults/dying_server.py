"""An SMTP server of aiosmtpd that dies where a script says, or has the worker that talks to it killed."""

import asyncio
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

STAGES = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "text", "250")
# At these the server has the whole mail, and the sender cannot know.
UNSURE = ("text", "250")
# How long it is away when it has died.
_AWAY = 0.1


@dataclass(frozen=True)
class Accident:
    """What happens in one conversation: at ``stage`` the server dies or, with ``kills``, the worker.

    ``taken``: at the stage "text" the mail is kept before that.
    """

    stage: str
    kills: bool = False
    taken: bool = True


class Line(SMTP):
    """One conversation."""

    def __init__(self, server: "DyingServer") -> None:
        super().__init__(server, loop=server.loop, hostname="mail.customer.example")
        self.dying = server
        self.accident: Accident | None = None
        self.has_turn = False

    def connection_made(self, transport: Any) -> None:
        self.dying.transports.add(transport)
        super().connection_made(transport)
        if self.dying.is_away:
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.dying.transports.discard(self.transport)
        super().connection_lost(error)
        if self.has_turn:
            self.dying.turn.release()

    def eof_received(self) -> bool:
        super().eof_received()
        return False  # let go: aiosmtpd leaves it half open

    async def _handle_client(self) -> None:
        await self.dying.begin(self)
        await super()._handle_client()

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.accident is not None and self.accident.stage == "DATA":
            await self.push("354 go on")
            await self.dying.strike(self, "DATA")
            return
        await super().smtp_DATA(argument)


class DyingServer:
    """What it has taken stands in ``taken``: each Message-ID with its recipients, as often as it came.

    ``kill`` ends the worker; those in ``answered`` were told that their mail was taken, with nothing in between. A mail
    whose sender was left unsure once has no second accident of that kind: another has it.
    """

    def __init__(self, script: Iterable[Accident | None], kill: Callable[[], Any]) -> None:
        self.kill, self.script = kill, deque(script)
        # A free one, once it listens.
        self.port = 0
        self.taken: list[tuple[str, str]] = []
        self.answered: set[str] = set()
        self.happened: Counter[Accident] = Counter()
        self.transports: set[Any] = set()
        self.loop = asyncio.new_event_loop()
        self.is_away = False
        self._unsure: set[str] = set()
        self.turn = asyncio.Lock()
        self._calm = asyncio.Event()
        self._listening: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "DyingServer":
        self._calm.set()
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(60)
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(60)
        self.loop.close()

    async def begin(self, line: Line) -> None:
        """Before the greeting. One conversation at a time, and none while a worker is being killed.

        An accident is that of one mail then: nobody else has sent one and does not know what became of it.
        """
        await self.turn.acquire()
        line.has_turn = True
        await self._calm.wait()
        if line.transport is None or line.transport.is_closing():
            return
        line.accident = self.script.popleft() if self.script else None
        await self.strike(line, "connect")

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's names
        self, server: Line, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await self.strike(server, "EHLO")
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: Line, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        await self.strike(server, "MAIL")
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Line, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        await self.strike(server, "RCPT")
        return "250 OK"

    async def handle_DATA(self, server: Line, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The text is here."""
        identity = message_from_bytes(bytes(envelope.content or b""))["Message-ID"].strip("<>")
        accident = server.accident
        if accident is not None and accident.stage in UNSURE:
            if identity in self._unsure:
                self.script.append(accident)
                server.accident = accident = None
            self._unsure.add(identity)
        if accident is None or accident.taken:
            self.taken.append((identity, envelope.rcpt_tos[0]))
        if accident is None:
            self.answered.add(identity)
        await self.strike(server, "text")
        if accident is not None and accident.stage == "250":
            await server.push("250 OK")
            await self.strike(server, "250")
        return "250 OK"

    async def strike(self, line: Line, stage: str) -> None:
        """The accident of a conversation, if this is the stage for it."""
        accident = line.accident
        if accident is None or accident.stage != stage:
            return
        if not accident.kills:
            self.die(accident)
            return
        line.accident = None
        self.happened[accident] += 1
        self._calm.clear()
        done = self.loop.run_in_executor(None, self.kill)
        done.add_done_callback(lambda _done: self._calm.set())
        # This conversation ends with the worker, before the other is there that takes its place.
        await asyncio.shield(done)

    def die(self, accident: Accident) -> None:
        """Let go of everything at once, as a process that ends; come back after a moment."""
        self.happened[accident] += 1
        for transport in list(self.transports):
            # Reset: what is on its way to the other side is lost with it.
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        # The port stays open meanwhile: asyncio loses a connection that comes in while its server is closed.
        self.is_away = True
        self.loop.call_later(_AWAY, self._come_back)

    def _come_back(self) -> None:
        self.is_away = False

    async def _listen(self) -> None:
        self._listening = await self.loop.create_server(lambda: Line(self), "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        for transport in list(self.transports):
            transport.abort()
        # Until each conversation has noticed.
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
