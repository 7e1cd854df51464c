"""Files on disk: named by their content, written whole or not at all, with names and types that harm nobody."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core import files
from helpdesk.core.drafts import IncomingFile


def folder(home: Path) -> list[Path]:
    return sorted(path for path in (home / "files").rglob("*") if path.is_file())


def test_equal_bytes_are_kept_once(app: Any, home: Path) -> None:
    first = files.store(io.BytesIO(b"abc"), "a.txt", "text/plain")
    second = files.store_bytes(b"abc", "b.txt", "text/plain", content_id="c1")
    assert first.sha256 == second.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (first.size, first.name, second.name, second.content_id) == (3, "a.txt", "b.txt", "c1")
    assert [path.name for path in folder(home)] == [first.sha256]
    assert files.path_of(first.sha256).read_bytes() == b"abc"


def test_a_file_over_the_limit_leaves_nothing(app: Any, home: Path) -> None:
    with pytest.raises(files.TooLarge):
        files.store(io.BytesIO(b"x" * 1_000_001), "big", "text/plain", limit=1_000_000)
    assert folder(home) == []
    assert files.store(io.BytesIO(b"x" * 1_000_000), "big", "text/plain", limit=1_000_000).size == 1_000_000


def test_the_configured_size_is_the_limit(make_app: Any) -> None:
    app = make_app({}, max_upload_mb=1)
    with app.app_context():
        with pytest.raises(files.TooLarge):
            files.store(io.BytesIO(b"x" * (1024 * 1024 + 1)), "big", "text/plain")


def test_a_stream_that_breaks_leaves_nothing(app: Any, home: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise ConnectionError("gone")
            return super().read(size)

    with pytest.raises(ConnectionError):
        files.store(Broken(b"x" * 600_000), "a", "text/plain")
    assert folder(home) == []


def test_a_full_disk_leaves_nothing_and_the_next_try_works(
    app: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            files.store_bytes(b"abc", "a", "text/plain")
    assert folder(home) == []
    assert files.store_bytes(b"abc", "a", "text/plain").size == 3


def test_many_are_kept_in_their_order_and_equal_ones_once(app: Any, home: Path) -> None:
    datas = [b"one", b"two", b"one", b"\x89PNG\r\n\x1a\n3"]
    stored = files.store_many([IncomingFile("a", "text/plain", data, "cid@1") for data in datas])
    assert [files.path_of(one.sha256).read_bytes() for one in stored] == datas
    assert [one.content_type for one in stored] == [*["text/plain"] * 3, "image/png"]
    assert {one.content_id for one in stored} == {"cid@1"} and len(folder(home)) == 3
    assert files.store_many([]) == []


def test_of_many_that_cannot_be_kept_nothing_is_left_aside(
    app: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    many = [IncomingFile("a", "text/plain", f"{number}".encode()) for number in range(9)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            files.store_many(many)
    assert folder(home) == []
    assert len(files.store_many(many)) == 9


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "/.."])
def test_only_a_hash_has_a_path(app: Any, name: str) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        files.path_of(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\bill.pdf", "bill.pdf"),
        ("\u200b.htaccess", "htaccess"),
        ("evil\u202egnp.html", "evilgnp.html"),
        ("two\r\nlines\x00.txt", "twolines\ufffd.txt"),
        ("  . ", "file"),
        ("", "file"),
        ("退款.pdf", "退款.pdf"),
        ("x" * 300, "x" * 200),
        ("lone\ud800.txt", "lone\ufffd.txt"),
    ],
)
def test_names_are_made_harmless(given: str, kept: str) -> None:
    assert files.clean_name(given) == kept


@pytest.mark.parametrize(
    ("data", "claimed", "kept"),
    [
        (b"\x89PNG\r\n\x1a\n...", "text/html", "image/png"),
        (b"\xff\xd8\xff...", "image/png", "image/jpeg"),
        (b"GIF89a...", "application/x", "image/gif"),
        (b"RIFF....WEBPVP8 ", "x", "image/webp"),
        (b"%PDF-1.7", "text/plain", "application/pdf"),
        (b"<script>", "image/png", "application/octet-stream"),
        (b"<svg>", "image/svg+xml", "image/svg+xml"),
        (b"hello", "text/plain; charset=utf-8", "text/plain"),
        (b"hello", "text/plain\r\nSet-Cookie: x", "application/octet-stream"),
        (b"hello", "", "application/octet-stream"),
    ],
)
def test_a_type_is_believed_only_where_it_does_no_harm(app: Any, data: bytes, claimed: str, kept: str) -> None:
    stored = files.store_bytes(data, "x", claimed)
    assert stored.content_type == kept
    assert "image/svg+xml" not in files.INLINE_TYPES


def test_many_who_store_the_same_at_once_all_have_it(app: Any, at_once: Any, home: Path) -> None:
    data = os.urandom(300_000)
    stored = at_once(8, lambda _place: files.store_bytes(data, "x", "text/plain"))
    assert len({one.sha256 for one in stored}) == 1
    assert [path.read_bytes() for path in folder(home)] == [data]
