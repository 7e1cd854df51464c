"""Browsers without a screen: a customer at the form, an agent at the desk, over real HTTP."""

import html
import http.client
import re
import secrets
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

PASSWORD = "a rather long pass phrase"
# Seconds: for a machine that is busy with other tests.
TIMEOUT = 180.0


class Unanswered(Exception):
    """The desk went away before it had answered: what was sent may have been done or not."""


@dataclass
class Answer:
    """What a page answered."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def location(self) -> str:
        return urlsplit(self.headers.get("location", "")).path


@dataclass
class Visitor:
    """One browser; ``address`` is where its requests seem to come from (the desk trusts one proxy)."""

    port: int
    address: str = field(default_factory=lambda: ".".join(str(secrets.randbelow(200) + 1) for _part in range(4)))
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, str], files: dict[str, bytes] | None = None) -> Answer:
        """Send a form; with ``files`` (names and bytes) as a browser sends those."""
        if files is None:
            kind = "application/x-www-form-urlencoded"
            return self._ask("POST", path, urlencode(fields).encode(), kind)
        mark = secrets.token_hex(16)
        body = _multipart(mark, fields, files)
        return self._ask("POST", path, body, f"multipart/form-data; boundary={mark}")

    def open_ticket(self, subject: str, email: str = "", files: dict[str, bytes] | None = None) -> Answer:
        """Fill in the customers' form; 303 when the desk has it."""
        email = email or f"{secrets.token_hex(6)}@customer.example"
        page = self.get("/")
        if page.status != 200:
            return page
        form = {"subject": subject, "text": f"{subject}: it rattles.", "name": "Rita", "email": email}
        return self.post("/ask", form | {"csrf_token": token_of(page)}, files)

    def sign_in(self, email: str) -> None:
        """Sign in with the password of all people of these tests."""
        page = self.get("/auth/sign-in")
        form = {"email": email, "password": PASSWORD, "csrf_token": token_of(page)}
        answer = self.post("/auth/sign-in", form)
        assert answer.status == 303, answer.text

    def reply(self, ticket: int, text: str) -> Answer:
        """Answer a ticket as an agent; 303 when it is on its way."""
        page = self.get(f"/desk/tickets/{ticket}")
        if page.status != 200:
            return page
        form = {"mode": "reply", "text": text, "status": "pending", "csrf_token": token_of(page)}
        return self.post(f"/desk/tickets/{ticket}/messages", form)

    def _ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        headers = {"X-Forwarded-For": self.address, "Connection": "close"}
        if kind:
            headers["Content-Type"] = kind
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(str(error)) from error
        finally:
            line.close()
        for value in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: found.value for name, found in SimpleCookie(value).items()}
        return Answer(answer.status, text, {name.lower(): value for name, value in answer.headers.items()})


def token_of(page: Answer) -> str:
    """The form's token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, f"a page without a form: {page.status}"
    return html.unescape(found[1])


def _multipart(mark: str, fields: dict[str, str], files: dict[str, bytes]) -> bytes:
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, data in files.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n")
    return b"".join([*parts, f"--{mark}--\r\n".encode()])
