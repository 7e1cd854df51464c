"""Files of a form: streamed to disk before anything else, and kept while the person corrects the rest."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO, cast

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from helpdesk.core import files
from helpdesk.core.drafts import StoredFile
from helpdesk.core.models import User

# More than anybody attaches by hand; a form with more is refused by the framework.
MOST = 50


def store_all(uploads: Sequence[FileStorage]) -> list[StoredFile]:
    """Write the uploads to disk, empty fields left out. Raises ``files.TooLarge`` with the name of the file."""
    try:
        return [
            files.store(cast(BinaryIO, upload.stream), upload.filename, upload.mimetype)
            for upload in uploads[:MOST]
            if upload.filename
        ]
    finally:
        for upload in uploads:
            upload.close()


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
