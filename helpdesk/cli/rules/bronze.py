"""Bronze: it loads, keeps to its name, and to the interface for plugins."""

import ast
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from helpdesk import api
from helpdesk.cli.rules.finding import Case, Finding
from helpdesk.cli.rules.project import Project
from helpdesk.plugins.loading import range_problem
from helpdesk.plugins.manager import PluginError, check_name

_CORE = "helpdesk"
_SHORTEST_README = 40


def loads(case: Case) -> Iterator[Finding]:
    """It loads into a desk that has nothing but it and what it needs."""
    if case.seen.error:
        file = Path(case.seen.where.get("file") or case.project.source / "__init__.py")
        yield Finding("loads", case.seen.error, file, case.seen.where.get("line"))


def names(case: Case) -> Iterator[Finding]:
    """One name rules all: the distribution, the package, tables, templates."""
    project, name = case.project, case.project.name
    settings = project.folder / "pyproject.toml"
    try:
        check_name(name)
    except PluginError as error:
        yield Finding("names", str(error), settings)
        return
    if canonicalize_name(project.distribution) != f"helpdesk-{name.replace('_', '-')}":
        yield Finding("names", f"Name the distribution helpdesk-{name.replace('_', '-')}.", settings)
    if project.package != f"helpdesk_{name}":
        yield Finding("names", f"Name the package helpdesk_{name}.", settings)
    for table in case.seen.foreign_tables:
        yield Finding("names", f"Begin the name of the table {table} with {name}_.", project.source)
    templates = project.source / "templates"
    for path in sorted(templates.iterdir()) if templates.is_dir() else ():
        if path.name != name:
            yield Finding("names", f"Move it into templates/{name}/; elsewhere the desk does not look.", path)


def imports(case: Case) -> Iterator[Finding]:
    """Only the interface for plugins is used, and no module hides a name of it."""
    others = case.project.others
    for path in case.project.modules():
        for line, module in imported(path):
            if _is_foreign(module, case.project.package, others):
                sentence = f"Import from helpdesk.api instead of {module}; other modules change without notice."
                if module.startswith("helpdesk_"):
                    needed = module.split(".")[0]
                    sentence = f"Use {needed}.api, and name {needed.replace('_', '-')} in the dependencies."
                yield Finding("imports", sentence, path, line)
    yield from _hidden(case.project)
    for path in sorted(case.project.tests.rglob("*.py")):
        for line, module in imported(path):
            allowed = (case.project.package, "helpdesk.api", "helpdesk.testing", *others)
            if module.split(".")[0].startswith(_CORE) and not _is_below(module, allowed):
                sentence = f"Import from helpdesk.api or helpdesk.testing instead of {module}."
                yield Finding("imports", sentence, path, line)


def version_range(case: Case) -> Iterator[Finding]:
    """It says which versions of the desk it is made for."""
    file = case.project.folder / "pyproject.toml"
    found = [one for one in case.project.requirements if canonicalize_name(one.name) == _CORE]
    if not found or not any(spec.operator in ("<", "<=", "~=", "==") for spec in found[0].specifier):
        yield Finding("range", 'Write "helpdesk>=1,<2" into its dependencies: it says what it is made for.', file)
    elif problem := range_problem(found[0]):
        yield Finding("range", problem, file)


def readme(case: Case) -> Iterator[Finding]:
    """It says what it is for."""
    file = case.project.folder / "README.md"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    if len(text) < _SHORTEST_README:
        yield Finding("readme", "Write a README.md: what it is for, its settings, how it is used.", file)


RULES = (loads, names, imports, version_range, readme)


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """The modules that a file imports, with their lines; ``from a import b`` counts as a.b where that is a module."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == _CORE:
                yield from ((node.lineno, f"{_CORE}.{alias.name}") for alias in node.names)
            elif node.module.startswith("helpdesk_") and "." not in node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def _is_foreign(module: str, package: str, others: tuple[str, ...]) -> bool:
    top = module.split(".")[0]
    if top == _CORE:
        return module not in ("helpdesk.api", "helpdesk.__version__")
    return top.startswith("helpdesk_") and top != package and not _is_below(module, [f"{one}.api" for one in others])


def _is_below(module: str, allowed: list[str] | tuple[str, ...]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in allowed)


def _hidden(project: Project) -> Iterator[Finding]:
    """A submodule becomes an attribute of its package: it would take the place of what ``__init__`` imported."""
    file = project.source / "__init__.py"
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or node.module != "helpdesk.api":
            continue
        for alias in node.names:
            if alias.asname is None and alias.name in api.__all__ and (project.source / f"{alias.name}.py").exists():
                sentence = f"Rename {alias.name}.py: it takes the place of the {alias.name} of helpdesk.api here."
                yield Finding("imports", sentence, file, node.lineno)
