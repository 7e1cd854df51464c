"""`helpdesk plugin check`: each rule finds its fault and says where, and every plugin of ours is gold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from helpdesk.cli import main
from helpdesk.cli.plugin_check import RULES, level_of
from helpdesk.cli.plugin_new import Wish, write
from helpdesk.cli.rules import bronze, gold, live, project, silver, trying
from helpdesk.cli.rules.finding import BRONZE, GOLD, LEVELS, SILVER, Case, Finding, Rule, Seen, Tried

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))


def check(*words: str) -> Any:
    return CliRunner().invoke(main, ["plugin", "check", *words], prog_name="helpdesk")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_every_plugin_of_ours_is_gold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own tests are part of the whole run, so that they are not run once more here.

    They are installed: nothing of them stays behind here that is not here already.
    """
    monkeypatch.setattr(trying, "seen", live.look)
    said = check(str(ROOT / "plugins" / name), "--level", "gold", "--without-tests")
    assert said.exit_code == 0, said.output


@pytest.mark.slow
def test_every_hook_of_one_of_ours_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which hooks the tests called is only known when the check runs them: as few as call each hook."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k 'TestContract or test_thread'")
    said = check(str(ROOT / "plugins" / "helpdesk-email"), "--level", "gold")
    assert said.exit_code == 0 and "tests passed" in said.output, said.output


# ---- one fault at a time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good plugin with most things in it, to be spoilt."""
    return write(Wish("parcels", frozenset(["settings", "panel", "page", "table"])), tmp_path)


@pytest.fixture
def find(folder: Path) -> Callable[..., list[Finding]]:
    """What a rule finds in the folder as it is now: ``find(rule, **what was seen)``."""

    def look(rule: Rule, tried: Tried | None = None, **seen: Any) -> list[Finding]:
        return list(rule(Case(project.read(folder), Seen(**seen), tried)))

    return look


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_a_good_plugin_has_no_fault_that_can_be_read(find: Any) -> None:
    rules = [rule for level in LEVELS for rule in RULES[level] if rule is not gold.tested]
    assert [found for rule in rules for found in find(rule)] == []


def test_what_cannot_be_loaded_is_not_even_bronze(find: Any, folder: Path) -> None:
    file = str(folder / "helpdesk_parcels" / "views.py")
    (found,) = find(bronze.loads, error="It cannot be imported: ZeroDivisionError", where={"file": file, "line": 7})
    assert (found.file, found.line) == (Path(file), 7) and "ZeroDivisionError" in found.sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "helpdesk-parcels"', 'name = "parcels"', "Name the distribution helpdesk-parcels."),
        ('parcels = "helpdesk_parcels"', 'parcels = "parcels"', "Name the package helpdesk_parcels."),
        ('parcels = "helpdesk_parcels"', 'admin = "helpdesk_parcels"', "cannot be a plugin's name"),
    ],
)
def test_one_name_rules_all(find: Any, folder: Path, old: str, new: str, sentence: str) -> None:
    spoil(folder / "pyproject.toml", old, new)
    assert any(sentence in found.sentence for found in find(bronze.names))


def test_tables_and_templates_have_its_name(find: Any, folder: Path) -> None:
    stray = folder / "helpdesk_parcels" / "templates" / "desk"
    stray.mkdir()
    found = find(bronze.names, foreign_tables=["sent_things"])
    assert [one.sentence for one in found] == [
        "Begin the name of the table sent_things with parcels_.",
        "Move it into templates/parcels/; elsewhere the desk does not look.",
    ]
    assert found[1].file == stray


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("from helpdesk.core import workflow", "Import from helpdesk.api instead of helpdesk.core;"),
        ("from helpdesk import app", "Import from helpdesk.api instead of helpdesk.app"),
        ("import helpdesk.web", "instead of helpdesk.web"),
        ("from helpdesk_email import smtp", "Use helpdesk_email.api, and name helpdesk-email in the dependencies."),
        ("import helpdesk_email.api", "name helpdesk-email in the dependencies."),
    ],
)
def test_only_the_interface_is_used(find: Any, folder: Path, line: str, sentence: str) -> None:
    file = folder / "helpdesk_parcels" / "views.py"
    file.write_text(f"{file.read_text('utf-8')}\n\ndef late():\n    {line}\n", "utf-8")
    (found,) = find(bronze.imports)
    assert sentence in found.sentence
    assert found.file == file and found.line == len(file.read_text("utf-8").splitlines())


def test_the_interface_of_a_plugin_that_it_names_may_be_used(find: Any, folder: Path) -> None:
    spoil(folder / "pyproject.toml", '["helpdesk>=1,<2"]', '["helpdesk>=1,<2", "helpdesk-email>=1"]')
    file = folder / "helpdesk_parcels" / "views.py"
    file.write_text(f"import helpdesk\nfrom helpdesk_email import api\nimport helpdesk_email.api\n{file.read_text()}")
    assert [found.line for found in find(bronze.imports)] == [1], "the bare package has everything in it"


def test_tests_use_what_is_lent_to_tests(find: Any, folder: Path) -> None:
    (folder / "tests" / "test_more.py").write_text(
        "from helpdesk.testing import desk\nfrom helpdesk.core import clock\n"
    )
    (found,) = find(bronze.imports)
    assert found.line == 2 and "helpdesk.testing instead of helpdesk.core." in found.sentence


def test_a_module_must_not_hide_a_name_of_the_interface(find: Any, folder: Path) -> None:
    package = folder / "helpdesk_parcels"
    package.joinpath("settings.py").write_text("")
    spoil(package / "__init__.py", "hookimpl", "hookimpl, settings")
    (found,) = find(bronze.imports)
    assert "Rename settings.py" in found.sentence and found.line


@pytest.mark.parametrize(
    ("needs", "sentence"),
    [
        ("[]", "what it is made for"),
        ('["helpdesk"]', "what it is made for"),
        ('["helpdesk>=1"]', "what it is made for"),
        ('["helpdesk>=7,<8"]', "made for helpdesk<8,>=7"),
    ],
)
def test_it_says_what_it_is_made_for(find: Any, folder: Path, needs: str, sentence: str) -> None:
    spoil(folder / "pyproject.toml", '["helpdesk>=1,<2"]', needs)
    (found,) = find(bronze.version_range)
    assert sentence in found.sentence


def test_it_has_a_readme(find: Any, folder: Path) -> None:
    (folder / "README.md").unlink()
    assert "Write a README.md" in find(bronze.readme)[0].sentence


def test_faults_of_its_tables_are_told(find: Any) -> None:
    assert find(silver.migrations, migrations=["Its downgrade leaves parcels_entry; drop it."])


def test_every_page_says_who_may_open_it(find: Any) -> None:
    route = {"rule": "/p/parcels/", "file": "views.py", "line": 12}
    assert find(silver.access, routes=[{**route, "access": "public"}, {**route, "access": "parcels.see"}]) == []
    (found,) = find(silver.access, routes=[{**route, "access": None}])
    assert "@permission_required" in found.sentence and (found.file, found.line) == (Path("views.py"), 12)


@pytest.mark.parametrize(
    ("html", "texts"),
    [
        ("<p>{{ _('Fine') }} - {{ count }} × 3 &nbsp;</p>", []),
        ("<p>\n  Bare words</p>", [(2, "Bare words")]),
        ('<a href="{{ url }}" title="A hint">x</a>', [(1, "A hint")]),
        ('<a class="btn {% if on %}btn-on{% endif %}" href="/x">{{ _("Go") }}</a>', []),
        ("{% trans %}Fine too{% endtrans %}<b>not so</b>", [(1, "not so")]),
        ("{# words for us #}<style>p { color: red }</style><script>const name = 1</script>", []),
        ('<input type="submit" value="Send"><input value="typed">', [(1, "Send")]),
        # What a button sends is read by nobody.
        ('<button type="submit" name="do" value="retire">{{ _("Retire") }}</button>', []),
        ("{% if a %}\n{% set x = 'no words of people' %}\n{% endif %}\n<p>Late</p>", [(4, "Late")]),
        ("<p>Dear {{ name }}</p>", [(1, "Dear …")]),
        ("{% raw %}Raw words{% endraw %}", [(1, "… Raw words")]),
    ],
)
def test_bare_words_in_templates_are_found(find: Any, folder: Path, html: str, texts: list[tuple[int, str]]) -> None:
    file = folder / "helpdesk_parcels" / "templates" / "parcels" / "panel.html"
    file.write_text(html, "utf-8")
    found = find(silver.words)
    assert [(one.line, one.sentence.split("”")[0][1:]) for one in found] == texts
    assert all(one.file == file for one in found)


def test_labels_that_nobody_can_translate_are_found(find: Any) -> None:
    (found,) = find(silver.words, fixed_texts=[{"where": "Permission parcels.see", "text": "See parcels"}])
    assert "“See parcels” of Permission parcels.see is not translated" in found.sentence


def test_a_broken_placeholder_is_found_with_its_line(find: Any, folder: Path) -> None:
    file = folder / "helpdesk_parcels" / "translations" / "zh_Hans" / "LC_MESSAGES" / "messages.po"
    file.write_text(f'{file.read_text("utf-8")}\nmsgid "%(num)s parcels"\nmsgstr "%(number)s 包裹"\n', "utf-8")
    (found,) = find(silver.words)
    assert "%(number)s" in found.sentence and found.file == file and found.line


def test_who_keeps_people_can_forget_them(find: Any) -> None:
    keys = {"keys_to_people": ["parcels_entry.user_id"]}
    hook = {"hook": "export_personal_data"}
    (found,) = find(silver.personal_data, **keys, hooks=[hook])
    assert found.sentence == "It keeps people in parcels_entry.user_id: implement erase_personal_data."
    assert find(silver.personal_data, **keys, hooks=[hook, {"hook": "erase_personal_data"}]) == []
    assert find(silver.personal_data) == []


def test_each_hook_has_a_test(find: Any) -> None:
    hooks = [
        {"hook": name, "file": "__init__.py", "line": 3, "doc": True, "kind": ""}
        for name in ("ticket_panels", "ticket_opened", "register_jobs", "register_reports")
    ]
    found = find(silver.tests, hooks=hooks, names={"register_jobs": ["parcels.send"], "register_reports": ["entries"]})
    assert [one.sentence.split()[4] for one in found] == ["ticket_opened", "register_jobs"]
    assert found[0].line == 3


def test_each_setting_is_described(find: Any) -> None:
    known = {"group": "parcels", "field": "greeting", "label": "Greeting"}
    assert find(silver.documented, settings=[known]) == []
    (found,) = find(silver.documented, settings=[known, {**known, "field": "speed", "label": "How fast"}])
    assert "How fast" in found.sentence


def test_strings_are_collected_and_translated(find: Any, folder: Path) -> None:
    template = folder / "helpdesk_parcels" / "templates" / "parcels" / "panel.html"
    template.write_text(template.read_text("utf-8") + "{{ _('One more') }}", "utf-8")
    (found,) = find(gold.translated)
    assert "lacks “One more”" in found.sentence
    words = folder / "helpdesk_parcels" / "translations"
    catalog = words / "zh_Hans" / "LC_MESSAGES" / "messages.po"
    pot = words / "messages.pot"
    pot.write_text(f'{pot.read_text("utf-8")}\nmsgid "One more"\nmsgstr ""\n', "utf-8")
    assert [one.sentence for one in find(gold.translated)] == ["One string lacks in zh_Hans."]
    catalog.write_text(f'{catalog.read_text("utf-8")}\nmsgid "One more"\nmsgstr "再来一个"\n', "utf-8")
    assert find(gold.translated) == []
    catalog.unlink()
    assert "one language besides English" in find(gold.translated)[0].sentence
    pot.unlink()
    assert "Collect its strings" in find(gold.translated)[0].sentence


@pytest.mark.parametrize(
    "text", ["", "# Changes\n", "# Changes\n\n## Unreleased\n\n## 0.1.0\n", "## 10.1.0\n", "## 0.1.0.1"]
)
def test_the_changelog_begins_with_this_version(find: Any, folder: Path, text: str) -> None:
    assert find(gold.changelog) == []
    (folder / "CHANGELOG.md").write_text(text)
    assert "## 0.1.0" in find(gold.changelog)[0].sentence


def test_each_hook_says_what_it_is_for(find: Any) -> None:
    hook = {"hook": "ticket_panels", "file": "__init__.py", "line": 9}
    assert find(gold.docstrings, hooks=[{**hook, "doc": True}]) == []
    assert find(gold.docstrings, hooks=[{**hook, "doc": False}])[0].line == 9


def test_each_page_has_a_row_that_says_who_gets_what(find: Any, folder: Path) -> None:
    file = folder / "helpdesk_parcels" / "access.toml"
    page = {"rule": "/p/parcels/", "row": "parcels.index"}
    assert find(gold.rows, routes=[page]) == []
    (found,) = find(gold.rows, routes=[page, {"rule": "/p/parcels/new", "row": "parcels.new"}])
    assert found.sentence == "Write a row for parcels.new: who gets what." and found.file == file
    spoil(file, "parcels.index", "parcels.list")
    assert [one.sentence.split()[0] for one in find(gold.rows, routes=[page])] == ["Write", "Take"]
    spoil(file, '"staff"', '"stuff"')
    (found,) = find(gold.rows, routes=[page])
    assert "the group “stuff”, which is not there" in found.sentence
    file.unlink()
    assert len(find(gold.rows, routes=[page])) == 1 and find(gold.rows) == []


def test_the_contract_is_among_its_tests(find: Any, folder: Path) -> None:
    spoil(folder / "tests" / "test_parcels.py", "(PluginContract)", "")
    assert "PluginContract" in find(gold.contract)[0].sentence


def test_its_tests_pass_and_call_each_hook(find: Any) -> None:
    hooks = [
        {"hook": "ticket_panels", "kind": "slot", "file": "__init__.py", "line": 9},
        {"hook": "register_jobs", "kind": "registration", "file": "__init__.py", "line": 12},
    ]
    assert find(gold.tested, Tried(passed=2, called={"ticket_panels": 3}), hooks=hooks) == []
    assert "call ticket_panels" in find(gold.tested, Tried(passed=2), hooks=hooks)[0].sentence
    assert "there are none" in find(gold.tested, Tried(), hooks=hooks)[0].sentence
    failed = {"name": "test_x", "file": "tests/test_x.py", "line": 3, "reason": "assert 1 == 2"}
    (found,) = find(gold.tested, Tried(failed=[failed], called={"ticket_panels": 1}), hooks=hooks)
    assert found.sentence == "The test test_x fails: assert 1 == 2"
    assert find(gold.tested, None, hooks=hooks) == []


def test_a_level_is_reached_with_all_below_it() -> None:
    fault = [Finding("rule", "Do it.")]
    assert level_of({BRONZE: [], SILVER: [], GOLD: []}) == GOLD
    assert level_of({BRONZE: [], SILVER: fault, GOLD: []}) == BRONZE
    assert level_of({BRONZE: fault, SILVER: [], GOLD: []}) is None


# ---- the command


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: None, "has no pyproject.toml"),
        (lambda folder: (folder / "pyproject.toml").write_text("[project\n"), "cannot be read"),
        (lambda folder: (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n"), "names 0 plugins"),
    ],
)
def test_a_folder_without_a_plugin_is_one_sentence(tmp_path: Path, make: Any, sentence: str) -> None:
    make(tmp_path)
    said = check(str(tmp_path))
    assert said.exit_code == 1 and sentence in said.stderr and said.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["nowhere", "../email", "EMAIL"])
def test_a_name_that_nobody_has_is_one_sentence(name: str) -> None:
    said = check(name)
    assert said.exit_code == 1 and said.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_spoilt_plugin_hears_all_its_faults_at_once(folder: Path) -> None:
    package = folder / "helpdesk_parcels"
    spoil(package / "views.py", '@permission_required("parcels.see")\n', "")
    spoil(package / "migrations" / "versions" / "0001_entries.py", '    op.drop_table("parcels_entry")', "    pass")
    spoil(package / "__init__.py", '_l("See Parcels")', '"See Parcels"')
    spoil(package / "__init__.py", "def erase_personal_data", "def forget")
    spoil(package / "__init__.py", "@hookimpl\ndef forget", "def forget")
    said = check(str(folder), "--json", "--without-tests")
    row = json.loads(said.output)
    assert said.exit_code == 0 and row["level"] == "bronze", said.output
    silver_faults = {found["rule"]: found for found in row["findings"] if found["level"] == "silver"}
    assert set(silver_faults) == {"access", "migrations", "words", "personal data"}
    assert silver_faults["access"]["file"].endswith("views.py") and silver_faults["access"]["line"]
    assert "leaves parcels_entry" in silver_faults["migrations"]["problem"]
    assert check(str(folder), "--level", "silver", "--without-tests").exit_code == 1


@pytest.mark.slow
def test_one_that_cannot_be_imported_says_where(folder: Path) -> None:
    spoil(folder / "helpdesk_parcels" / "views.py", "pages = Blueprint", "1 / 0\npages = Blueprint")
    said = check(str(folder), "--without-tests")
    assert said.exit_code == 1 and "parcels 0.1.0: not bronze yet" in said.output
    assert "helpdesk_parcels/views.py:" in said.output and "ZeroDivisionError" in said.output


@pytest.mark.slow
def test_a_migration_that_lacks_a_column_or_breaks_is_found(folder: Path) -> None:
    revision = folder / "helpdesk_parcels" / "migrations" / "versions" / "0001_entries.py"
    spoil(revision, '        sa.Column("text", sa.String(), nullable=False),\n', "")
    assert "add column" in " ".join(trying.seen(project.read(folder)).migrations)
    spoil(revision, "    op.create_table(", "    1 / 0\n    op.create_table(")
    assert "ZeroDivisionError" in " ".join(trying.seen(project.read(folder)).migrations)


@pytest.mark.slow
def test_its_tests_are_run_and_what_they_call_is_heard(folder: Path) -> None:
    (folder / "tests" / "test_parcels.py").write_text(
        "def test_a(as_agent, make_ticket):\n"
        "    assert as_agent.get(f'/desk/tickets/{make_ticket().number}/side').status_code == 200\n\n"
        "def test_b():\n    assert 1 == 2\n"
    )
    tried = trying.tried(project.read(folder))
    assert tried.passed == 1 and tried.called["ticket_panels"] >= 1 and "export_personal_data" not in tried.called
    assert [(one["name"], Path(one["file"]).name) for one in tried.failed] == [("test_b", "test_parcels.py")]
    (folder / "tests" / "test_parcels.py").write_text("import nothing_of_that_name\n")
    broken = trying.tried(project.read(folder))
    assert [one["name"] for one in broken.failed] == ["tests.test_parcels"] and broken.passed == 0


@pytest.mark.slow
def test_tables_are_tried_on_postgresql_where_there_is_one(
    folder: Path, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_TEST_POSTGRESQL", f"postgresql+psycopg://helpdesk@/postgres?host={postgresql_server}")
    assert trying.seen(project.read(folder)).migrations == []
    revision = folder / "helpdesk_parcels" / "migrations" / "versions" / "0001_entries.py"
    spoil(revision, "    op.create_table(", '    op.execute("PRAGMA user_version")\n    op.create_table(')
    (fault,) = trying.seen(project.read(folder)).migrations
    assert fault.startswith("On PostgreSQL: ") and "parcels" in fault
