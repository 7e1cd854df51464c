"""The home of an installation: where its database, files and keys lie."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


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
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def worker_sign(self) -> Path:
        """Touched by a worker whenever it looks for work, so that `helpdesk doctor` can tell when one last did."""
        return self.cache / "worker"

    @property
    def secret_file(self) -> Path:
        return self.root / "secret.key"

    def prepare(self) -> None:
        """Make the folders and check that they can be written.

        Raises :class:`HomeError` with one sentence that names the folder and what to do.
        """
        try:
            for folder in (self.root, self.files, self.plugins, self.themes, self.translations, self.cache):
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
