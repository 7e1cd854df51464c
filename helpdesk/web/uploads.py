"""Files of a form: streamed to disk before anything else, and kept while the person corrects the rest."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO, cast

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from helpdesk.core import files
from helpdesk.core.config import Config
from helpdesk.core.drafts import StoredFile
from helpdesk.core.models import User

# More than anybody attaches by hand; a form with more is refused by the framework.
MOST = 50
# What less than this is sent needs no look at the disk, and what stays free on it for mail and the database.
SMALL, RESERVE = 1 << 20, 200 << 20


class NotTaken(Exception):
    """A file cannot be kept; the text is a sentence that says why."""


def store_all(uploads: Sequence[FileStorage]) -> list[StoredFile]:
    """Write the uploads to disk, empty fields left out. Raises :class:`NotTaken`."""
    try:
        _check_room(uploads)
        return [
            files.store(cast(BinaryIO, upload.stream), upload.filename, upload.mimetype)
            for upload in uploads[:MOST]
            if upload.filename
        ]
    except files.TooLarge as problem:
        sentence = _("“%(name)s” is too large; leave it out or send a link to it.", name=str(problem))
        raise NotTaken(sentence) from problem
    finally:
        for upload in uploads:
            upload.close()


def _check_room(uploads: Sequence[FileStorage]) -> None:
    """Leave room on the disk for what cannot wait: mail that comes in, and the database."""
    size = sum(upload.stream.seek(0, os.SEEK_END) for upload in uploads)
    for upload in uploads:
        upload.stream.seek(0)
    config: Config = current_app.config["HELPDESK"]
    if size >= SMALL and shutil.disk_usage(config.paths.files).free < size + RESERVE:
        raise NotTaken(_("There is no room for files just now. Leave them out, or try again later."))


def keep(file: StoredFile, owner: User | None) -> str:
    """A sealed note of a stored file for a hidden field: a form that comes back need not send the bytes again."""
    return _seal(owner).dumps(asdict(file))


def kept(notes: Sequence[str], owner: User | None) -> list[StoredFile]:
    """The files behind sealed notes. Forged notes, and those of somebody else, are left out."""
    found = []
    for note in notes[:MOST]:
        try:
            file = StoredFile(**_seal(owner).loads(note))
        except (BadSignature, TypeError):
            continue
        if files.path_of(file.sha256).is_file():
            found.append(file)
    return found


def _seal(owner: User | None) -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=f"upload:{owner.id if owner else 0}")
