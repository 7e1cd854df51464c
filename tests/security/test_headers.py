"""The headers of every answer, whatever it is and whoever asked, and what they are worth behind https."""

import http.client
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, redirect
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from helpdesk.api import hookimpl, permission_required, public_page
from helpdesk.cli.rules import access_rows
from helpdesk.core import accounts, files
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Message
from helpdesk.core.transaction import Busy
from helpdesk.web.headers import FILE_POLICY, PAGE_POLICY
from tests.security import routes
from tests.security.actors import FilledDesk
from tests.security.crawler import PATIENCE
from tests.security.scorer import Answer, cookies_of, modifiers, policy_of, score
from tests.security.tls import Server

HTTPS = "https://desk.example"
# Answers with something of a person that may be kept, in no cache of others: pictures, for an hour, and a calendar; its
# program asks each time whether it has changed.
KEPT = {"desk.attachment", "portal.file", "callbacks.calendar"}
NOBODYS = {"static", "look.theme_css", "look.theme_file", "well_known.security_txt"}


def judge(answer: Any, https: bool = False) -> list[str]:
    """What is wrong with the headers of an answer."""
    headers = answer.headers
    wrong = [
        name
        for name, value in {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }.items()
        if headers.getlist(name) != [value]
    ]
    policies = headers.getlist("Content-Security-Policy")
    if PAGE_POLICY not in policies and policies != [FILE_POLICY]:
        wrong.append(f"policy {policies}")
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        wrong.append("Permissions-Policy")
    wrong += [name for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin") if name in headers]
    if ("Strict-Transport-Security" in headers) is not https:
        wrong.append("Strict-Transport-Security")
    return wrong


def test_the_policy_is_strict() -> None:
    policy = policy_of(Answer([("Content-Security-Policy", PAGE_POLICY)]))
    assert (
        policy["default-src"] == {"'none'"} == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"]
    )
    assert policy["script-src"] == policy["form-action"] == policy["connect-src"] == {"'self'"}
    assert all("unsafe" not in source and "*" not in source for sources in policy.values() for source in sources)
    assert {source for source in policy["style-src"] if not source.startswith("'sha256-")} == {"'self'"}
    file = policy_of(Answer([("Content-Security-Policy", FILE_POLICY)]))
    assert file["default-src"] == {"'none'"} and file["sandbox"] == set()


@pytest.mark.parametrize("actor", ["stranger", "administrator"])
def test_every_address_answers_with_them(filled: FilledDesk, actor: str) -> None:
    """Each is asked for as it is declared; nothing that a signed-in person gets may lie in a cache."""
    wrong, asked = {}, set()
    for case in routes.cases(filled, routes.table_of(filled.app)):
        if case.endpoint in asked:
            continue
        asked.add(case.endpoint)
        for method in sorted(case.methods):
            answer = filled.ask(actor, method, case.path)
            found = judge(answer)
            if answer.status_code >= 400 or (actor != "stranger" and case.endpoint not in KEPT | NOBODYS):
                found += [] if answer.headers.get("Cache-Control") == "no-store" else ["Cache-Control"]
            if found:
                wrong[f"{method} {case.path} {answer.status_code}"] = found
            filled.put_back()
    assert wrong == {}
    assert len(asked) == len({rule.endpoint for rule in access_rows.keys(filled.app.url_map).values()})


@pytest.fixture
def failing(make_app: Callable[..., Flask]) -> FlaskClient:
    """A desk with pages that fail in every way, stream, and lead elsewhere."""
    app = make_app({})
    app.config["SHOW_ERROR_PAGES"] = True

    def busy() -> None:
        raise Busy

    def broken() -> None:
        raise RuntimeError("a secret")

    app.add_url_rule("/fail/<int:code>", "fail", abort, methods=["GET", "POST"])
    app.add_url_rule("/busy", "busy", busy)
    app.add_url_rule("/broken", "broken", broken)
    app.add_url_rule("/stream", "stream", lambda: Response(iter(["a", "b"]), mimetype="text/event-stream"))
    app.add_url_rule("/away", "away", lambda: redirect("/", 302))
    return app.test_client()


def test_error_pages(failing: FlaskClient) -> None:
    for code in (400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 422, 429, 500, 501, 503):
        answer = failing.get(f"/fail/{code}")
        assert answer.status_code == code
        assert judge(answer) == [] and answer.headers["Cache-Control"] == "no-store", code


def test_errors_of_other_origins(failing: FlaskClient) -> None:
    app = failing.application
    app.config["WTF_CSRF_ENABLED"] = True
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answers = {
        "no token": failing.post("/auth/sign-in", data={}),
        "nowhere": failing.get("/no/such/page"),
        "method": failing.delete("/auth/sign-in"),
        "too large": failing.post("/ask", data={"text": "x" * 5000}),
        "busy": failing.get("/busy"),
        "broken": failing.get("/broken"),
        "no adress": failing.get("/%ff%00/%2e%2e/"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        **{"no token": 400, "nowhere": 404, "method": 405, "too large": 413, "busy": 503, "broken": 500},
        "no adress": 404,
    }
    for name, answer in answers.items():
        assert judge(answer) == [] and answer.headers["Cache-Control"] == "no-store", name
        assert "a secret" not in answer.text


def test_what_is_no_page(failing: FlaskClient) -> None:
    answers = [failing.get(path) for path in ("/stream", "/away", "/static/css/base.css", "/theme.css", "/robots.txt")]
    answers += [failing.head("/auth/sign-in"), failing.options("/auth/sign-in")]
    tag = failing.get("/static/css/base.css").headers["ETag"]
    answers.append(failing.get("/static/css/base.css", headers={"If-None-Match": tag}))
    assert answers[-1].status_code == 304
    answers.append(failing.get("/static/css/base.css", headers={"Range": "bytes=0-9"}))
    assert answers[-1].status_code == 206
    assert [judge(answer) for answer in answers] == [[]] * len(answers)


# ---- plugins


def test_a_plugin_narrows_the_policy_and_never_widens_it(make_app: Callable[..., Flask]) -> None:
    pages = Blueprint("wide", __name__)
    wide = {
        "Content-Security-Policy": "default-src *; script-src * 'unsafe-inline' 'unsafe-eval'; frame-ancestors *",
        "X-Content-Type-Options": "",
        "Referrer-Policy": "unsafe-url",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cross-Origin-Opener-Policy": "unsafe-none",
        "Permissions-Policy": "camera=*",
    }

    @pages.get("/open")
    @public_page
    def opened() -> Any:
        return "<p>x</p>", 200, wide

    @pages.get("/file")
    @public_page
    def file() -> Any:
        return "<p>x</p>", 200, {"Content-Security-Policy": FILE_POLICY}

    @pages.get("/lost")
    @permission_required("ticket.read")
    def lost() -> Any:
        abort(404)

    @pages.after_request
    def loosen(response: Response) -> Response:
        response.headers.update({key: value for key, value in wide.items() if key != "Content-Security-Policy"})
        return response

    app = make_app({"wide": SimpleNamespace(register_blueprints=hookimpl(lambda: [pages]))})
    client = app.test_client()
    answer = client.get("/p/wide/open")
    assert answer.status_code == 200 and judge(answer) == []
    # Browsers hold each of them: what both let in is what is let in.
    assert answer.headers.getlist("Content-Security-Policy") == [wide["Content-Security-Policy"], PAGE_POLICY]
    assert (
        judge(client.get("/p/wide/file")) == [] == judge(client.get("/p/wide/lost")) == judge(client.get("/p/wide/no"))
    )


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.sqlite
def test_chromium_holds_both_policies(app: Flask, oracle: Any) -> None:
    script = "<!doctype html><title>x</title><script>oracle(5)</script><p id=end>"
    loose = {"Content-Security-Policy": "script-src * 'unsafe-inline'"}
    app.add_url_rule("/loose", "loose", lambda: (script, 200, loose))
    browser = oracle()
    browser.open("/loose")
    browser.hear("the policy stopped script-src-elem inline")
    assert "the script of 5 ran" not in "\n".join(browser.found)


# ---- files that people sent

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
_UPLOADS = [
    ("picture.png", "image/png", PNG, True),
    ("picture.png", "text/html", PNG, True),
    ("drawing.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='oracle(1)'/>", False),
    ("drawing.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='oracle(1)'/>", False),
    ("page.html", "text/html", b"<script>oracle(1)</script>", False),
    ("page.png", "image/png", b"<html><script>oracle(1)</script>", False),
    ("page.xhtml", "application/xhtml+xml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", False),
    ("feed.xml", "text/xml", b"<?xml version='1.0'?><x/>", False),
    ("script.js", "text/javascript", b"oracle(1)", False),
    ("book.pdf", "application/pdf", b"%PDF-1.7", False),
    ("x.gif\r\nSet-Cookie: a=b", "image/gif", b"GIF89a", True),
    ("gnp.\u202eexe.html", "text/html\r\nX: y", b"<b>", False),
    ("\u200b.htaccess", "text/plain", b"x", False),
    ("../../etc/passwd", "application/x-httpd-php", b"<?php", False),
    ('a";filename="b.html', "text/html", b"<b>", False),
    ("\U0001f600\u4f60\u597d.txt", "text/plain;charset=utf-7", b"+ADw-script+AD4-", False),
]


def test_files_lie_in_a_sandbox_of_their_own(app: Flask, make_ticket: Any, as_agent: FlaskClient) -> None:
    """Downloaded, or shown when their first bytes are a picture's; never as what they call themselves."""
    for name, kind, data, picture in _UPLOADS:
        ticket = make_ticket(files=[files.store_bytes(data, name, kind)])
        (number,) = db.session.scalars(
            db.select(Attachment.id).join(Attachment.message).where(Message.ticket_id == ticket.id)
        )
        _check_sandbox(as_agent, f"/desk/attachments/{number}", data, picture)


def _check_sandbox(agent: FlaskClient, path: str, data: bytes, picture: bool) -> None:
    for query in ("", "?show=1"):
        answer = agent.get(f"{path}{query}")
        assert answer.status_code == 200 and answer.data == data and judge(answer) == []
        assert answer.headers.getlist("Content-Security-Policy") == [FILE_POLICY]
        said = answer.headers["Content-Disposition"]
        shown = picture and query != ""
        assert said.startswith("inline" if shown else "attachment") and "\n" not in said and "\u202e" not in said
        kinds = files.INLINE_TYPES if shown else {"application/octet-stream"}
        assert answer.headers["Content-Type"] in kinds
        assert "/" not in said.partition("filename")[2].replace("UTF-8''", "") and "Set-Cookie" not in answer.headers


# ---- behind https


class TlsProxy:
    """What docs/install.md asks of the web server before the desk: ends TLS, says so, and takes no plain HTTP."""

    def __init__(self, target: str, folder: Path) -> None:
        host = target.removeprefix("http://")

        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                with closing(http.client.HTTPConnection(host, timeout=120)) as line:
                    self._pass_over(line)

            def _pass_over(self, line: http.client.HTTPConnection) -> None:
                headers = {key: value for key, value in self.headers.items() if key != "Connection"}
                headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https"}
                length = int(self.headers.get("Content-Length", 0))
                line.request(self.command, self.path, self.rfile.read(length) if length else None, headers)
                answer = line.getresponse()
                body = answer.read()
                self.send_response_only(answer.status)
                for key, value in answer.getheaders():
                    if key not in ("Connection", "Transfer-Encoding", "Server", "Date"):
                        self.send_header(key, value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_HEAD = _pass_on

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._server.tls = context
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def behind_tls(
    make_app: Callable[..., Flask], listen: Callable[[Any], str], tmp_path: Path
) -> Iterator[tuple[Flask, str]]:
    """A desk with an https address, and where it is reached."""
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(words.split(), cwd=tmp_path, check=True, capture_output=True)
    app = make_app(public_url=HTTPS, trusted_proxies=1)
    proxy = TlsProxy(listen(app), tmp_path)
    yield app, proxy.url
    proxy.close()


PASSWORD = "a rather long pass phrase"


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.sqlite
def test_the_score_behind_https(behind_tls: tuple[Flask, str], browser: Browser) -> None:
    """Every page of the way in, and one that is signed in, as Chromium gets them by TLS."""
    app, address = behind_tls
    with app.app_context():
        accounts.create_user("ada@desk.example", "Ada", "admin", None, password=PASSWORD)
    context = browser.new_context(ignore_https_errors=True, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)

    def open_page(path: str) -> None:
        answer = page.goto(address + path)
        assert answer is not None and answer.status < 400, path
        headers = [(one["name"], one["value"]) for one in answer.headers_array()]
        judged = Answer(headers, answer.text())
        assert score(judged) >= 115, (path, modifiers(judged))

    open_page("/")
    open_page("/auth/sign-in")
    page.get_by_label("E-mail address").fill("ada@desk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main form button[type=submit], form .btn-primary").first.click()
    expect(page).to_have_url(f"{address}/desk/views/mine", timeout=PATIENCE)
    for path in ("/desk/views/all", "/desk/me", "/admin/", "/admin/settings/desk"):
        open_page(path)
    cookies = context.cookies()
    assert cookies and all(one["name"].startswith("__Host-") for one in cookies)
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] in ("Lax", "Strict") for one in cookies)
    context.close()


def test_the_scorer_knows_bad_from_good() -> None:
    good = [
        ("Content-Security-Policy", PAGE_POLICY),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Set-Cookie", "__Host-helpdesk=x; Secure; HttpOnly; Path=/; SameSite=Lax"),
    ]
    assert score(Answer(good)) == 135
    assert score(Answer([])) == 100 - 25 - 20 - 5 - 20
    bad = {
        "Content-Security-Policy": (
            "default-src 'self' 'unsafe-inline'",
            "script-src 'self'; style-src * ",
            "img-src http:",
        ),
        "Strict-Transport-Security": ("max-age=60", "yes"),
        "X-Content-Type-Options": ("sniff",),
        "Referrer-Policy": ("unsafe-url",),
        "Cross-Origin-Resource-Policy": ("cross-origin", "yes"),
        "Set-Cookie": (
            "helpdesk=x; Secure",
            "helpdesk=x; HttpOnly; SameSite=Lax",
            "x=y; Secure; HttpOnly; SameSite=None",
        ),
    }
    for name, values in bad.items():
        for value in values:
            worse = [(key, value if key == name else kept) for key, kept in good]
            assert score(Answer(worse)) < 135, (name, value)


# ---- cookies


def test_cookies_by_http_and_by_https(make_app: Callable[..., Flask]) -> None:
    """With an https address bound to the host and for https only; with http plain names, or nobody could sign in."""
    for address, prefix in (("http://desk.example", ""), (HTTPS, "__Host-")):
        app = make_app(public_url=address)
        client = app.test_client()
        there = {"base_url": address}
        first = client.get("/auth/sign-in", **there)
        chosen = client.post("/language", data={"locale": "zh_Hans", "next": "/"}, **there)
        cookies = [*cookies_of(_said(first)), *cookies_of(_said(chosen))]
        assert {cookie.key for cookie in cookies} == {f"{prefix}helpdesk", f"{prefix}locale"}
        for cookie in cookies:
            assert bool(cookie["secure"]) is bool(prefix) and cookie["httponly"] and cookie["samesite"] == "Lax"
            assert cookie["path"] == "/" and not cookie["domain"]
        assert judge(first, https=bool(prefix)) == []
        assert 'lang="zh' in client.get("/auth/sign-in", **there).text


def test_files_for_everybody_set_no_cookies(client: FlaskClient) -> None:
    for path in ("/static/css/base.css", "/static/icons.svg", "/theme.css"):
        answer = client.get(path)
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers


def _said(answer: Any) -> Answer:
    return Answer(list(answer.headers))
