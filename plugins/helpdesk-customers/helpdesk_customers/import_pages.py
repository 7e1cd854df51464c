"""Files taken in: chosen, looked at, started, watched, stopped, and what they could not bring."""

from typing import Any

from flask import Response, current_app, flash, redirect, request, stream_with_context, url_for

from helpdesk.api import Invalid, allowed, db, number_in, permission_required, reader, require
from helpdesk.api import gettext as _
from helpdesk_customers import importing
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.finding import row_of
from helpdesk_customers.import_models import DRAFT, UNDER_WAY, Import
from helpdesk_customers.imports.encodings import ENCODINGS
from helpdesk_customers.imports.kinds import ImportKind, kinds
from helpdesk_customers.imports.rows import DELIMITERS
from helpdesk_customers.permissions import IMPORT

_SIZE = 50


@pages.get("/imports")
@permission_required(IMPORT)
def imports() -> Any:
    """The files that were taken in, and the form for another one."""
    return _list()


@pages.post("/imports")
@permission_required(IMPORT)
def add_import() -> Any:
    """Keep a file and find out how it is written."""
    sent = request.files.get("file")
    kind = next((one for one in _kinds() if one.name == request.form.get("kind")), None)
    if kind is None:
        return _list({"kind": _("Choose what the file brings.")})
    if sent is None or not sent.filename:
        return _list({"file": _("Choose a file.")})
    try:
        run = importing.begin(sent.stream, sent.filename, kind, reader())
    except Invalid as problem:
        db.session.rollback()
        return _list({"file": str(problem)})
    return redirect(url_for("customers.import_file", import_id=run.id), 303)


@pages.get("/imports/<int:import_id>")
@permission_required(IMPORT)
def import_file(import_id: int) -> Any:
    """One file: how it is read while it waits, how far it is, what became of it."""
    return _page(_file(import_id))


@pages.post("/imports/<int:import_id>")
@permission_required(IMPORT)
def describe_import(import_id: int) -> Any:
    """Say how a file is written and which column is what; then look again, or start."""
    run = _file(import_id)
    try:
        mapping = {
            key.removeprefix("column-"): place
            for key, text in request.form.items()
            if key.startswith("column-") and (place := number_in(text)) is not None
        }
        importing.describe(
            run,
            reader(),
            encoding=request.form.get("encoding", ""),
            delimiter=_delimiters().get(request.form.get("delimiter", ""), ("", ""))[0],
            mapping=mapping,
            overwrite=bool(request.form.get("overwrite")),
        )
        if request.form.get("do") == "start":
            importing.start(run, reader())
            flash(_("The file is being taken in."))
    except Invalid as problem:
        db.session.rollback()
        return _page(_file(import_id), {problem.field: str(problem)}, request.form.to_dict())
    return redirect(url_for("customers.import_file", import_id=import_id), 303)


@pages.post("/imports/<int:import_id>/resume")
@permission_required(IMPORT)
def resume_import(import_id: int) -> Any:
    """Go on with a file that was stopped."""
    return _do(import_id, importing.start)


@pages.post("/imports/<int:import_id>/cancel")
@permission_required(IMPORT)
def cancel_import(import_id: int) -> Any:
    """Stop a file; what it has brought stays."""
    return _do(import_id, importing.cancel)


@pages.post("/imports/<int:import_id>/discard")
@permission_required(IMPORT)
def discard_import(import_id: int) -> Any:
    """Forget a file."""
    try:
        importing.discard(_file(import_id), reader())
    except Invalid as problem:
        db.session.rollback()
        return _page(_file(import_id), {problem.field: str(problem)})
    flash(_("The file was removed. What it has brought stays."))
    return redirect(url_for("customers.imports"), 303)


@pages.post("/imports/<int:import_id>/errors.csv")
@permission_required(IMPORT)
def import_errors(import_id: int) -> Any:
    """The rows that could not be taken, with the reason behind each."""
    run = _file(import_id)
    answer = Response(stream_with_context(importing.error_file(run)), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"import-{run.id}-errors.csv")
    return answer


def _file(import_id: int) -> Import:
    """A file of a kind that the reader may take in: what stands in it is nobody else's to read."""
    run: Import = row_of(Import, import_id)
    require(reader(), importing.permission_of(run))
    return run


def _do(import_id: int, verb: Any) -> Any:
    try:
        verb(_file(import_id), reader())
    except Invalid as problem:
        db.session.rollback()
        return _page(_file(import_id), {problem.field: str(problem)})
    return redirect(url_for("customers.import_file", import_id=import_id), 303)


def _list(errors: dict[str, str] | None = None) -> Any:
    after = number_in(request.args.get("after"))
    rows = importing.listed(after, _SIZE + 1)
    offered = _kinds()
    return show(
        "imports.html",
        422 if errors else 200,
        runs=rows[:_SIZE],
        after=rows[_SIZE - 1].id if len(rows) > _SIZE else None,
        kinds=[(kind.name, kind.label, kind.hint) for kind in offered],
        chosen=request.form.get("kind") or request.args.get("kind") or (offered[0].name if offered else ""),
        labels={kind.name: str(kind.label) for kind in kinds()},
        largest=_largest() >> 20,
        errors=errors or {},
    )


def _page(run: Import, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> Any:
    found = next((kind for kind in kinds() if kind.name == run.kind), None)
    values: dict[str, Any] = {"kind": found, "columns": [], "preview": []}
    if run.state == DRAFT and found is not None:
        try:
            values |= {"columns": found.all_columns(), "preview": importing.preview(run)}
        except Invalid as problem:
            errors = {problem.field: str(problem), **(errors or {})}
    failed = importing.failed_rows(run) if run.failed else []
    return show(
        "import.html",
        422 if errors else 200,
        run=run,
        moves=run.state in UNDER_WAY,
        failed=failed,
        encodings=list(ENCODINGS.items()),
        delimiters=[(key, label) for key, (_sign, label) in _delimiters().items()],
        delimiter=next((key for key, (sign, _label) in _delimiters().items() if sign == run.delimiter), ""),
        typed=typed or {},
        errors=errors or {},
        **values,
    )


def _kinds() -> list[ImportKind]:
    return [kind for kind in kinds() if allowed(reader(), kind.permission)]


def _delimiters() -> dict[str, tuple[str, str]]:
    """What separates cells, by a word that forms can carry."""
    words = (
        ("comma", _("Comma (,)")),
        ("semicolon", _("Semicolon (;)")),
        ("tab", _("Tab")),
        ("bar", _("Vertical bar (|)")),
        ("wide", _("Wide comma (，)")),
    )
    return {key: (sign, label) for sign, (key, label) in zip(DELIMITERS, words, strict=True)}


def _largest() -> int:
    """What the page takes: the desk's own limit may be lower than that of imports."""
    form: int = current_app.config["MAX_CONTENT_LENGTH"]
    return min(importing.largest(), form)
