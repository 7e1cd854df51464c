"""Attachments on disk: named by the SHA-256 of their bytes, streamed in and out, written once."""

import hashlib
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flask import current_app

from helpdesk.core.config import Config
from helpdesk.core.drafts import IncomingFile, StoredFile
from helpdesk.core.models.columns import storable

# Begins the name of a file that is still being written.
ASIDE = ".incoming-"
_CHUNK = 1 << 18
# So many files at a time are waited for until they are on disk.
_SYNCING = 8
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


@dataclass
class _Written:
    """A file that has been written and not been put in its place yet."""

    aside: Path
    stored: StoredFile

    @property
    def target(self) -> Path:
        return path_of(self.stored.sha256)


def store(
    stream: BinaryIO, name: str, content_type: str, *, content_id: str | None = None, limit: int | None = None
) -> StoredFile:
    """Write a stream to disk and return what to attach. Outside any transaction; equal bytes are kept once.

    A file that no message, no incoming item and no plugin names is removed after two days.
    Raises :class:`TooLarge` over ``limit`` bytes (default: the configured upload size).
    """
    limit = limit if limit is not None else _config().max_upload_mb * 1024 * 1024
    aside = _new_aside()
    try:
        written = _write(aside, stream, name, content_type, content_id, limit)
        _sync(written.aside)
        written.target.parent.mkdir(exist_ok=True)
        aside.rename(written.target)
        sync_folder(written.target.parent)
    finally:
        aside.unlink(missing_ok=True)
    return written.stored


def store_many(every: Sequence[IncomingFile]) -> list[StoredFile]:
    """:func:`store` for many that are in memory, without a limit of its own. All are kept, or it raises.

    They are made to last together: a disk that is asked once for fifty takes little longer than for one.
    """
    if len(every) == 1:
        (one,) = every
        return [store_bytes(one.data, one.name, one.content_type, content_id=one.content_id)]
    asides = [_new_aside() for _one in every]
    try:
        written = [
            _write(aside, io.BytesIO(one.data), one.name, one.content_type, one.content_id, len(one.data))
            for aside, one in zip(asides, every, strict=True)
        ]
        folders = {file.target.parent for file in written}
        with ThreadPoolExecutor(_SYNCING) as pool:
            list(pool.map(_sync, asides))
            for folder in folders:
                folder.mkdir(exist_ok=True)
            for file in written:
                file.aside.rename(file.target)
            list(pool.map(_sync, folders))
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)
    return [file.stored for file in written]


def _new_aside() -> Path:
    return _config().paths.files / f"{ASIDE}{secrets.token_hex(8)}"


def _write(aside: Path, stream: BinaryIO, name: str, content_type: str, content_id: str | None, limit: int) -> _Written:
    digest, size, head = hashlib.sha256(), 0, b""
    with aside.open("xb") as file:
        while chunk := stream.read(_CHUNK):
            head = head or chunk[:16]
            size += len(chunk)
            if size > limit:
                raise TooLarge(name)
            digest.update(chunk)
            file.write(chunk)
    kept = StoredFile(clean_name(name), _type_of(head, content_type), size, digest.hexdigest(), content_id)
    return _Written(aside, kept)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a power cut. Raises OSError."""
    _sync(folder)


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
