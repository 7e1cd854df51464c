"""What an installation is told from outside: defaults, then helpdesk.toml, then HELPDESK_* variables."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from helpdesk.core.paths import Home

_EVERYWHERE = "0.0.0.0"  # nosec B104 # compared with; nothing listens there unless told to


class ConfigError(Exception):
    """The configuration cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Config:
    """The configuration of one process. What owners change while it runs is a setting in the database."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    queue_url: str = ""
    public_url: str = ""
    trusted_proxies: int = 0
    max_upload_mb: int = 25
    threads: int = 8
    # A worker that is not heard of for so long has lost its jobs to the others.
    lease_seconds: int = 30
    debug: bool = False
    safe_mode: bool = False
    # Whether administrators may install plugins in the browser; the command line always may.
    install_plugins: bool = True
    testing: bool = False

    @property
    def paths(self) -> Home:
        return Home(self.home)

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{self.paths.database}"

    @property
    def is_sqlite(self) -> bool:
        return self.sqlalchemy_url.startswith("sqlite")

    @property
    def address(self) -> str:
        """Where people reach the desk; links in mails and the setup link are built from it."""
        return (self.public_url or f"http://{self._link_host()}:{self.port}").rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether people reach the desk by https alone: then cookies are for https only, and browsers are told so."""
        return self.address.startswith("https://")

    def _link_host(self) -> str:
        host = "127.0.0.1" if self.host in (_EVERYWHERE, "::", "") else self.host
        return f"[{host}]" if ":" in host else host


_OPERATOR_KEYS = tuple(field.name for field in fields(Config) if field.name not in ("home", "testing"))


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    """Read the configuration.

    ``overrides`` (a command's options) win over ``HELPDESK_*``, which win over ``helpdesk.toml``.
    Raises :class:`ConfigError` naming the setting, the file or variable, and what is accepted.
    """
    environ = os.environ if environ is None else environ
    home = Path(overrides.pop("home", None) or environ.get("HELPDESK_HOME") or "instance").expanduser().resolve()
    config = Config(home=home)
    config = _merge(config, _read_file(Home(home).config_file), "helpdesk.toml")
    variables = {
        key: environ[f"HELPDESK_{key.upper()}"] for key in _OPERATOR_KEYS if environ.get(f"HELPDESK_{key.upper()}")
    }
    config = _merge(config, variables, "the environment", prefix="HELPDESK_")
    config = replace(config, **{key: value for key, value in overrides.items() if value is not None})
    return _check(config)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        # A home that is no folder is named when it is prepared.
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}. Correct that line and start again.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); correct it and start again.") from error


def _merge(config: Config, values: Mapping[str, Any], source: str, prefix: str = "") -> Config:
    types = {field.name: type(getattr(config, field.name)) for field in fields(config)}
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _OPERATOR_KEYS:
            known = ", ".join(_OPERATOR_KEYS)
            raise ConfigError(f"{source} has an unknown setting “{key}”; known settings are {known}.")
        read[key] = _convert(types[key], value, f"{prefix}{key.upper() if prefix else key}", source)
    return replace(config, **read)


def _convert(kind: type, value: Any, name: str, source: str) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("1", "true", "yes", "on"):
            return True
        if word in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{name} in {source} is “{value}”; it takes true or false.")
    if kind is int:
        try:
            if isinstance(value, bool):
                raise ValueError
            return int(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{name} in {source} is “{value}”; it takes a whole number.") from None
    if not isinstance(value, str):
        raise ConfigError(f"{name} in {source} is “{value}”; it takes text in quotation marks.")
    return value.strip()


def _check(config: Config) -> Config:
    if not 0 <= config.port <= 65535:
        raise ConfigError(f"The port {config.port} does not exist; choose one from 1 to 65535.")
    if not 1 <= config.max_upload_mb <= 1024:
        raise ConfigError(f"max_upload_mb is {config.max_upload_mb}; it takes 1 to 1024.")
    if not 1 <= config.threads <= 64:
        raise ConfigError(f"threads is {config.threads}; it takes 1 to 64.")
    if not 3 <= config.lease_seconds <= 3600:
        raise ConfigError(f"lease_seconds is {config.lease_seconds}; it takes 3 to 3600.")
    if config.public_url and not config.public_url.startswith(("http://", "https://")):
        raise ConfigError(f"public_url is “{config.public_url}”; it must begin with http:// or https://.")
    if config.database_url and not config.database_url.startswith(("sqlite:", "postgresql")):
        raise ConfigError("database_url must begin with sqlite:/// or postgresql://.")
    if config.queue_url and not config.queue_url.startswith(("redis:", "rediss:", "unix:")):
        raise ConfigError("queue_url must begin with redis://.")
    return config
