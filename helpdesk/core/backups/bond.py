"""Which database a home belongs to since a backup was restored: a desk that is set to another one does not start."""

import os
import secrets

from flask import current_app
from sqlalchemy import delete, insert, inspect, select
from sqlalchemy.engine import Connection

from helpdesk.core.backups import databases
from helpdesk.core.backups.configuration import shown
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Setting
from helpdesk.core.paths import Home

_GROUP, _KEY = "core.restore", "database"


class WrongDatabase(Exception):
    """A desk is set to another database than the one that was restored for it; the text is a sentence."""


def tie(config: Config) -> None:
    """Give a home and the PostgreSQL database that were restored together the same mark, for :func:`check`.

    Without an app context; after it only that database, or a copy of it, is this home's. A database of SQLite lies in
    its home and needs none. Raises OSError and SQLAlchemyError.
    """
    if config.is_sqlite:
        config.paths.restored_into.unlink(missing_ok=True)
        return
    mark = secrets.token_hex(16)
    with databases.opened_postgresql(config.sqlalchemy_url) as connection:
        connection.execute(delete(Setting).where(Setting.group == _GROUP))
        connection.execute(insert(Setting).values(group=_GROUP, key=_KEY, value=mark))
        connection.commit()
    _write(config.paths, f"{mark}\n{shown(config.sqlalchemy_url)}\n")


def check() -> None:
    """Raise :class:`WrongDatabase` when the desk is not set to the database that was restored for its home.

    In an app context, before anything is migrated or served; the database may be of any age.
    """
    config: Config = current_app.config["HELPDESK"]
    try:
        mark, wanted = config.paths.restored_into.read_text(encoding="utf-8").splitlines()[:2]
    except FileNotFoundError:
        return
    if not config.is_sqlite:
        with db.engine.connect() as connection:
            if _mark_in(connection) == mark:
                return
    raise WrongDatabase(
        f"A backup was restored into {wanted}, and the desk is set to use {shown(config.sqlalchemy_url)}: name the "
        f"first by database_url in {config.paths.config_file} or by HELPDESK_DATABASE_URL, or remove "
        f"{config.paths.restored_into} if you want the second."
    )


def _mark_in(connection: Connection) -> object:
    if not inspect(connection).has_table(Setting.__tablename__):
        return None
    return connection.scalar(select(Setting.value).where(Setting.group == _GROUP, Setting.key == _KEY))


def _write(home: Home, text: str) -> None:
    aside = home.restored_into.with_name(f"{home.restored_into.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(home.restored_into)
