"""The helpdesk.toml after a restore: that of this machine stays, and it names the database that was restored into."""

import json
import re
import tomllib
from pathlib import Path

from sqlalchemy.engine import make_url

from helpdesk.core.backups import archive
from helpdesk.core.config import Config

_LINE = re.compile(r"^[ \t]*database_url[ \t]*=", re.MULTILINE)


def settle(folder: Path, config: Config) -> tuple[list[str], str]:
    """Put what came with a backup into the home, or beside what is there.

    Answers sentences for the operator, and what is to be done before the desk is started, if anything. Raises OSError.
    """
    came, here = folder / archive.CONFIG, config.paths.config_file
    remarks: list[str] = []
    brought = not here.exists() and _bring(came, here, config)
    if not brought and came.is_file() and not (here.exists() and here.read_bytes() == came.read_bytes()):
        beside = here.with_name(f"{here.name}.from-backup")
        came.replace(beside)
        remarks.append(
            f"The configuration in the backup is not that of this home; it lies in {beside}, look what you need of it."
        )
    names_it = not config.database_url or _database_in(here) == config.database_url
    return remarks, "" if names_it else _to_be_set(here, config)


def _bring(came: Path, here: Path, config: Config) -> bool:
    """Make the configuration of a home that has none; False when that of the backup cannot be used."""
    text = came.read_text(encoding="utf-8", errors="replace") if came.is_file() else ""
    if _database_in(came) != (config.database_url or None):
        # Of the desk that was backed up.
        text = _LINE.sub(r"# \g<0>", text)
        if config.database_url and not _has_secret(config):
            text = f"{_line(config)}\n{text}"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    if text:
        came.write_text(text, encoding="utf-8")
        came.chmod(0o600)
        came.rename(here)
    return True


def _to_be_set(here: Path, config: Config) -> str:
    secret = ", with the password in place of ***" if _has_secret(config) else ""
    return (
        f"Before you start the desk, have this line in {here} instead of any other database_url{secret}, unless "
        f"HELPDESK_DATABASE_URL says it:\n  {_line(config)}"
    )


def _line(config: Config) -> str:
    return f"database_url = {json.dumps(shown(config.database_url), ensure_ascii=False)}"


def shown(url: str) -> str:
    """The URL of a database with *** where a password stands."""
    found = make_url(url)
    hidden = {name: "***" for name in found.query if "password" in name}
    return found.update_query_dict(hidden).render_as_string().replace("%2A%2A%2A", "***")


def _has_secret(config: Config) -> bool:
    return "***" in shown(config.database_url)


def _database_in(path: Path) -> str | None:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("database_url")
    except (ValueError, OSError):
        return None
    return None if found is None else str(found)
