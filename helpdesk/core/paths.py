"""The home of an installation: where its database, files and keys lie."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

BEFORE_RESTORE = "before-restore-"


class HomeError(Exception):
    """The home cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Home:
    """Paths inside ``HELPDESK_HOME``. Nothing is created until :meth:`prepare` is called."""

    root: Path

    @property
    def config_file(self) -> Path:
        return self.root / "helpdesk.toml"

    @property
    def database(self) -> Path:
        return self.root / "helpdesk.sqlite3"

    @property
    def queue(self) -> Path:
        return self.root / "queue.sqlite3"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def plugins(self) -> Path:
        return self.root / "plugins"

    @property
    def themes(self) -> Path:
        return self.root / "themes"

    @property
    def translations(self) -> Path:
        return self.root / "translations"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def backup_lock(self) -> Path:
        """Held while a backup is made; machines that share ``files`` share it too."""
        return self.files / ".backup-lock"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def listening(self) -> Path:
        """The address that the web server was last told to listen on; options of a command may have named it."""
        return self.cache / "listening"

    @property
    def serving_lock(self) -> Path:
        """Held by every process that serves, and by a restore alone."""
        return self.cache / "serving.lock"

    @property
    def half_restored(self) -> Path:
        """There while a restore puts things in their places; it names the folder for what was there before."""
        return self.root / ".half-restored"

    @property
    def before_restore(self) -> Path | None:
        """Where what was there before lies, or a part of it, when a restore was cut short and had moved something."""
        try:
            found = self.root / self.half_restored.read_text(errors="replace").strip()
        except OSError:
            return None
        return found if found.name.startswith(BEFORE_RESTORE) and found.is_dir() else None

    def cut_restore(self) -> str:
        """What to do about a restore that was cut short, or an empty text when none was."""
        # (Whoever may not look into the home hears of that elsewhere.)
        if not os.path.exists(self.half_restored):
            return ""
        said = (
            f"A restore into {self.root} was cut short; nothing is lost: run the same 'helpdesk restore' again, with "
            "--swap."
        )
        return f"{said} What was there before is in {kept}." if (kept := self.before_restore) else said

    @property
    def restored_into(self) -> Path:
        """Which PostgreSQL database a backup was restored into together with this home."""
        return self.root / ".restored-into"

    @property
    def is_made(self) -> bool:
        """Whether a desk is here, even one that this account may not look at."""
        for path in (self.secret_file, self.half_restored):
            try:
                os.lstat(path)
                return True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return True
        return False

    @property
    def slow_plugins(self) -> Path:
        """Which plugins have held up a start: the next one leaves them out."""
        return self.cache / "slow-plugins.json"

    @property
    def uploads(self) -> Path:
        """Plugins that were uploaded and wait for a yes."""
        return self.cache / "uploads"

    @property
    def worker_sign(self) -> Path:
        """Touched by a worker whenever it looks for work, so that `helpdesk doctor` can tell when one last did."""
        return self.cache / "worker"

    @property
    def secret_file(self) -> Path:
        return self.root / "secret.key"

    @property
    def identity(self) -> str:
        """What tells this desk from others; it stays when the desk moves, with its key. Empty before there is one."""
        try:
            key = self.secret_file.read_bytes().strip()
        except OSError:
            return ""
        return hashlib.sha256(b"identity:" + key).hexdigest()[:32]

    def prepare(self) -> None:
        """Make the folders and check that they can be written.

        Raises :class:`HomeError` with one sentence that names the folder and what to do.
        """
        if said := self.cut_restore():
            raise HomeError(said)
        try:
            # What a desk knows is nobody else's on this machine. A home that is there already stays as it is.
            self.root.parent.mkdir(parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.files, self.plugins, self.themes, self.translations, self.cache):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".write-test-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise HomeError(
                f"The home {self.root} cannot be written ({error.strerror}); give this account write access "
                "to it or set HELPDESK_HOME to another folder."
            ) from error

    def secret_key(self) -> str:
        """The installation's secret, made on first use and readable by its owner only."""
        try:
            return self.secret_file.read_text().strip()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise HomeError(
                f"The key {self.secret_file} cannot be read ({error.strerror}); give this account access to it."
            ) from error
        return self._make_secret()

    def _make_secret(self) -> str:
        # Written beside and linked into place: of two processes that start at once, one wins and both read it.
        key = secrets.token_hex(32)
        draft = self.root / f".secret-{secrets.token_hex(8)}"
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, self.secret_file)
            except FileExistsError:
                key = self.secret_file.read_text().strip()
            draft.unlink()
        except OSError as error:
            raise HomeError(
                f"The key {self.secret_file} cannot be written ({error.strerror}); give this account write access "
                "to the home."
            ) from error
        return key
