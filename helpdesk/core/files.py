"""Attachments on disk: named by the SHA-256 of their bytes, streamed in and out, written once."""

import hashlib
import io
import os
import re
import secrets
import unicodedata
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from helpdesk.core.config import Config
from helpdesk.core.drafts import StoredFile
from helpdesk.core.models.columns import storable

_CHUNK = 1 << 18
_HASH = re.compile(r"[0-9a-f]{64}")
# Shown in the browser; everything else is downloaded.
INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


class TooLarge(Exception):
    """A file is over the limit; nothing was kept."""


def store(
    stream: BinaryIO, name: str, content_type: str, *, content_id: str | None = None, limit: int | None = None
) -> StoredFile:
    """Write a stream to disk and return what to attach. Outside any transaction; equal bytes are kept once.

    Raises :class:`TooLarge` over ``limit`` bytes (default: the configured upload size).
    """
    limit = limit if limit is not None else _config().max_upload_mb * 1024 * 1024
    folder = _config().paths.files
    aside = folder / f".incoming-{secrets.token_hex(8)}"
    digest, size, head = hashlib.sha256(), 0, b""
    try:
        with aside.open("xb") as file:
            while chunk := stream.read(_CHUNK):
                head = head or chunk[:16]
                size += len(chunk)
                if size > limit:
                    raise TooLarge(name)
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        target = path_of(digest.hexdigest())
        target.parent.mkdir(exist_ok=True)
        aside.rename(target)
        _sync_folder(target.parent)
    finally:
        aside.unlink(missing_ok=True)
    return StoredFile(clean_name(name), _type_of(head, content_type), size, digest.hexdigest(), content_id)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def store_bytes(data: bytes, name: str, content_type: str, *, content_id: str | None = None) -> StoredFile:
    """:func:`store` for bytes that are in memory already (a mail's part): no limit of its own."""
    return store(io.BytesIO(data), name, content_type, content_id=content_id, limit=len(data))


def path_of(sha256: str) -> Path:
    """Where the bytes with that hash lie."""
    if not _HASH.fullmatch(sha256):
        raise ValueError("not a hash")
    return _config().paths.files / sha256[:2] / sha256


def clean_name(name: str) -> str:
    """A file name to show and to offer for download; never used on disk.

    Folders, control and invisible characters go; an empty rest becomes “file”.
    """
    base = storable(name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(mark for mark in base if unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return kept.strip(" .")[:200] or "file"


def _type_of(head: bytes, claimed: str) -> str:
    """The type by the first bytes where it matters; a claimed image that is none is plain bytes."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    claimed = claimed.split(";")[0].strip().lower()
    if not re.fullmatch(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}", claimed) or claimed in INLINE_TYPES:
        return "application/octet-stream"
    return claimed


def _config() -> Config:
    config: Config = current_app.config["HELPDESK"]
    return config
