"""Gold: nothing is left to wish for that a machine can see."""

import ast
import re
from collections.abc import Iterator

from helpdesk.cli import catalogs
from helpdesk.cli.rules import access_rows, strings
from helpdesk.cli.rules.finding import Case, Finding
from helpdesk.cli.rules.silver import _path

_CONTRACT = "PluginContract"
_HEADING = re.compile(r"^##\s+(.*)$", re.MULTILINE)


def translated(case: Case) -> Iterator[Finding]:
    """Every string is collected, and translated into each language that it ships and one at least."""
    pack = catalogs.Pack(case.project.name, case.project.source / "translations")
    wanted = {_key(message) for message in strings.collect(case.project) if message.id}
    if not wanted:
        return
    if not pack.template.exists():
        yield Finding("translated", "Collect its strings: run 'helpdesk plugin strings'.", pack.folder)
        return
    known = {_key(message) for message in catalogs.read(pack.template) if message.id}
    for change, keys in (("lacks", wanted - known), ("still has", known - wanted)):
        if keys:
            sentence = f"The template {change} “{min(keys)[0]}”{_more(keys)}; run 'helpdesk plugin strings'."
            yield Finding("translated", sentence, pack.template)
    languages = [code for code in pack.languages() if not code.startswith("en")]
    if not languages:
        yield Finding(
            "translated",
            "Translate it into one language besides English: 'helpdesk plugin strings --language de' begins one.",
            pack.folder,
        )
    for code in languages:
        found = catalogs.coverage(pack, code)
        if found.translated < found.total:
            left = found.total - found.translated
            sentence = (
                f"Translate the {left} strings that {code} lacks." if left > 1 else f"One string lacks in {code}."
            )
            yield Finding("translated", sentence, pack.catalog(code))


def changelog(case: Case) -> Iterator[Finding]:
    """The newest entry of the CHANGELOG is this version's."""
    file = case.project.folder / "CHANGELOG.md"
    headings = _HEADING.findall(file.read_text("utf-8", "replace")) if file.is_file() else []
    if not headings or not re.search(rf"(?<![\d.]){re.escape(case.project.version)}(?![\d.])", headings[0]):
        sentence = f"Put “## {case.project.version}” on top of CHANGELOG.md, with what is new."
        yield Finding("changelog", sentence, file)


def docstrings(case: Case) -> Iterator[Finding]:
    """Each hook says in a line what it is for."""
    for hook in case.seen.hooks:
        if not hook["doc"]:
            yield Finding("docstrings", f"Give {hook['hook']} a docstring.", _path(hook["file"]), hook["line"])


def rows(case: Case) -> Iterator[Finding]:
    """Its access.toml has a row for each page, and no other."""
    if not case.seen.routes:
        return
    file = case.project.source / access_rows.FILE
    try:
        table = access_rows.read(file, access_rows.read(access_rows.CORE))
    except access_rows.BadTable as problem:
        yield Finding("rows", str(problem), file)
        return
    for sentence in access_rows.faults((route["row"] for route in case.seen.routes), table):
        yield Finding("rows", sentence, file)


def contract(case: Case) -> Iterator[Finding]:
    """Its tests run those that every plugin has to pass."""
    for path in sorted(case.project.tests.rglob("*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(_CONTRACT in ast.unparse(base) for base in node.bases):
                return
    sentence = f"Write “class TestContract({_CONTRACT})” into a test; it is in helpdesk.testing.contract."
    yield Finding("contract", sentence, case.project.tests)


def tested(case: Case) -> Iterator[Finding]:
    """Its tests pass, and call each hook."""
    if case.tried is None:
        return
    if case.tried.problem:
        yield Finding("tested", case.tried.problem, case.project.tests)
        return
    for failed in case.tried.failed:
        sentence = f"The test {failed['name']} fails: {failed['reason']}"
        yield Finding("tested", sentence, _path(failed["file"]), failed["line"])
    if not case.tried.failed and not case.tried.passed:
        yield Finding("tested", "Write tests; there are none.", case.project.tests)
        return
    for hook in case.seen.hooks:
        if hook["kind"] != "registration" and not case.tried.called.get(hook["hook"]):
            sentence = f"No test makes the desk call {hook['hook']}; write one."
            yield Finding("tested", sentence, _path(hook["file"]), hook["line"])


RULES = (translated, changelog, docstrings, rows, contract, tested)


def _key(message: object) -> tuple[str, str]:
    identity, context = getattr(message, "id", ""), getattr(message, "context", None)
    return (identity[0] if isinstance(identity, list | tuple) else str(identity)), context or ""


def _more(keys: set[tuple[str, str]]) -> str:
    return f" and {len(keys) - 1} more" if len(keys) > 1 else ""
