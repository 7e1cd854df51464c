"""Silver: its data, its pages and its words are in order, and it is tested."""

import re
from collections.abc import Iterator
from pathlib import Path

from helpdesk.cli import catalogs
from helpdesk.cli.rules import bronze, texts
from helpdesk.cli.rules.finding import Case, Finding

# What asks web servers by itself. (Other protocols need ``socket``.)
_WEB = ("aiohttp", "http.client", "httpx", "pycurl", "requests", "urllib.request", "urllib3")
_PERSONAL = ("export_personal_data", "erase_personal_data")


def migrations(case: Case) -> Iterator[Finding]:
    """Up, down and up again, and the tables are those of the models."""
    for sentence in case.seen.migrations:
        yield Finding("migrations", sentence, case.project.source / "migrations")


def access(case: Case) -> Iterator[Finding]:
    """Every page says who may open it."""
    for route in case.seen.routes:
        if route["access"] is None:
            sentence = (
                f"Say who may open {route['rule']}: write @permission_required(...), @sign_in_required or "
                "@public_page in the line below its route."
            )
            yield Finding("access", sentence, _path(route["file"]), route["line"])


def words(case: Case) -> Iterator[Finding]:
    """Texts for people go through gettext."""
    for path in sorted((case.project.source / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            for line, text in texts.bare(path):
                yield Finding("words", f'“{text}” is not translated; write {{{{ _("{text}") }}}}.', path, line)
    for found in case.seen.fixed_texts:
        sentence = f"“{found['text']}” of {found['where']} is not translated; write lazy_gettext(...)."
        yield Finding("words", sentence, case.project.source / "__init__.py")
    for code, path in _catalogs(case):
        for problem in catalogs.problems(path, code):
            yield Finding("words", f"In {code} {problem.sentence}.", problem.file, problem.line)


def requests(case: Case) -> Iterator[Finding]:
    """Web servers are asked by fetch(), which keeps out of the owner's own network."""
    for path in case.project.modules():
        for line, module in bronze.imported(path):
            if asks_web(module):
                sentence = (
                    f"Ask web servers by fetch() of helpdesk.api instead of {module}: it keeps out of the owner's own "
                    "network."
                )
                yield Finding("requests", sentence, path, line)


def asks_web(module: str) -> bool:
    """Whether a module asks web servers past the desk's guard."""
    return any(module == one or module.startswith(f"{one}.") for one in _WEB)


def personal_data(case: Case) -> Iterator[Finding]:
    """What it keeps about people can be exported and erased."""
    known = {hook["hook"] for hook in case.seen.hooks}
    missing = [hook for hook in _PERSONAL if hook not in known]
    if case.seen.keys_to_people and missing:
        sentence = f"It keeps people in {', '.join(case.seen.keys_to_people)}: implement {' and '.join(missing)}."
        yield Finding("personal data", sentence, case.project.source / "__init__.py")


def tests(case: Case) -> Iterator[Finding]:
    """A test names each hook, or what the hook registers."""
    written = "\n".join(path.read_text("utf-8", "replace") for path in sorted(case.project.tests.rglob("*.py")))
    for hook in case.seen.hooks:
        wanted = [hook["hook"], *case.seen.names.get(hook["hook"], ())]
        if not any(re.search(rf"\b{re.escape(name)}\b", written) for name in wanted):
            sentence = f"Write a test for {hook['hook']} that names it in its docstring."
            yield Finding("tests", sentence, _path(hook["file"]), hook["line"])


def documented(case: Case) -> Iterator[Finding]:
    """The README says what each setting does."""
    file = case.project.folder / "README.md"
    text = file.read_text("utf-8", "replace").lower() if file.is_file() else ""
    for setting in case.seen.settings:
        if setting["label"].lower() not in text and not re.search(rf"\b{re.escape(setting['field'])}\b", text):
            yield Finding("documented", f"Describe the setting “{setting['label']}” in the README.", file)


RULES = (migrations, access, words, requests, personal_data, tests, documented)


def _catalogs(case: Case) -> Iterator[tuple[str, Path]]:
    pack = catalogs.Pack(case.project.name, case.project.source / "translations")
    return ((code, pack.catalog(code)) for code in pack.languages())


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
