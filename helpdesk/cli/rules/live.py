"""Loads one plugin into a desk of its own and says what it saw: ``python -m helpdesk.cli.rules.live FOLDER OUT``.

A process of its own, so that nothing of a plugin that is looked at stays behind.
"""

import dataclasses
import importlib.metadata
import inspect
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import inspect as tables_of

from helpdesk.app import create_app
from helpdesk.cli.rules import access_rows, databases
from helpdesk.cli.rules.finding import Seen
from helpdesk.cli.rules.project import Project, read
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import Base, db
from helpdesk.plugins import hookspecs, manager, migrations
from helpdesk.plugins.loading import ENTRY_POINTS
from helpdesk.web.access import access_of


def look(project: Project) -> Seen:
    """Load it and look at all that it brings."""
    try:
        modules = {**_needed(project), project.name: project.load()}
    # Whatever its import does wrong is what was to be found out.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return Seen(error=f"It cannot be imported: {type(error).__name__}: {error}", where=_place(error, project))
    with _desk(modules) as app:
        plugin = manager.current().plugins[project.name]
        if plugin.error:
            return Seen(error=plugin.error)
        faults = [*_migration_faults(project)]
    with _postgresql() as url:
        if url:
            with _desk(modules, url):
                faults += [f"On PostgreSQL: {fault}" for fault in _migration_faults(project)]
    return Seen(
        hooks=list(_hooks(plugin.module)),
        routes=list(_routes(app, project.name)),
        keys_to_people=sorted(_keys_to_people(project.name)),
        foreign_tables=sorted(_foreign_tables(project)),
        settings=list(_settings(plugin)),
        fixed_texts=list(_fixed_texts(plugin)),
        names={hook: sorted(_names(items)) for hook, items in plugin.contributions.items()},
        migrations=faults,
    )


def _needed(project: Project) -> dict[str, Any]:
    """The plugins that it builds on, as they are installed."""
    installed = {
        entry.dist.name.replace("-", "_"): entry
        for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)
        if entry.dist is not None
    }
    return {installed[name].name: installed[name].load() for name in project.others if name in installed}


@contextmanager
def _desk(modules: dict[str, Any], url: str = "") -> Iterator[Flask]:
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Config(home=Path(home), testing=True, database_url=url), plugins=modules)
        with app.app_context():
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()


@contextmanager
def _postgresql() -> Iterator[str]:
    """The URL of an empty database that is gone afterwards; empty without a server for tests."""
    server = os.environ.get(databases.SERVER)
    if not server:
        yield ""
        return
    with databases.throw_away(server) as url:
        yield url


def _place(error: BaseException, project: Project) -> dict[str, Any]:
    """Where in its own files something was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return {"file": error.filename, "line": error.lineno}
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(project.folder)
    ]
    return {"file": frames[-1].filename, "line": frames[-1].lineno} if frames else {}


# ---- what it brings


def _hooks(module: Any) -> Iterator[dict[str, Any]]:
    for name, function in vars(module).items():
        options = getattr(function, f"{hookspecs.PROJECT}_impl", None)
        if options is not None:
            hook = options.get("specname") or name
            kind = hookspecs.KINDS.get(hook, "")
            yield {"hook": hook, "kind": kind, "doc": bool(inspect.getdoc(function)), **_source(function)}


def _routes(app: Flask, name: str) -> Iterator[dict[str, Any]]:
    for row, rule in access_rows.keys(app.url_map, name).items():
        view = app.view_functions[rule.endpoint]
        yield {"rule": rule.rule, "row": row, "access": access_of(view), **_source(view)}


def _source(function: Any) -> dict[str, Any]:
    try:
        inner = inspect.unwrap(function)
        return {"file": inspect.getsourcefile(inner), "line": inspect.getsourcelines(inner)[1]}
    except (TypeError, OSError):
        return {"file": None, "line": None}


def _keys_to_people(name: str) -> Iterator[str]:
    for table in _tables(name):
        for key in table.foreign_keys:
            if key.column.table.name == "user":
                yield f"{table.name}.{key.parent.name}"


def _tables(name: str) -> Iterator[Any]:
    return (table for table in db.metadata.tables.values() if table.name.startswith(f"{name}_"))


def _foreign_tables(project: Project) -> Iterator[str]:
    """Tables that its models make under another name."""
    for mapper in Base.registry.mappers:
        table: Any = mapper.local_table
        inside = mapper.class_.__module__.split(".")[0] == project.package
        if inside and not table.name.startswith(f"{project.name}_"):
            yield str(table.name)


def _settings(plugin: manager.Plugin) -> Iterator[dict[str, str]]:
    for group in plugin.contributions.get("register_settings", ()):
        for field in dataclasses.fields(group.model):
            if not field.metadata.get("internal"):
                label = str(field.metadata.get("label", ""))
                yield {"group": group.name, "field": field.name, "label": label}


def _fixed_texts(plugin: manager.Plugin) -> Iterator[dict[str, str]]:
    """Labels that were made into plain text when the plugin was loaded: nobody's language any more."""
    for items in plugin.contributions.values():
        for item in items:
            for attribute in ("label", "title", "hint"):
                yield from _fixed(f"{type(item).__name__} {getattr(item, 'name', '')}", getattr(item, attribute, ""))
            for field in dataclasses.fields(item.model) if hasattr(item, "model") else ():
                for attribute in ("label", "hint"):
                    yield from _fixed(f"the setting {field.name}", field.metadata.get(attribute, ""))


def _fixed(where: str, text: Any) -> Iterator[dict[str, str]]:
    if isinstance(text, str) and any(letter.isalpha() for letter in text):
        yield {"where": where, "text": text}


def _names(items: Iterable[Any]) -> Iterator[str]:
    """What a test would call these contributions by."""
    for item in items:
        for found in (getattr(item, "name", ""), getattr(getattr(item, "model", None), "__name__", "")):
            if found:
                yield str(found)
        command = getattr(item, "command", None)
        if command is not None:
            yield str(command.name)


# ---- its tables


def _migration_faults(project: Project) -> Iterator[str]:
    """What is wrong with its revisions: up, down and up again, then compared with the models."""
    name = project.name
    schema.upgrade("core")
    history = next((found for found in schema.histories() if found.owner == name), None)
    owned = frozenset(table.name for table in _tables(name))
    if history is None:
        if owned:
            yield f"Write a revision into migrations/versions that makes {', '.join(sorted(owned))}."
        return
    try:
        schema.upgrade(name)
        schema.downgrade("base", name)
        if left := _left(name):
            yield f"Its downgrade leaves {', '.join(left)}; drop what its upgrade has made."
            return
        schema.upgrade(name)
    except Exception as error:  # noqa: BLE001 - whatever its revisions do wrong is what was to be found out
        yield " ".join(str(error).split())[:300]
        return
    with db.engine.connect() as connection:
        for difference in migrations.differences(connection, db.metadata, owned, history.version_table):
            yield f"Models and revisions differ: {_words(difference)}; write a revision."


def _left(name: str) -> list[str]:
    with db.engine.connect() as connection:
        return sorted(table for table in tables_of(connection).get_table_names() if table.startswith(f"{name}_"))


def _words(difference: Any) -> str:
    """One of Alembic's differences, such as ("add_column", None, "orders_entry", Column(...))."""
    parts = difference[0] if isinstance(difference, list) else difference
    named = [str(getattr(part, "name", part)) for part in parts[1:] if part is not None]
    return " ".join([str(parts[0]).replace("_", " "), *named])[:200]


if __name__ == "__main__":
    seen = look(read(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps(dataclasses.asdict(seen)), "utf-8")
