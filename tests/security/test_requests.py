"""What the desk asks of other web servers: never the network that it stands in, whatever the address looks like."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from helpdesk.api import FetchFailed, FetchLate, FetchRefused, FetchUnreached, RequestSettings, fetch, transaction
from helpdesk.core import settings
from helpdesk.core.requests import targets
from tests.security.tls import Server

PUBLIC = "93.184.215.14"
# What a name may stand for and must not be spoken to.
ADDRESSES = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 168.63.129.16 169.254.1.1
169.254.169.254 172.16.0.1 172.31.255.254 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::a00:1 100::1 2001::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 2a00:1:2:3:0:5efe:a00:1
fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 fec0::1 ff02::1 ff0e::1 4000::1
""".split()
# How one of them is written.
WRITTEN = """
https://2130706433/ https://0x7f000001/ https://0x7f.1/ https://017700000001/ https://0177.0.0.1/ https://127.1/
https://127.0.1/ https://0/ https://127.0.0.1./ https://127.000.000.001/ https://[::1]/ https://[::ffff:7f00:1]/
https://[::ffff:127.0.0.1]/ https://[0:0:0:0:0:0:0:1]/ https://[fe80::1%25eth0]/ https://[fe80::1%eth0]/
https://[::1 https://::1/ https://１２７.０.０.１/ https://127。0。0。1/ https://①②⑦.⓪.⓪.①/ https://localhost/
https://LOCALHOST/ https://localhost./ https://localhost../ https://.localhost/ https://user@127.0.0.1/
https://shop.example@127.0.0.1/ https://shop.example:443@127.0.0.1/ https://127.0.0.1@shop.example/
https://shop.example\\@127.0.0.1/ https://shop.example:0/ https://shop.example:99999/ https://shop.example:/
https://shop.example:22/ https://shop.example:25/ https://shop.example:6379/ https://shop.example:8000/
https://-shop.example/ https://sh%6fp.example/ https://shop.example%00.evil.example/ https:/// https:127.0.0.1/
https:///127.0.0.1/ //127.0.0.1/ /etc/passwd 127.0.0.1 file:///etc/passwd ftp://127.0.0.1/ gopher://127.0.0.1:6379/_
dict://127.0.0.1:11211/ ldap://127.0.0.1/ data:text/plain,a javascript:alert(1) jar:https://a!/b unix:///run/sock
HTTP://127.0.0.1/ http://127.0.0.1:80/ http://169.254.169.254/latest/meta-data/ http://metadata.google.internal/
http://shop.example/
""".split()
SPLIT = ["https://shop.example\t/", "https://shop\n.example/", "https://shop.example/ x", "https://shop.example\0/", ""]


class Web:
    """A web server on this machine: ``answers`` by path, and what it was asked."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.server = Server(("127.0.0.1", 0), handler)
        self.port = self.server.server_port
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.over = threading.Event()


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the library's name
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.asked.append((self.command, self.path, dict(self.headers.items()), body))
            status, headers, said = found.answers.get(self.path, (200, {}, b"said"))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)
            # Never long silent, and never done.
            while self.path == "/drips" and not found.over.wait(0.05):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_words: Any) -> None:
            pass

    found = Web(Handler)
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.over.set()
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def inside(app: Any, web: Web, configure: Callable[..., Any]) -> str:
    """Its address, which the owner has allowed."""
    configure(RequestSettings, own_servers=f"127.0.0.1:{web.port}")
    return f"http://127.0.0.1:{web.port}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For www.shop.example and other.example, signed by itself; its key lies beside it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs OpenSSL: apt-get install openssl")
    folder = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=shop -keyout key.pem -out cert.pem"
    names = ["-addext", "subjectAltName=DNS:www.shop.example,DNS:other.example"]
    subprocess.run([openssl, *words.split(), *names], check=True, cwd=folder, capture_output=True)
    return folder / "cert.pem"


class Internet:
    """What names stand for, look-up by look-up, and where it was connected to. All of it ends at one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.names: dict[str, list[list[str]]] = {}
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def getaddrinfo(self, host: str, port: int, *_words: Any, **_named: Any) -> list[Any]:
        self.looked_up.append(host)
        known = self.names.get(host, [[]])
        addresses = known.pop(0) if len(known) > 1 else known[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def create_connection(self, place: tuple[str, int], timeout: float) -> socket.socket:
        self.connected.append(place)
        line = socket.socket()
        line.settimeout(timeout)
        line.connect(("127.0.0.1", self.port))
        return line


@pytest.fixture
def internet(app: Any, web: Web, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Internet:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    web.server.tls = context
    found = Internet(web.port)
    found.names = {"www.shop.example": [[PUBLIC]], "other.example": [["93.184.215.15"]], "in.example": [["10.0.0.1"]]}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(socket, "getaddrinfo", found.getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", found.create_connection)
    return found


@pytest.fixture
def nowhere(app: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names by what they stand for; each connection is a failure."""
    names: dict[str, list[str]] = {}

    def connect(place: Any, *_words: Any) -> Any:
        pytest.fail(f"{place} was connected to")

    def look_up(host: str, port: int, *_words: Any, **_named: Any) -> list[Any]:
        found = names.get(host, [PUBLIC if "example" in host else "127.0.0.1"])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def test_there_are_enough_targets() -> None:
    assert len({*ADDRESSES, *WRITTEN, *SPLIT}) >= 110


def test_no_name_leads_inside(nowhere: dict[str, list[str]]) -> None:
    for address in ADDRESSES:
        for found in ([address], [PUBLIC, address], [address, PUBLIC]):
            nowhere["www.shop.example"] = found
            with pytest.raises(FetchRefused, match="own network"):
                fetch("https://www.shop.example/")
        literal = f"[{address}]" if ":" in address else address
        with pytest.raises(FetchRefused):
            fetch(f"https://{literal}/")


def test_no_spelling_leads_inside(nowhere: dict[str, list[str]]) -> None:
    for url in (*WRITTEN, *SPLIT, "https://shop.example/" + "a" * 2000):
        with pytest.raises(FetchRefused) as refused:
            fetch(url)
        assert str(refused.value)[-1] == "."


def test_ordinary_addresses_are_read_as_they_are_meant() -> None:
    for url, host, port, path in (
        ("https://www.shop.example", "www.shop.example", 443, "/"),
        ("HTTPS://WWW.Shop.Example./a?b=c#d", "www.shop.example", 443, "/a?b=c"),
        ("https://bücher.example:8443/ä", "xn--bcher-kva.example", 8443, "/%C3%A4"),
        (f"https://{PUBLIC}/", PUBLIC, 443, "/"),
        ("https://[2606:2800:21F:CB07::1]:443/", "2606:2800:21f:cb07::1", 443, "/"),
        ("https://_dmarc.shop.example/%2e%2e/a b".replace(" ", "%20"), "_dmarc.shop.example", 443, "/%2e%2e/a%20b"),
    ):
        found = targets.read(url)
        assert (found.host, found.port, found.path) == (host, port, path)


def test_a_name_is_looked_up_once_and_that_address_is_asked(internet: Internet, web: Web) -> None:
    # The resolver of somebody who lets the second look see another address.
    internet.names["www.shop.example"] = [[PUBLIC], ["127.0.0.1"]]
    answer = fetch("https://www.shop.example/page?a=1")
    assert (answer.status, answer.body) == (200, b"said")
    assert internet.looked_up == ["www.shop.example"] and internet.connected == [(PUBLIC, 443)]
    ((method, path, headers, _body),) = web.asked
    assert (method, path, headers["Host"]) == ("GET", "/page?a=1", "www.shop.example")
    with pytest.raises(FetchRefused):
        fetch("https://www.shop.example/")
    assert len(internet.connected) == 1


def test_the_certificate_is_checked_against_the_name(internet: Internet) -> None:
    internet.names["evil.example"] = [[PUBLIC]]
    with pytest.raises(FetchUnreached, match="evil.example could not be reached"):
        fetch("https://evil.example/")


LOCATIONS = (
    "http://www.shop.example/",
    "https://in.example/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "http://127.0.0.1:{port}/",
    "https://169.254.169.254/latest/",
    "//10.0.0.1/",
    "file:///etc/passwd",
    "https://user@other.example/",
    "https://other.example:22/",
)


def test_a_redirect_is_checked_like_the_first_address(
    internet: Internet, web: Web, configure: Callable[..., Any]
) -> None:
    # Even what the owner has allowed is not for others to lead to.
    configure(RequestSettings, own_servers=f"127.0.0.1:{web.port}, in.example:443")
    for turn, location in enumerate(LOCATIONS, 1):
        web.answers["/"] = (302, {"Location": location.format(port=web.port)}, b"")
        with pytest.raises(FetchRefused):
            fetch("https://www.shop.example/")
        assert len(web.asked) == turn, location


def test_redirects_are_followed_without_what_was_meant_for_the_first(internet: Internet, web: Web) -> None:
    web.answers["/"] = (301, {"Location": "/a"}, b"")
    web.answers["/a"] = (307, {"Location": "https://other.example/b", "Set-Cookie": "a=b"}, b"")
    answer = fetch("https://www.shop.example/", headers={"Authorization": "Bearer x", "Accept": "text/html"})
    assert answer.url == "https://other.example:443/b" and answer.body == b"said"
    sent = [(path, headers.get("Authorization"), headers.get("Cookie")) for _method, path, headers, _body in web.asked]
    assert sent == [("/", "Bearer x", None), ("/a", "Bearer x", None), ("/b", None, None)]
    assert web.asked[-1][2]["Accept"] == "text/html"
    web.answers["/b"] = (302, {"Location": "/b"}, b"")
    with pytest.raises(FetchFailed, match="without end"):
        fetch("https://www.shop.example/")
    # What changes something is not sent to another place.
    assert fetch("https://www.shop.example/", method="POST", body=b"x").status == 301


def test_own_servers_are_asked_where_the_owner_lists_them(inside: str, web: Web, configure: Callable[..., Any]) -> None:
    answer = fetch(f"{inside}/check", method="POST", body=b"mail", headers={"X-From": "a"})
    assert answer.status == 200 and web.asked[0][3] == b"mail" and web.asked[0][2]["X-From"] == "a"
    configure(RequestSettings, own_servers=f"127.0.0.1:{web.port + 1}, localhost:{web.port}")
    with pytest.raises(FetchRefused, match="own network"):
        fetch(inside)
    assert fetch(f"http://LOCALHOST:{web.port}/").status == 200


def test_what_hands_out_secrets_is_never_an_own_server(
    nowhere: dict[str, list[str]], configure: Callable[..., Any]
) -> None:
    never = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "224.0.0.1", "0.0.0.0"]
    listed = [*(f"{address}:80" for address in never), "[fe80::1]:80", "[fd00:ec2::254]:80", "[::ffff:169.254.1.1]:80"]
    configure(RequestSettings, own_servers=", ".join(listed))
    for server in listed:
        with pytest.raises(FetchRefused):
            fetch(f"http://{server}/")


def test_own_servers_are_written_with_their_port(app: Any) -> None:
    for text in ("127.0.0.1", "http://127.0.0.1:80", "a b:80", "a:b", "*:80", "a:80,", "[::1]"):
        with pytest.raises(settings.InvalidSettings):
            settings.save(RequestSettings, {"own_servers": text}, None)


def test_an_answer_ends_in_time_and_size(inside: str, web: Web) -> None:
    web.answers["/drips"] = (200, {"Content-Length": "1000000000"}, b"")
    with pytest.raises(FetchLate, match="within 0.3 seconds"):
        fetch(f"{inside}/drips", seconds=0.3)
    web.answers["/large"] = (200, {}, b"a" * 11)
    with pytest.raises(FetchFailed, match="too large"):
        fetch(f"{inside}/large", largest=10)
    assert fetch(f"{inside}/large", largest=11).body == b"a" * 11
    web.answers["/cut"] = (200, {"Content-Length": "20", "Connection": "close"}, b"a" * 11)
    with pytest.raises(FetchFailed, match="broke off"):
        fetch(f"{inside}/cut")


def test_a_name_that_is_looked_up_for_ever_ends_in_time(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def look_up(*_words: Any, **_named: Any) -> list[Any]:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with pytest.raises(FetchLate):
            fetch("https://www.shop.example/", seconds=0.2)
    finally:
        over.set()


def test_nothing_of_the_environment_or_the_caller_bends_a_request(
    inside: str, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(inside).status == 200
    for name in ("Host", "cookie", "Transfer-Encoding", "Content-Length"):
        with pytest.raises(ValueError):
            fetch(inside, headers={name: "x"})
    for headers in ({"X-A": "b\r\nX-C: d"}, {"X-A\r\nB": "c"}):
        with pytest.raises(ValueError):
            fetch(inside, headers=headers)
    with pytest.raises(ValueError):
        fetch(inside, method="CONNECT")
    with transaction(), pytest.raises(RuntimeError, match="outside transactions"):
        fetch(inside)
    assert len(web.asked) == 1
