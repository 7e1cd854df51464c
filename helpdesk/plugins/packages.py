"""Runs the installer of Python packages (pip, or uv where pip is missing) in the environment of this desk."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from helpdesk.plugins.loading import CORE, PluginError

_PATIENCE: Final = 600.0
# What an installer writes beside what came in the wheel.
_ADDED: Final = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
# Files that an installer which outlives this process keeps open.
_held: Final[list[int]] = []
_LARGEST_SCRIPT: Final = 256 * 1024
_NO_INSTALLER: Final = (
    "Neither pip nor uv is in the environment of this desk; add one, for example with 'python -m ensurepip'."
)


def fetch(requirement: str, out: Path, find_links: Sequence[Path] = ()) -> Path:
    """Fetch the wheel of an index name (``helpdesk-orders==1.2``) into ``out``. Raises :class:`PluginError`.

    Only wheels: anything else would have to be built, which runs its code.
    """
    try:
        wanted = Requirement(requirement)
    except InvalidRequirement as error:
        raise PluginError(
            f"“{requirement}” is no folder, no wheel and no name of a package; "
            "write a path or a name like helpdesk-orders."
        ) from error
    if wanted.url or wanted.marker or wanted.extras:
        raise PluginError("Write a path, or a name with a version such as helpdesk-orders==1.2.")
    if not has_pip():
        raise PluginError("pip is needed to fetch a package by its name; fetch its wheel, and install that.")
    wheels = out / "fetched"
    wheels.mkdir()
    words = ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(wheels)]
    done = run([*pip(), *words, *_links(find_links), str(wanted)])
    found = sorted(wheels.glob("*.whl"))
    if done.returncode != 0 or len(found) != 1:
        raise PluginError(f"“{wanted}” could not be fetched: {reason(done)}")
    return found[0]


def install(
    wheel: Path, distribution: str, requires: Sequence[str], out: Path, find_links: Sequence[Path] = ()
) -> None:
    """Install what a wheel needs and lacks, then the wheel; every other package stays as it is.

    Only wheels come along: building anything else would run its code. Raises :class:`PluginError`.
    """
    if lacking := missing(requires):
        held = out / "held.txt"
        held.write_text("".join(f"{line}\n" for line in _installed_versions(distribution)), encoding="utf-8")
        words = ["install", "--only-binary", ":all:", "--constraint", str(held), *_links(find_links), *lacking]
        there, programs = names(), _programs()
        _do(words, "What it needs could not be installed")
        _check_what_came(sorted(names() - there), programs)
    again = (
        "--ignore-installed" if is_installed(distribution) and not _has_record(distribution) else "--force-reinstall"
    )
    _do(["install", "--no-deps", "--no-index", again, str(wheel)], "It could not be installed")


def _check_what_came(came: Sequence[str], programs: dict[Path, bytes]) -> None:
    """Nothing that its owner was not shown comes along: no other plugin, and no program in the place of one of ours."""
    for name in came:
        dist = importlib.metadata.distribution(name)
        sentence = ""
        if any(entry.group == CORE or entry.group.startswith(f"{CORE}.") for entry in dist.entry_points):
            sentence = f"It needs {name}, which is a plugin itself; install that first, so that you see what it uses."
        replaced = sorted(path.name for path, content in programs.items() if _content(path) != content)
        if replaced and not sentence:
            sentence = f"What it needs would replace the program “{replaced[0]}” of this desk; do not use this plugin."
        if not sentence:
            continue
        for other in came:
            uninstall(other)
        for path, content in programs.items():
            if _content(path) != content:
                path.write_bytes(content)
                path.chmod(0o755)
        raise PluginError(sentence)


def _programs() -> dict[Path, bytes]:
    """The scripts of this environment; those that are no text are larger than any script."""
    folder = Path(sysconfig.get_path("scripts"))
    found = folder.iterdir() if folder.is_dir() else ()
    return {
        path: path.read_bytes()
        for path in found
        if path.is_file() and not path.is_symlink() and path.stat().st_size < _LARGEST_SCRIPT
    }


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def names() -> frozenset[str]:
    """The names of what is installed now."""
    importlib.invalidate_caches()
    found = (dist.metadata["Name"] for dist in importlib.metadata.distributions())
    return frozenset(canonicalize_name(name) for name in found if name)


def _do(words: list[str], trouble: str) -> None:
    if has_pip():
        done = run([*pip(), *words])
    else:
        words = ["--reinstall" if word in ("--ignore-installed", "--force-reinstall") else word for word in words]
        done = run([*uv(), "pip", words[0], "--python", sys.executable, *words[1:]])
    importlib.invalidate_caches()
    if done.returncode != 0:
        raise PluginError(f"{trouble}: {reason(done)}")


def missing(requires: Sequence[str]) -> list[str]:
    """The requirements that this environment does not meet yet. Raises :class:`PluginError` for one that may not be."""
    found = []
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise PluginError(f"It needs “{text}”, which is no requirement that can be understood.") from error
        if requirement.url:
            raise PluginError(f"It needs {requirement.name} from an address of its own; only names are fetched.")
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = ""
        if canonicalize_name(requirement.name) != CORE and not (
            version and requirement.specifier.contains(version, prereleases=True)
        ):
            requirement.marker = None
            found.append(str(requirement))
    return found


def uninstall(distribution: str) -> None:
    """Take a distribution out of the environment. Raises :class:`PluginError`."""
    words = ["uninstall", distribution] if not has_pip() else ["uninstall", "--yes", distribution]
    _do(words, f"{distribution} could not be uninstalled")


def is_installed(distribution: str) -> bool:
    """Whether a distribution is in the environment now."""
    importlib.invalidate_caches()
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _has_record(distribution: str) -> bool:
    # An installation that was cut short may lack the list of its files; pip cannot take that one out.
    return importlib.metadata.distribution(distribution).files is not None


def folder_of_editable(distribution: str) -> str | None:
    """Where a distribution is worked on, if it is not a copy (``pip install -e``, a workspace); else None."""
    try:
        text = importlib.metadata.distribution(distribution).read_text("direct_url.json")
        found = json.loads(text or "{}")
        if found.get("dir_info", {}).get("editable"):
            return str(found.get("url", "")).removeprefix("file://")
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        pass
    return None


def repack(distribution: str, out: Path) -> Path | None:
    """A wheel of what is installed now, to go back to; None when its files are not known."""
    dist = importlib.metadata.distribution(distribution)
    name = canonicalize_name(distribution).replace("-", "_")
    tag = re.search(r"^Tag: (\S+)$", dist.read_text("WHEEL") or "", re.MULTILINE)
    if not dist.files or tag is None:
        return None
    path = out / f"{name}-{dist.version}-{tag[1]}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in dist.files:
            place = Path(str(dist.locate_file(file)))
            ours = file.name in ("INSTALLER", "REQUESTED", "direct_url.json") and file.parent.name.endswith(
                ".dist-info"
            )
            if ".." in file.parts or ours or "__pycache__" in file.parts or not place.is_file():
                continue
            archive.write(place, file.as_posix())
    return path


def has_pip() -> bool:
    """Whether pip is in the environment of this desk."""
    return importlib.util.find_spec("pip") is not None


def pip() -> list[str]:
    """How pip of this environment is called."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-color"]


def uv() -> list[str]:
    """How uv is called. Raises :class:`PluginError` when there is none."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise PluginError(_NO_INSTALLER)
    return [found, "--no-progress", "--color", "never"]


@contextmanager
def held_by(lock: int) -> Iterator[None]:
    """In the block, installers hold the file ``lock`` open as well: a lock on it lasts as long as one of them runs."""
    _held.append(lock)
    try:
        yield
    finally:
        _held.remove(lock)


def held() -> tuple[int, ...]:
    """The files that a child of this process holds open for it."""
    return tuple(_held)


def _links(folders: Sequence[Path]) -> list[str]:
    return [word for folder in folders for word in ("--find-links", str(folder))]


def _installed_versions(without: str) -> list[str]:
    """What is installed, each held at its version: a plugin never changes what the desk itself stands on."""
    lines = set()
    for dist in importlib.metadata.distributions():
        name = dist.metadata["Name"]
        try:
            if name and canonicalize_name(name) != canonicalize_name(without):
                lines.add(f"{canonicalize_name(name)}=={Version(dist.version)}")
        except (InvalidVersion, TypeError):
            continue
    return sorted(lines)


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run an installer without a terminal; what it said is in the result."""
    environ = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    environ |= {"PIP_NO_INPUT": "1", "PYTHONWARNINGS": "ignore"}
    try:
        return subprocess.run(
            words,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            pass_fds=held(),
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 1, "", f"it took longer than {_PATIENCE / 60:.0f} minutes.")
    except OSError as error:
        raise PluginError(_NO_INSTALLER) from error


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """The installer's own words, as few as say it."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith(("ERROR:", "error:"))]
    return " ".join((errors or lines[-3:] or ["it did not say why."])[:2])[:600]
