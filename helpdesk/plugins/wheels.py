"""Looks into a wheel without unpacking it or running any of it, and seals it with a manifest."""

import base64
import csv
import email.parser
import hashlib
import io
import platform
import re
import sys
import zipfile
import zlib
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag, sys_tags
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from helpdesk.plugins import manifest, reading
from helpdesk.plugins.loading import CORE, ENTRY_POINTS, PluginError, check_name
from helpdesk.plugins.manifest import Manifest

LARGEST: Final = 50 * 1024 * 1024
_MOST_FILES: Final = 5000
_LARGEST_UNPACKED: Final = 200 * 1024 * 1024
# More than a hundred to one is no text and no picture, but a bomb.
_RATIO, _RATIO_FROM = 200, 1024 * 1024
_NOT_A_WHEEL: Final = "This is no wheel, or a damaged one; build it again with 'helpdesk plugin build'."
# What reading a damaged, encrypted or made-up archive raises.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError)
_MODULE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class Wheel:
    """One plugin's wheel as it was read. ``said`` is its manifest, if it has one that we understand."""

    path: Path
    sha256: str
    read: Manifest
    said: Manifest | None
    # Its one top-level package, its folder of metadata, and its name by what it says of itself.
    package: str
    info: str
    file_name: str
    # Lines whose names cannot be told without running them.
    unclear: tuple[str, ...]

    @property
    def is_sealed(self) -> bool:
        return self.said is not None


def inspect(path: Path) -> Wheel:
    """Read a wheel. Raises :class:`PluginError` with one sentence when it is no wheel of exactly one plugin."""
    try:
        if path.stat().st_size > LARGEST:
            raise PluginError(f"The file is larger than {LARGEST // 1024 // 1024} MB; a plugin is smaller.")
        with zipfile.ZipFile(path) as archive:
            return _inspect(path, archive)
    except _BROKEN as error:
        raise PluginError(_NOT_A_WHEEL) from error


def _inspect(path: Path, archive: zipfile.ZipFile) -> Wheel:
    _check_members(archive)
    info = _info_folder(archive)
    metadata = email.parser.Parser().parsestr(_text(archive, f"{info}/METADATA"))
    name, module = _entry_point(_text(archive, f"{info}/entry_points.txt", missing=""))
    distribution, version = _identity(metadata, info)
    package = module.split(".")[0]
    _check_package(archive, info, package)
    _check_python(metadata["Requires-Python"])
    file_name = _file_name(archive, info, distribution, version)
    found = reading.read({member: archive.read(member) for member in archive.namelist() if member.endswith(".py")})
    read = Manifest(
        name=name,
        distribution=distribution,
        version=version,
        summary=_line(metadata["Summary"]),
        author=_line(metadata["Author"] or metadata["Author-email"]),
        requires=tuple(_line(text) for text in metadata.get_all("Requires-Dist") or ()),
        **found.sorted(),
    )
    kept = f"{info}/{manifest.FILE}"
    said = manifest.parse(archive.read(kept)) if kept in archive.namelist() else None
    if said is not None and (wrong := manifest.differences(said, read)):
        raise PluginError(f"Its manifest does not fit its code ({'; '.join(wrong)}); do not use this wheel.")
    return Wheel(path, digest(path), read, said, package, info, file_name, tuple(found.unclear))


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > _MOST_FILES:
        raise PluginError(f"The wheel holds more than {_MOST_FILES} files; a plugin has fewer.")
    if sum(member.file_size for member in members) > _LARGEST_UNPACKED:
        raise PluginError(f"Unpacked, the wheel would take more than {_LARGEST_UNPACKED // 1024 // 1024} MB.")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
        outside = name.startswith("/") or ".." in parts or "\\" in name or ":" in name or not parts
        if outside or is_link or not name.isprintable():
            raise PluginError("The wheel holds a file that would lie outside its folder; do not use it.")
        if name.casefold() in seen:
            raise PluginError("The wheel holds two files of the same name; do not use it.")
        seen.add(name.casefold())
        if member.file_size > _RATIO_FROM and member.file_size > _RATIO * max(member.compress_size, 1):
            raise PluginError("The wheel holds a file that unpacks to very much more than it is; do not use it.")
    if (broken := archive.testzip()) is not None:
        raise PluginError(f"The wheel is damaged ({broken}); fetch or build it again.")


def _info_folder(archive: zipfile.ZipFile) -> str:
    folders = {name.split("/")[0] for name in archive.namelist() if name.split("/")[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise PluginError(_NOT_A_WHEEL)
    return folders.pop()


def _text(archive: zipfile.ZipFile, name: str, missing: str | None = None) -> str:
    try:
        return archive.read(name).decode("utf-8")
    except KeyError:
        if missing is None:
            raise PluginError(_NOT_A_WHEEL) from None
        return missing
    except UnicodeDecodeError as error:
        raise PluginError(f"{name.split('/')[-1]} in the wheel is not UTF-8; build it again.") from error


def _entry_point(text: str) -> tuple[str, str]:
    """Name and module of the one plugin. A wheel with programs of its own is refused: they could replace ours."""
    entries = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    entries.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        entries.read_string(text)
    except ConfigError as error:
        raise PluginError("The entry points of the wheel cannot be read; build it again.") from error
    found = entries.items(ENTRY_POINTS) if entries.has_section(ENTRY_POINTS) else []
    if not found:
        raise PluginError(f"This is no plugin: it has no entry point of the group {ENTRY_POINTS}.")
    if len(found) > 1:
        names = ", ".join(name for name, _value in found)
        raise PluginError(f"It holds {len(found)} plugins ({names}); a distribution holds one.")
    for section in ("console_scripts", "gui_scripts"):
        if entries.has_section(section) and entries.options(section):
            names = ", ".join(entries.options(section))
            raise PluginError(f"It brings programs of its own ({names}); let it register commands instead.")
    name, module = found[0]
    check_name(name)
    if not _MODULE.fullmatch(module):
        raise PluginError(f"Its entry point {name} = {module} names no module.")
    return name, module


def _identity(metadata: Message, info: str) -> tuple[str, str]:
    distribution, version = _line(metadata["Name"]), _line(metadata["Version"])
    try:
        Version(version)
    except InvalidVersion as error:
        raise PluginError(f"“{version}” is no version; write it like 1.0.0.") from error
    stem = info.removesuffix(".dist-info").rpartition("-")[0]
    if not distribution or canonicalize_name(stem) != canonicalize_name(distribution):
        raise PluginError(f"The wheel names itself “{distribution}” and its folder {info}; build it again.")
    if canonicalize_name(distribution) == CORE:
        raise PluginError("This is the help desk itself and no plugin.")
    return distribution, version


def _check_package(archive: zipfile.ZipFile, info: str, package: str) -> None:
    """Everything lies in one package of its own: nothing can overwrite files of the desk or of others."""
    if package == CORE or package in sys.stdlib_module_names:
        raise PluginError(f"Its package may not be named “{package}”; name it “helpdesk_<name of the plugin>”.")
    for member in archive.namelist():
        top = member.split("/")[0]
        if top not in (info, package, f"{package}.py"):
            raise PluginError(f"It would put “{top}” beside its own package {package}; take that out of the wheel.")
    if not any(name in (f"{package}.py", f"{package}/__init__.py") for name in archive.namelist()):
        raise PluginError(f"Its entry point names the package {package}, which is not in the wheel.")


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:500]


def _file_name(archive: zipfile.ZipFile, info: str, distribution: str, version: str) -> str:
    """How the wheel is called by what it says of itself: the name under which it came is never used."""
    about = email.parser.Parser().parsestr(_text(archive, f"{info}/WHEEL"))
    tags = [tag.strip() for tag in about.get_all("Tag") or ()]
    ours = set(sys_tags())
    try:
        fitting = [tag for tag in tags if not ours.isdisjoint(parse_tag(tag))]
    except ValueError as error:
        raise PluginError(_NOT_A_WHEEL) from error
    if not fitting:
        raise PluginError(f"It is made for another Python or another kind of machine ({', '.join(tags[:3])}).")
    stem = canonicalize_name(distribution).replace("-", "_")
    return f"{stem}-{Version(version)}-{fitting[0]}.whl"


def _check_python(text: str | None) -> None:
    try:
        fits = SpecifierSet(text or "").contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        return
    if not fits:
        raise PluginError(f"It needs Python {text} and this is Python {platform.python_version()}.")


def seal(wheel: Wheel) -> Wheel:
    """Write the manifest into the wheel, and its line into RECORD. Raises :class:`PluginError` when code is unclear."""
    if wheel.unclear:
        raise PluginError(
            f"What it uses cannot be read at {wheel.unclear[0]}; "
            "write the name there as a plain text in quotation marks."
        )
    if wheel.is_sealed:
        return wheel
    name, record = f"{wheel.info}/{manifest.FILE}", f"{wheel.info}/RECORD"
    content = wheel.read.dump().encode()
    aside = wheel.path.with_suffix(".sealed")
    with zipfile.ZipFile(wheel.path) as old, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            if member.filename not in (name, record):
                new.writestr(member, old.read(member))
        new.writestr(_dated(name), content)
        new.writestr(_dated(record), _record(_text(old, record, missing=""), name, record, content))
    aside.replace(wheel.path)
    return inspect(wheel.path)


def _dated(name: str) -> zipfile.ZipInfo:
    # The same content makes the same file: its hash can be published.
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _record(text: str, name: str, record: str, content: bytes) -> str:
    rows = [row for row in csv.reader(io.StringIO(text)) if row and row[0] not in (name, record)]
    hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    rows += [[name, f"sha256={hashed}", str(len(content))], [record, "", ""]]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()
