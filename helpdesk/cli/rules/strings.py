"""The strings of a plugin that is not installed: collected as Babel's commands would."""

import tomllib
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from helpdesk.cli.rules.project import Project

_OWN = {
    "_": None,
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}
_METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2"), ("**.py", "python")]


def collect(project: Project) -> Catalog:
    """A template with every string of the package."""
    catalog = Catalog(project=project.distribution, version=project.version, charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        str(project.source),
        method_map=_methods(project.folder / "pyproject.toml"),
        keywords={**DEFAULT_KEYWORDS, **_OWN},
        comment_tags=("Translators:",),
        strip_comment_tags=True,
    )
    for file, line, message, comments, context in found:
        place = (Path(project.package) / file).as_posix()
        catalog.add(message, locations=[(place, line)], auto_comments=comments, context=context)
    return catalog


def _methods(file: Path) -> list[tuple[str, str]]:
    """How files are read, as the project says; without a word of it: as usual."""
    mappings = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("babel", {}).get("mappings", ())
    # The first pattern that fits counts.
    return [(one["pattern"], one["method"]) for one in mappings if "pattern" in one and "method" in one] or _METHODS
