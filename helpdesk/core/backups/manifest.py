"""What a backup says of itself, so that a restore can tell whether all of it came back."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from helpdesk.core.backups.errors import Unusable

FORMAT = 1
WHOLE, DATABASE = "whole", "database"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_SHOWN = 20


@dataclass(frozen=True)
class Rows:
    """How many rows a table has, and its largest number (None where it has no such column)."""

    count: int
    newest: int | None = None


@dataclass(frozen=True)
class NamedFiles:
    """The files that rows of the database name, and those of them that were not there."""

    named: int = 0
    missing: int = 0
    # The first few, for whoever looks for them.
    examples: list[str] = field(default_factory=list)

    def with_missing(self, sha256: str) -> "NamedFiles":
        examples = [*self.examples, sha256][:_SHOWN]
        return NamedFiles(self.named, self.missing + 1, examples)


@dataclass(frozen=True)
class Manifest:
    """The last member of a backup; what stands in ``SHA256SUMS`` is not repeated here."""

    made_at: str
    # The version of the desk that made it.
    version: str
    # "whole", or "database": without files and keys, as made before an upgrade.
    kind: str
    database: str
    database_version: str
    # Version table -> revision, for the core and for every plugin that has ever had one.
    revisions: dict[str, str]
    rows: dict[str, Rows]
    files: NamedFiles
    # Number of members that SHA256SUMS lists, the sum of their sizes, and its own hash.
    members: int
    size: int
    sums: str
    # The identity of the desk's home.
    desk: str = ""
    format: int = FORMAT

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Raises :class:`Unusable` with a sentence, for one of a newer format too."""
        try:
            values: dict[str, Any] = json.loads(data)
            if values["format"] > FORMAT:
                raise Unusable(
                    f"This backup has format {values['format']} and was made by a newer version "
                    f"({values.get('version')}); install that version and restore again."
                )
            values["rows"] = {str(name): Rows(**found) for name, found in values["rows"].items()}
            values["files"] = NamedFiles(**values["files"])
            known = {one.name for one in fields(cls)}
            return cls(**{key: value for key, value in values.items() if key in known})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unusable("The manifest of this backup cannot be read; use another backup.") from error
