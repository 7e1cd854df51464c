"""An rspamd on this machine that says what it is told to say."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from helpdesk_email import rspamd
from helpdesk_email.settings import IncomingSettings

from helpdesk.api import RequestSettings, db, receive

SPAM = b"From: Pills <pills@elsewhere.example>\nTo: help@desk.example\nSubject: Cheap\n\nBuy\n"
SYMBOLS = {"SMALL": {"score": 0.1}, "BAYES_SPAM": {"score": 5.1}, "GOOD": {"score": -2}}


class Said:
    """What the server was asked, and what it answers."""

    def __init__(self) -> None:
        self.status, self.answer, self.drips = 200, b"{}", False
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    def act(self, action: str, score: float = 12.5) -> None:
        found = {"action": action, "score": score, "required_score": 15, "symbols": SYMBOLS}
        self.answer = json.dumps(found).encode()


@pytest.fixture(autouse=True)
def _patient_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault of rspamd, and what was silent in another test may have had the same port."""
    monkeypatch.setattr(rspamd, "TIMEOUT", 60.0)
    monkeypatch.setattr(rspamd._Asked, "rests", {})


@pytest.fixture
def server(app: Any, configure: Callable[..., Any]) -> Iterator[tuple[str, Said]]:
    said, over = Said(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802 - the library's name
            length = int(self.headers["Content-Length"])
            said.asked.append((self.path, dict(self.headers.items()), self.rfile.read(length)))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(10**9 if said.drips else len(said.answer)))
            self.end_headers()
            # Never long silent, and never done.
            while said.drips and not over.wait(0.05):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return
            self.wfile.write(said.answer)

        def log_message(self, *_words: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    configure(RequestSettings, own_servers=f"127.0.0.1:{running.server_port}, 127.0.0.1:1")
    yield f"http://127.0.0.1:{running.server_port}", said
    over.set()
    running.shutdown()
    thread.join()
    running.server_close()


def test_what_it_rejects_is_held_with_score_and_reasons(
    app: Any, server: tuple[str, Said], configure: Callable[..., Any]
) -> None:
    url, said = server
    configure(IncomingSettings, rspamd_url=url)
    said.act("reject", 20)
    outcome = receive("email", SPAM)
    assert outcome.outcome == "quarantined"
    assert outcome.reason == "rspamd takes it for spam, 20/15: BAYES_SPAM, GOOD, SMALL"
    ((path, headers, body),) = said.asked
    assert path == "/checkv2" and body == SPAM and headers["From"] == "pills@elsewhere.example"


@pytest.mark.parametrize(("action", "noted"), [("no action", False), ("add header", True), ("greylist", True)])
def test_what_it_only_suspects_goes_on_and_says_so(
    app: Any, server: tuple[str, Said], configure: Callable[..., Any], action: str, noted: bool
) -> None:
    url, said = server
    configure(IncomingSettings, rspamd_url=url)
    said.act(action)
    outcome = receive("email", SPAM)
    assert outcome.outcome == "ticket" and ("rspamd takes it for spam, 12.5/15" in outcome.reason) is noted


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"score": 1}', b'{"action": "reject", "symbols": [1]}'])
def test_one_that_talks_nonsense_or_fails_holds_up_nothing(
    app: Any, server: tuple[str, Said], configure: Callable[..., Any], answer: bytes
) -> None:
    url, said = server
    configure(IncomingSettings, rspamd_url=url)
    said.answer = answer
    outcome = receive("email", SPAM)
    assert (outcome.outcome, outcome.reason) == ("ticket", "rspamd did not judge it: Its answer could not be read.")
    # One mail switches it off for no other.
    said.act("reject")
    assert receive("email", SPAM + b"again").outcome == "quarantined"


def test_redirects_errors_and_silence_are_sentences(server: tuple[str, Said], app: Any) -> None:
    url, said = server
    said.status, said.headers = 302, {"Location": "http://127.0.0.1:1/elsewhere"}
    with pytest.raises(rspamd.Silent, match="status 302"):
        rspamd.ask(url, SPAM)
    said.status = 500
    with pytest.raises(rspamd.Silent, match="status 500"):
        rspamd.ask(url + "/prefix/", SPAM)
    assert [path for path, _headers, _body in said.asked] == ["/checkv2", "/prefix/checkv2"]
    with pytest.raises(rspamd.Silent, match="refused"):
        rspamd.ask("http://127.0.0.1:1", SPAM)


def test_one_that_is_not_there_is_left_alone_for_a_while(
    app: Any, free_port: int, configure: Callable[..., Any]
) -> None:
    configure(RequestSettings, own_servers=f"127.0.0.1:{free_port}")
    for words in ("refused", "a moment ago"):
        with pytest.raises(rspamd.Silent, match=words):
            rspamd.ask(f"http://127.0.0.1:{free_port}", SPAM)


def test_one_that_never_ends_is_waited_for_so_long_and_no_longer(
    server: tuple[str, Said], app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, said = server
    said.drips = True
    with monkeypatch.context() as patch, pytest.raises(rspamd.Silent, match="within 1 second"):
        patch.setattr(rspamd, "TIMEOUT", 1.0)
        rspamd.ask(url, SPAM)
    # It is asked about the next one as before.
    said.drips = False
    said.act("reject")
    assert rspamd.ask(url, SPAM).rejects


def test_nothing_of_the_database_is_held_while_it_is_asked(
    app: Any, server: tuple[str, Said], configure: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, said = server
    configure(IncomingSettings, rspamd_url=url)
    said.act("no action")
    held: list[bool] = []
    real = rspamd.ask

    def ask(*words: Any) -> rspamd.Verdict:
        held.append(db.session().in_transaction())
        return real(*words)

    monkeypatch.setattr(rspamd, "ask", ask)
    assert receive("email", SPAM).outcome == "ticket"
    assert held == [False]


def test_mail_leaves_the_own_network_only_encrypted(app: Any) -> None:
    with pytest.raises(rspamd.Silent, match="https://"):
        rspamd.ask("http://93.184.215.14:11333", SPAM)
    with pytest.raises(rspamd.Silent):
        rspamd.ask("ftp://127.0.0.1", SPAM)


def test_one_inside_is_asked_only_where_the_owner_says_so(
    app: Any, server: tuple[str, Said], configure: Callable[..., Any]
) -> None:
    url, said = server
    configure(RequestSettings, own_servers="")
    with pytest.raises(rspamd.Silent, match="Servers in your own network"):
        rspamd.ask(url, SPAM)
    assert said.asked == []
