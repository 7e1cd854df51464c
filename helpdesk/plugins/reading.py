"""Reads from a plugin's source what it will use. Nothing of it is run."""

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from helpdesk.plugins.loading import PluginError

# The contributions whose first argument is the name under which the desk knows them.
_NAMED: Final = {
    "Permission": "permissions",
    "Schedule": "schedules",
    "Job": "jobs",
    "Service": "services",
    "Field": "fields",
    "Channel": "channels",
    "Report": "reports",
    "Importer": "importers",
    "SettingsGroup": "settings",
}
_API: Final = "helpdesk.api"
_ROUTES: Final = ("route", "get", "post", "put", "patch", "delete")
_MOST_FILES, _LONGEST = 2000, 2_000_000


@dataclass
class Reading:
    """What was found, by kind; ``unclear`` names the lines whose names cannot be read without running them."""

    uses: dict[str, set[str]] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)

    def add(self, kind: str, name: str) -> None:
        self.uses.setdefault(kind, set()).add(name)

    def sorted(self) -> dict[str, tuple[str, ...]]:
        """The names of each kind, in order."""
        return {kind: tuple(sorted(names)) for kind, names in self.uses.items()}


def read(files: Mapping[str, bytes]) -> Reading:
    """Read the Python ``files`` (path to content) of one plugin. Raises :class:`PluginError` with a sentence."""
    if len(files) > _MOST_FILES:
        raise PluginError(f"It has more than {_MOST_FILES} Python files; it is too large to be a plugin.")
    trees = {path: _parse(path, content) for path, content in sorted(files.items())}
    constants: dict[str, str] = {}
    for tree in trees.values():
        _collect_constants(tree, constants)
    reading = Reading()
    for path, tree in trees.items():
        _Module(path, tree, constants, reading).read()
    return reading


def _parse(path: str, content: bytes) -> ast.Module:
    if len(content) > _LONGEST:
        raise PluginError(f"{path} is too long to be read; split it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content, filename=path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise PluginError(f"{path}{f', line {line}' if line else ''} is not Python that can be read.") from error
    except (RecursionError, MemoryError) as error:
        raise PluginError(f"{path} is nested too deeply to be read.") from error


def _collect_constants(tree: ast.Module, constants: dict[str, str]) -> None:
    """Module-level ``NAME = "text"``: names of permissions and tables are often kept so."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if isinstance(node, ast.AnnAssign):
            target = node.target
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            # Two of the same name with different texts are no constant that could be trusted.
            known = constants.setdefault(target.id, value.value)
            if known != value.value:
                constants[target.id] = ""


class _Module:
    """One file. ``names`` maps what it calls things to what the desk's interface calls them."""

    def __init__(self, path: str, tree: ast.Module, constants: Mapping[str, str], reading: Reading) -> None:
        self._path = path
        self._tree = tree
        self._constants = constants
        self._reading = reading
        self._names: dict[str, str] = {}
        self._modules: set[str] = {_API}
        # What it calls SQLAlchemy's Table and Alembic's way to make one; the desk's own Table is that of reports.
        self._tables: set[str] = {"Table", "create_table"}

    def read(self) -> None:
        nodes = list(ast.walk(self._tree))
        for node in nodes:
            self._import(node)
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(node)
            elif isinstance(node, ast.Assign):
                self._assignment(node)
            elif isinstance(node, ast.Call):
                self._call(node)

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.module == _API and alias.name == "*":
                    self._names.update({name: name for name in (*_NAMED, "Command", "Table", "hookimpl")})
                elif node.module == _API:
                    self._names[alias.asname or alias.name] = alias.name
                elif node.module == "helpdesk" and alias.name == "api":
                    self._modules.add(alias.asname or alias.name)
                elif alias.name == "Table":
                    self._tables.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == _API and alias.asname:
                    self._modules.add(alias.asname)

    def _api_name(self, node: ast.expr) -> str:
        """What of the desk's interface this expression means, or an empty text."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in self._modules:
            return node.attr
        return ""

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._api_name(called) == "hookimpl":
                self._hook(decorator, node.name)
            elif isinstance(decorator, ast.Call) and isinstance(called, ast.Attribute) and called.attr in _ROUTES:
                for path in (self._text(argument) for argument in decorator.args[:1]):
                    if path and path.startswith("/"):
                        self._reading.add("pages", path)

    def _assignment(self, node: ast.Assign) -> None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if "__tablename__" in names:
            self._named("tables", node.value, node)
        if isinstance(node.value, ast.Call) and node.value.args:
            # hookimpl(function), or hookimpl(...)(function)
            made = node.value.func if isinstance(node.value.func, ast.Call) else node.value
            if self._api_name(made.func) == "hookimpl":
                for name in names:
                    self._hook(made, name)

    def _hook(self, decorator: ast.expr, name: str) -> None:
        keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
        other = next((keyword.value for keyword in keywords if keyword.arg == "specname"), None)
        if other is None:
            self._reading.add("hooks", name)
        else:
            self._named("hooks", other, decorator)

    def _call(self, node: ast.Call) -> None:
        name = self._api_name(node.func)
        first = next(self._first(node, "name"), None)
        if name in _NAMED:
            if first is None:
                self._unclear(node)
            else:
                self._named(_NAMED[name], first, node)
        elif name == "Command":
            self._reading.add("commands", self._command(next(self._first(node, "command"), None)))
        elif _last_name(node.func) in self._tables and first is not None and name != "Table":
            if text := self._text(first):
                self._reading.add("tables", text)

    def _first(self, node: ast.Call, keyword: str) -> Iterator[ast.expr]:
        yield from (found.value for found in node.keywords if found.arg == keyword)
        yield from (argument for argument in node.args[:1] if not isinstance(argument, ast.Starred))

    def _command(self, node: ast.expr | None) -> str:
        """How a command is called is written at its function; the name of that one is near enough."""
        return _last_name(node).replace("_", "-") if node is not None else "?"

    def _named(self, kind: str, node: ast.expr, where: ast.AST) -> None:
        text = self._text(node)
        if text:
            self._reading.add(kind, text)
        else:
            self._unclear(where)

    def _unclear(self, node: ast.AST) -> None:
        self._reading.unclear.append(f"{self._path}, line {getattr(node, 'lineno', '?')}")

    def _text(self, node: ast.expr) -> str:
        """The text that an expression is, from literals and constants alone; empty when it cannot be told."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        if isinstance(node, ast.Name | ast.Attribute):
            return self._constants.get(_last_name(node), "")
        if isinstance(node, ast.JoinedStr):
            parts = [self._text(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
            return "".join(parts) if all(parts) else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._text(node.left), self._text(node.right)
            return left + right if left and right else ""
        return ""


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
