"""A plugin of one file: on SQLite a writer waits for the others as long as a slow disk may take, not ten seconds."""

import sqlite3

from sqlalchemy import event
from sqlalchemy.pool import Pool


@event.listens_for(Pool, "checkout")
def be_patient(connection, _record, _proxy):
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA busy_timeout = 150000").close()
