"""Nobody but the core's own piece opens a connection to a web server: a second one would be a second guard."""

from pathlib import Path

from helpdesk.cli.rules import bronze, silver

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted(
    path
    for top in ("helpdesk", "plugins", "themes")
    for path in (REPOSITORY / top).rglob("*.py")
    if not {"tests", "build", ".venv"} & set(path.parts)
)
# Who opens connections, and to what.
CONNECT = {
    "helpdesk/core/requests/fetching.py": "web servers, behind the guard",
    "helpdesk/cli/checks.py": "the desk's own port, to see that it answers",
    "helpdesk/supervisor.py": "its own port, to say that the desk is there",
    "helpdesk/testing/network.py": "nothing: it holds ports, and keeps tests on this machine",
    "helpdesk/core/jobs/workers.py": "nothing: the name of the machine",
    "plugins/helpdesk-email/helpdesk_email/network.py": "nothing: looks up names of mail servers",
    "plugins/helpdesk-email/helpdesk_email/lmtp.py": "nothing: the name of the machine",
    "plugins/helpdesk-email/helpdesk_email/failures.py": "nothing: names of errors",
    "plugins/helpdesk-email/helpdesk_email/broken.py": "nothing: names of errors",
}


def test_web_servers_are_asked_by_fetch_alone() -> None:
    wrong = [
        f"{name}, line {line}: use fetch() of helpdesk.api instead of {module}."
        for path in MODULES
        for line, module in bronze.imported(path)
        if _connects(module) and (name := str(path.relative_to(REPOSITORY))) not in CONNECT
    ]
    assert not wrong, "\n".join(wrong)
    assert len(MODULES) > 300


def test_each_exception_is_there() -> None:
    for name in CONNECT:
        assert any(_connects(module) for _line, module in bronze.imported(REPOSITORY / name)), name


def _connects(module: str) -> bool:
    return module == "socket" or silver.asks_web(module)
