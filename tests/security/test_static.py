"""What must never stand in the code, the templates and the scripts; bandit finds the rest in `make lint`."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from helpdesk.core.config import Config

ROOT = Path(__file__).parents[2]
PACKAGES = [ROOT / "helpdesk", *sorted(path.parent for path in ROOT.glob("plugins/*/helpdesk_*/__init__.py"))]
NOSEC = re.compile(r"# nosec B\d{3} # \w")


@dataclass(frozen=True)
class Module:
    """A file of Python: its name, and all that stands in it."""

    name: str
    text: str
    nodes: tuple[ast.AST, ...]


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(path for package in PACKAGES for path in package.rglob("*.py")):
        text = path.read_text("utf-8")
        found.append(Module(path.relative_to(ROOT).as_posix(), text, tuple(ast.walk(ast.parse(text)))))
    assert len(found) > 200
    return tuple(found)


def files(*patterns: str) -> Iterator[tuple[str, str]]:
    """Names and texts of our own files in all packages and themes."""
    places = [*PACKAGES, ROOT / "themes"]
    found = [path for place in places for pattern in patterns for path in sorted(place.rglob(pattern))]
    assert found
    for path in found:
        if "vendor" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Where something is called, and by which name as it is written."""
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.Call):
                yield f"{module.name}:{node.lineno}", ast.unparse(node.func), node


def imports() -> Iterator[tuple[str, str]]:
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.Import):
                yield from ((module.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield module.name, node.module or ""


def names(node: ast.AST) -> list[ast.Name]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]


# ---- Python


def test_a_planted_hole_is_found_by_what_lint_runs(tmp_path: Path) -> None:
    line = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if "/bandit " in line)
    words = line.split("/bandit ", 1)[1].split()
    assert words[words.index("--recursive") + 1 :] == ["helpdesk", "plugins", "scripts"]
    options = [str(ROOT / "pyproject.toml") if word == "pyproject.toml" else word for word in words[:-4]]
    planted = tmp_path / "planted.py"
    for text, status in (("import pickle\n\npickle.loads(b'')\n", 1), ("import json\n\njson.loads('1')\n", 0)):
        planted.write_text(text, "utf-8")
        run = [sys.executable, "-m", "bandit", *options, str(planted)]
        assert subprocess.run(run, capture_output=True, check=False).returncode == status, text


def test_each_exception_names_its_finding_and_says_why() -> None:
    for module in modules():
        for number, line in enumerate(module.text.splitlines(), 1):
            assert "# nosec" not in line or NOSEC.search(line), f"{module.name}:{number}: # nosec B123 # why"


def test_nothing_evaluates_text() -> None:
    for place, name, _call in calls():
        assert name not in ("eval", "exec", "compile", "__import__"), place


def test_nothing_unsafe_is_read_back() -> None:
    for place, name in imports():
        assert name.split(".")[0] not in ("pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"), place
    for place, name, _call in calls():
        assert not name.endswith((".extractall", ".unpack_archive")), f"{place}: members are checked one by one"


def test_no_program_is_started_through_a_shell() -> None:
    for place, name, call in calls():
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), place
        assert not any(word.arg == "shell" for word in call.keywords), place


def test_no_pattern_is_made_of_what_people_type() -> None:
    """A pattern is written in the code; where it is put together, from constants or what re.escape gave."""
    looked_at = {
        # Patterns that developers give with a setting or a filter.
        "helpdesk/core/settings.py",
        "helpdesk/core/filters.py",
        # Ranges of Unicode's own marks.
        "helpdesk/core/search/words.py",
        # Words that were escaped some lines above, and a secret of letters and digits.
        "helpdesk/core/mentions.py",
        "plugins/helpdesk-email/helpdesk_email/marks.py",
    }
    for place, name, call in calls():
        if not re.fullmatch(r"re\.(compile|search|match|fullmatch|sub|split|findall|finditer)", name):
            continue
        pattern = call.args[0]
        own = {
            target.id
            for node in ast.walk(pattern)
            if isinstance(node, ast.comprehension)
            for target in names(node.target)
        }
        written = {node.id for node in names(pattern) if not node.id.strip("_").isupper()} - own
        if not written or place.split(":")[0] in looked_at:
            continue
        assert "re.escape(" in ast.unparse(pattern), f"{place}: {ast.unparse(pattern)}"


def test_no_template_is_made_of_text() -> None:
    for place, name, _call in calls():
        last = name.rpartition(".")[2]
        assert last not in ("render_template_string", "from_string", "format_map"), place
    named = [place for place, name in imports() if name == "string"]
    assert named == ["helpdesk/core/theming/making.py"], "the frame of a new theme, whose words are the operator's"


def test_randomness_for_secrets_is_the_operating_systems() -> None:
    drawn = {place for place, name in imports() if name == "random"}
    assert drawn == {"helpdesk/core/channels/outbox.py", "helpdesk/core/jobs/claims.py"}, "pauses between tries only"


def test_no_weak_hash_protects_anything() -> None:
    for place, name, _call in calls():
        assert name not in ("hashlib.md5", "hashlib.sha1", "hashlib.new"), place


def test_signatures_use_one_known_algorithm() -> None:
    signed = [(place, call) for place, name, call in calls() if name == "hmac.new"]
    assert signed
    for place, call in signed:
        assert ast.unparse(call.args[2]) == "hashlib.sha256", place


def test_views_say_where_a_value_comes_from() -> None:
    for module in modules():
        assert "request.values" not in module.text, module.name


# ---- templates and scripts


def test_templates_have_no_script_of_their_own() -> None:
    for name, text in files("templates/**/*.html"):
        for tag in re.findall(r"<script\b[^>]*>", text):
            assert " src=" in tag, f"{name}: {tag}"
        assert not re.search(r"<[a-z][^<>]*\s(?:on[a-z]+|hx-on[^=]*)=", text), name
        assert "javascript:" not in text.lower(), name
        assert not re.search(r"\bautoescape\b|\|\s*safe\b", text), name
        # A mail has no style sheet.
        if "/email/templates/" not in name and not name.startswith("plugins/helpdesk-email/"):
            assert not re.search(r"<[^<>]*\sstyle=|<style\b", text), name


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, text in files("templates/**/*.html", "*.css", "*.js"):
        assert not re.search(r"""(?:src|srcset|data|poster)=["'](?:https?:)?//""", text), name
        assert not re.search(r"""<link[^>]*href=["'](?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""", text), name


def test_scripts_neither_evaluate_text_nor_write_pages() -> None:
    forbidden = re.compile(
        r"\beval\(|\bnew Function\b|\.(?:inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|document\.write"
        r"|postMessage|[\"']message[\"']|document\.cookie|__proto__|setTimeout\(\s*[\"'`]"
    )
    parsed = []
    # A switch of this browser and the number of the last notice it showed: nothing that anybody wrote.
    kept = {"helpdesk/web/static/js/keys.js": 2, "helpdesk/web/static/js/notices.js": 2}
    for name, text in files("static/**/*.js"):
        assert text.count("localStorage") == kept.get(name, 0), name
        assert not (found := forbidden.search(text)), f"{name}: {found}"
        parsed += [name] * text.count("JSON.parse(")
    assert parsed == ["helpdesk/web/static/js/composer.js"], "the draft of this tab"


def test_fields_for_passwords_are_masked_and_may_be_pasted_into() -> None:
    for name, text in files("templates/**/*.html"):
        for field in re.findall(r"ui\.field\(\"[a-z_]*password\"[^}]*|<input[^>]*name=\"[a-z_]*password\"[^>]*", text):
            assert re.search(r"type=\"password\"", field), f"{name}: {field}"
            assert re.search(r"autocomplete=\"(?:current|new)-password\"", field), f"{name}: {field}"
    for name, text in files("static/**/*.js"):
        assert "onpaste" not in text and not re.search(r"[\"']paste[\"'].*preventDefault", text), name


# ---- the application


def test_debugging_is_off_unless_an_operator_wants_it(app: Flask, tmp_path: Path) -> None:
    assert not Config(home=tmp_path).debug and not app.debug
    for place, name, _call in calls():
        assert not name.endswith("app.run") and "DebuggedApplication" not in name, place


def test_only_static_folders_are_served(app: Flask, client: Any) -> None:
    with_paths = {rule.endpoint for rule in app.url_map.iter_rules() if "<path:" in rule.rule}
    assert {endpoint.rpartition(".")[2] for endpoint in with_paths} == {"static", "theme_file"}
    for path in ("/static/", "/static/css/", "/static/js", "/theme/", "/.git/config", "/.env", "/pyproject.toml"):
        assert client.get(path).status_code == 404, path
    for path in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "css/../../app.py", "..\\app.py"):
        for folder in ("/static/", "/theme/"):
            assert client.get(folder + path).status_code == 404, folder + path


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/desk/", "///evil.example", "/\\evil.example"])
def test_odd_slashes_lead_nowhere_else(client: Any, path: str) -> None:
    answer = client.get("/", headers={"Host": "help.shop.example"}, environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (308, 404)
    if answer.status_code == 308:
        assert re.match(r"http://help\.shop\.example/[^/\\]", answer.location), answer.location


@pytest.mark.parametrize("path", ["/", "/auth/sign-in", "/desk/", "/static/mark.svg", "/nothing"])
def test_trace_is_refused(client: Any, path: str) -> None:
    answer = client.open(path, method="TRACE", headers={"X-Secret": "canary"})
    assert answer.status_code in (404, 405) and "canary" not in answer.text


def test_an_error_page_says_nothing_of_the_error(app: Flask, client: Any) -> None:
    def broken() -> None:
        raise RuntimeError("canary SELECT password_hash FROM user")

    app.config["SHOW_ERROR_PAGES"] = True
    app.view_functions["portal.home"] = broken
    answer = client.get("/")
    assert answer.status_code == 500 and "<h1" in answer.text
    for word in ("canary", "SELECT", "RuntimeError", "Traceback", "test_static"):
        assert word not in answer.text
