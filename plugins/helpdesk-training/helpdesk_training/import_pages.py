"""Bring in a course from a folder of Markdown, packed as a ZIP file."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import Invalid, Refused, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_training import exchange
from helpdesk_training.blueprint import pages, show
from helpdesk_training.permissions import WRITE
from helpdesk_training.unpacking import unpacked


@pages.get("/manage/import")
@permission_required(WRITE)
def import_form() -> Any:
    """Choose the file."""
    return show("import.html", problems=[])


@pages.post("/manage/import")
@permission_required(WRITE)
def import_course() -> Any:
    """Take it in as a draft; nobody takes it before it is published."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return show("import.html", 422, problems=[_("Choose a file first.")])
    try:
        with unpacked(upload.stream, upload.filename) as folder:
            row = exchange.take(exchange.read_folder(folder), reader())
    except (Invalid, Refused) as problem:
        db.session.rollback()
        return show("import.html", 422, problems=str(problem).splitlines())
    finally:
        upload.close()
    flash(_("The course is there. Look at it, then publish it."))
    return redirect(url_for("training.content", course_id=row.id), 303)
