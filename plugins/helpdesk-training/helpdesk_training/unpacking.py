"""A folder that came as a ZIP file, unpacked where nothing of it leads out and nothing grows without end."""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from helpdesk.api import Invalid
from helpdesk.api import gettext as _

MOST_FILES, MOST_BYTES = 1_000, 50 * 1024 * 1024
_CHUNK, _LINK = 1 << 16, 0xA
# What reading an archive raises that is damaged, locked or packed in an unknown way.
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
)  # fmt: skip


@contextmanager
def unpacked(stream: IO[bytes], name: str = "") -> Iterator[Path]:
    """The folder, for the time of the block; ``name`` is the file's. Raises :class:`Invalid` (folder)."""
    with TemporaryDirectory(prefix="training-") as place:
        # A course without a name is called as its folder: that one is as the file.
        folder = Path(place) / (_stem(name) or "course")
        folder.mkdir()
        try:
            with zipfile.ZipFile(stream) as archive:
                _unpack(archive, folder)
        except _DAMAGED:
            raise Invalid("folder", _("This cannot be read as a ZIP file. Pack the folder once more.")) from None
        inside = list(folder.iterdir())
        # Most programs pack the folder itself, some what is in it.
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _stem(name: str) -> str:
    """What a file is called, as a folder may be called on any disk."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return "".join(sign for sign in stem if sign.isalnum() or sign in " -_()").strip()[:60]


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    entries = [one for one in archive.infolist() if not one.is_dir()]
    if len(entries) > MOST_FILES:
        raise Invalid("folder", _("These are too many files; %(number)s fit.", number=MOST_FILES))
    left = MOST_BYTES
    for one in entries:
        left = _write(archive, one, folder, left)


def _write(archive: zipfile.ZipFile, one: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Write one file; answers how many bytes are left for the others, whatever the archive says of its size."""
    name = PurePosixPath(one.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in one.filename or one.external_attr >> 28 == _LINK:
        raise Invalid("folder", _("“%(name)s” leads out of the folder. Take it out.", name=one.filename[:100]))
    if any(part.startswith((".", "__MACOSX")) for part in name.parts):
        return left
    target = folder.joinpath(*name.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(one) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise Invalid("folder", _("This is too large; %(number)s MB fit.", number=MOST_BYTES // 1024 // 1024))
            file.write(chunk)
    return left
