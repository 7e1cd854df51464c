"""What all tests share, the plugins' too: services of the machine, and the rule for those that are missing.

A test that needs a program outside Python skips with a reason that begins with ``needs`` and says what to
install. ``HELPDESK_REQUIRE=all`` (or a list: ``chromium,redis``) turns each such skip into a failure.
Databases and queues are servers of our own in throw-away folders; no service of the machine is used.
"""

import base64
import gc
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

# The desk, its people and clients: what authors of plugins use as well.
pytest_plugins = ["helpdesk.testing"]

# Examples take as long to make as a busy machine takes; a clean clone makes tables of Unicode first.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("patient", settings.default, **_PATIENT)
settings.load_profile("patient")

# Where Linux keeps files in memory, and how much of it must be free.
_MEMORY, _MEMORY_NEEDED = Path("/dev/shm"), 4 * 1024**3  # nosec B108 # a place for folders that pytest makes

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
# A busy machine is no fault of the service.
START_SECONDS = 120.0


def pytest_configure() -> None:
    """Files of tests are in memory where there is room: a disk takes several times as long. ``TMPDIR`` decides."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _MEMORY_NEEDED:
        return
    # Workers of xdist and the processes of tests inherit it.
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``HELPDESK_TEST_DATABASE=postgresql`` only what touches a test's desk runs, on PostgreSQL."""
    if os.environ.get("HELPDESK_TEST_DATABASE") != "postgresql":
        return
    kept = [
        item
        for item in items
        if "database_url" in getattr(item, "fixturenames", ()) and item.get_closest_marker("sqlite") is None
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def pytest_collection_finish() -> None:
    """The tests themselves stay until the end: Python need not search them for garbage while they run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    return _fail_if_required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    return _fail_if_required((yield))


def _fail_if_required(report: Report) -> Report:
    """Make a failure of a skip for want of a program that ``HELPDESK_REQUIRE`` names."""
    required = [name.strip().lower() for name in os.environ.get("HELPDESK_REQUIRE", "").split(",") if name.strip()]
    if not required or report.outcome != "skipped" or not isinstance(report.longrepr, tuple):
        return report
    reason = report.longrepr[2].removeprefix("Skipped: ")
    wanted, _, missing = reason.partition("needs ")
    if wanted == "" and ("all" in required or any(missing.lower().startswith(name) for name in required)):
        report.outcome = "failed"
        report.longrepr = f"HELPDESK_REQUIRE={os.environ['HELPDESK_REQUIRE']}, but this test {reason}"
    return report


@pytest.fixture(autouse=True)
def _path_as_it_was() -> Iterator[None]:
    """A folder that a test leaves in ``sys.path`` hides what is installed from all tests after it."""
    before = list(sys.path)
    yield
    assert sys.path == before, "The test, or a fixture of it, has left sys.path changed."


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real messages that lie outside this repository: ``HELPDESK_CORPORA``, or ``../shared/corpora`` beside it."""
    folder = Path(os.environ.get("HELPDESK_CORPORA") or Path(__file__).parent.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip("needs the mail corpora: set HELPDESK_CORPORA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Debian's Chromium is (``executable_path`` for Playwright)."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def running_browser(chromium: str) -> Iterator[Any]:
    """Chromium, started once for all tests; each makes contexts of its own.

    It knows no name of a machine, so that it asks nobody for one.
    """
    from playwright.sync_api import expect, sync_playwright

    # A busy machine is no fault of the page.
    patience = 1000 * START_SECONDS
    expect.set_options(timeout=patience)
    options = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=options, timeout=patience)
        yield found
        found.close()


@pytest.fixture
def browser(running_browser: Any) -> Iterator[Any]:
    """Chromium. A page that was left open would go on asking a desk that is gone: all are closed after the test."""
    yield running_browser
    for context in list(running_browser.contexts):
        context.close()


@pytest.fixture
def listen(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], str]]:
    """Have an application answer on a free port until the test ends: ``listen(app)`` is its address.

    It ends before the desks of the test do, whatever order a test names its fixtures in: an open page goes on asking.
    """
    from werkzeug.serving import make_server

    # What is made first ends last. A test with a desk of another kind has none of these.
    if "make_app" in request.fixturenames:
        request.getfixturevalue("make_app")
    running = []

    def begin(app: Any) -> str:
        app.config["WTF_CSRF_ENABLED"] = True
        door = _Door(app)
        server = make_server("127.0.0.1", 0, door, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread, door))
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server, thread, door in running:
        server.shutdown()
        thread.join()
        server.server_close()
        door.shut()


@pytest.fixture
def visit(browser: Any, app: Any, listen: Any) -> Callable[..., Any]:
    """A page of a browser of somebody's own; without a client a stranger's. What goes wrong there is noted."""
    url = listen(app)
    problems: list[str] = []

    def begin(client: Any = None, **how: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "timezone_id": "UTC", **how})
        if client is not None:
            cookie = client.get_cookie("helpdesk").value
            context.add_cookies([{"name": "helpdesk", "value": cookie, "url": url}])
        page = context.new_page()
        page.set_default_timeout(1000 * START_SECONDS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        return page

    begin.url, begin.problems = url, problems  # type: ignore[attr-defined]
    return begin


class _Door:
    """Where requests go in to an application. Once it is shut none is worked on any more, and the database may go.

    The threads of the server are no measure: a browser opens lines in advance, over which nothing comes.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._inside = 0
        self._is_shut = False
        self._moved = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._moved:
            if self._is_shut:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            self._inside += 1
        return self._work_on(environ, start_response)

    def _work_on(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        # A generator ends with its thread. Werkzeug does not close an answer whose line the browser has broken off.
        try:
            with closing(self._app(environ, start_response)) as answer:
                yield from answer
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify_all()

    def shut(self) -> None:
        """Let nobody in any more, and wait until all are out."""
        with self._moved:
            self._is_shut = True
            assert self._moved.wait_for(lambda: self._inside == 0, START_SECONDS), "a request does not end"


@pytest.fixture(scope="session")
def dovecot() -> str:
    """Where the Dovecot program is; a test runs it with a configuration and a folder of its own."""
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("needs Dovecot: apt-get install dovecot-imapd")
    return found


class MailServer:
    """A Dovecot of the tests' own on loopback. Every user name has a mailbox, with the password ``secret``."""

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        self.host = "127.0.0.1"
        self.port, self.tls_port = ports
        self.password = "secret"
        # Trust in its certificate: SSL_CERT_FILE.
        self.certificate = folder / "cert.pem"

    TOKEN_KEY = b"not a secret"

    def token(self, user: str) -> str:
        """A token (RFC 7519) with which somebody signs in without a password."""
        moment = int(time.time())
        claims = {"sub": user, "iat": moment, "exp": moment + 3600, "typ": "Bearer"}
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        told = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
        return (told + b"." + _base64url(hmac.digest(self.TOKEN_KEY, told, "sha256"))).decode()

    def open(self, user: str) -> Any:
        """A line to a mailbox, of the standard library's kind."""
        import imaplib

        line = imaplib.IMAP4(self.host, self.port, timeout=START_SECONDS)
        line.login(user, self.password)
        return line

    def put(self, user: str, mails: Iterable[bytes], folder: str = "INBOX") -> None:
        """Lay mails into a folder, which is made if there is none, in one command (RFC 3502)."""
        line = self.open(user)
        try:
            if folder != "INBOX":
                line.create(folder)
            line.select(folder)
            line.sock.settimeout(START_SECONDS * 10)
            # LITERAL+ (RFC 7888): nothing is waited for in between.
            line.send(b"put APPEND %s" % folder.encode())
            for mail in mails:
                line.send(b" {%d+}\r\n" % len(mail) + mail)
            line.send(b"\r\n")
            while not (answer := line.readline()).startswith(b"put "):
                assert answer, "the mail server has gone"
            assert answer.startswith(b"put OK"), answer
        finally:
            line.logout()

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The flags of each mail in a folder."""
        line = self.open(user)
        try:
            line.select(folder, readonly=True)
            return [found.decode() for found in line.uid("FETCH", "1:*", "(FLAGS)")[1] if found]
        finally:
            line.logout()


@pytest.fixture(scope="session")
def mail_server(dovecot: str) -> Iterator[MailServer]:
    """A Dovecot with IMAP, that lasts as long as the test run."""
    from helpdesk.testing.network import free_port

    # Dovecot refuses to serve the mail of root.
    user, group = ("nobody", "nogroup") if _is_root() else (_name(os.getuid()), _group(os.getgid()))
    account: dict[str, Any] = {"user": user, "group": group, "extra_groups": []} if _is_root() else {}
    # Those that it has started may write there for a moment after it has ended.
    with tempfile.TemporaryDirectory(prefix="helpdesk-imap-", ignore_cleanup_errors=True) as name:
        server = MailServer(Path(name), (free_port(), free_port()))
        _make_certificate(Path(name))
        keys = Path(name) / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(MailServer.TOKEN_KEY))
        (Path(name) / "tokens.conf").write_text(_TOKENS.format(folder=name))
        configuration = Path(name) / "dovecot.conf"
        configuration.write_text(
            _DOVECOT.format(folder=name, user=user, group=group, port=server.port, tls_port=server.tls_port)
        )
        for place in (Path(name), *Path(name).rglob("*")):
            if account:
                shutil.chown(place, user, group)
        with _server([dovecot, "-F", "-c", configuration], lambda: _says_hello(server.port), cwd=name, **account):
            yield server


_DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/mail
mail_fsync = never
mail_max_userip_connections = 1000
auth_failure_delay = 0
mailbox_idle_check_interval = 1 s
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/tokens.conf
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


_TOKENS = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""


def _make_certificate(folder: Path) -> None:
    """One for 127.0.0.1, with Debian's OpenSSL, which Dovecot needs too."""
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem"
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([*words.split(), *names], check=True, cwd=folder, stderr=subprocess.DEVNULL)


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _says_hello(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as line:
            return line.recv(4) == b"* OK"
    except OSError:
        return False


def _name(number: int) -> str:
    import pwd

    return pwd.getpwuid(number).pw_name


def _group(number: int) -> str:
    import grp

    return grp.getgrgid(number).gr_name


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The folder with the socket of a PostgreSQL server that lasts as long as the test run."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not programs:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    # PostgreSQL refuses to run as root; Debian's package has made an account for it.
    account: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if _is_root() else {}
    with tempfile.TemporaryDirectory(prefix="helpdesk-pg-") as folder:
        if account:
            shutil.chown(folder, account["user"], account["group"])
        data = f"{folder}/data"
        subprocess.run(
            [programs[-1].with_name("initdb"), "-D", data, "-U", "helpdesk", "-E", "UTF8", "--locale=C.UTF-8"]
            + ["--auth=trust", "--no-sync"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **account,
        )
        careless = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        # Its transactions would be waited for by whoever asks what is committed, at a moment nobody chose.
        careless += ["-c", "autovacuum=off"]
        command = [programs[-1], "-D", data, "-k", folder, "-c", "listen_addresses=", *careless]
        with _server(command, lambda: _postgresql_answers(folder), signal.SIGINT, cwd=folder, **account):
            yield folder


@pytest.fixture(scope="session")
def postgresql_admin(postgresql_server: str) -> Iterator[Any]:
    """A line to that server over which databases are made: to open one for each test takes as long as to make one."""
    from helpdesk.cli.rules.databases import administering

    with administering(f"postgresql+psycopg://helpdesk@/postgres?host={postgresql_server}") as admin:
        yield admin


@pytest.fixture
def postgresql_url(postgresql_admin: Any) -> Iterator[str]:
    """The URL (for SQLAlchemy) of an empty PostgreSQL database of this test's own."""
    from helpdesk.cli.rules.databases import throw_away_on

    with throw_away_on(postgresql_admin) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_admin: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated database, copied for each test: a migration takes longer than most tests."""
    from sqlalchemy import make_url

    from helpdesk.app import create_app
    from helpdesk.cli.rules.databases import throw_away_on
    from helpdesk.core import schema
    from helpdesk.core.config import Config
    from helpdesk.core.extensions import db

    with throw_away_on(postgresql_admin) as url:
        app = create_app(Config(home=tmp_path_factory.mktemp("template"), testing=True, database_url=url))
        with app.app_context():
            schema.upgrade()
            db.session.remove()
            db.engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture
def postgresql_migrated_url(postgresql_admin: Any, postgresql_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database of this test's own."""
    from helpdesk.cli.rules.databases import throw_away_on

    with throw_away_on(postgresql_admin, postgresql_template) as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis server that lasts as long as the test run and keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs Redis: apt-get install redis-server")
    from helpdesk.testing.network import free_port

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="helpdesk-redis-") as folder:
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        with _server(command, lambda: _redis_answers(port), cwd=folder):
            yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@contextmanager
def _server(
    command: list[Any], answers: Callable[[], bool], stop: signal.Signals = signal.SIGTERM, **options: Any
) -> Iterator[None]:
    """Run a server for the length of a ``with`` block, from its first answer on.

    ``stop`` ends it, whoever is still connected.
    """
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers():
                assert process.poll() is None, f"{command[0]} ended with status {process.returncode}"
                assert time.monotonic() < deadline, f"{command[0]} does not answer"
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(stop)


def _is_root() -> bool:
    return os.geteuid() == 0


def _postgresql_admin(folder: str) -> str:
    return f"host={folder} user=helpdesk dbname=postgres"


def _postgresql_answers(folder: str) -> bool:
    import psycopg

    try:
        psycopg.connect(_postgresql_admin(folder)).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
    except OSError:
        return False
