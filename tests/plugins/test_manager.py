"""The machinery: a plugin is found, checked, called alone, and none can break another or the desk."""

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.plugins import hookspecs
from helpdesk.plugins.contributions import Reject
from helpdesk.plugins.hookspecs import hookimpl
from helpdesk.plugins.manager import Manager, PluginError, check_name


def plugin(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def manager(told: list[tuple[str, str, str]]) -> Manager:
    off: set[str] = set()
    found = Manager(
        is_on=lambda name: name not in off,
        on_error=lambda plugin, hook, error: told.append((plugin, hook, str(error))),
    )
    found.off = off  # type: ignore[attr-defined]
    return found


# ---- loading


@pytest.mark.parametrize("name", ["a", "A1", "with-hyphen", "1st", "x" * 41, "core", "desk", "admin", "", "a.b", "a b"])
def test_a_name_that_cannot_prefix_things_is_refused(manager: Manager, name: str) -> None:
    with pytest.raises(PluginError, match="cannot be a plugin's name"):
        check_name(name)
    assert "cannot be a plugin's name" in manager.add(name, plugin()).error


def test_two_of_one_name_are_one_and_a_sentence(manager: Manager) -> None:
    first = manager.add("probe", plugin())
    second = manager.add("probe", plugin())
    assert first.loaded and "Two plugins are named “probe”" in second.error
    assert manager.plugins["probe"] is first


def test_a_misspelt_hook_is_named(manager: Manager) -> None:
    found = manager.add("probe", plugin(ticket_open=lambda ticket: None))
    assert not found.loaded and "ticket_open" in found.error and "no hook" in found.error
    assert manager.listeners(["ticket_opened"]) == set()


def test_a_hook_that_another_plugin_publishes_may_be_missing(manager: Manager) -> None:
    module = SimpleNamespace(survey_answered=hookimpl(optionalhook=True)(lambda survey: None))
    assert manager.add("probe", module).loaded


def test_an_argument_that_a_hook_does_not_have_is_named(manager: Manager) -> None:
    found = manager.add("probe", plugin(ticket_opened=lambda ticket, request: None))
    assert not found.loaded and "request" in found.error


def test_wrappers_are_refused(manager: Manager) -> None:
    def wrap(ticket: Any) -> Any:
        return (yield)

    module = SimpleNamespace(ticket_opened=hookimpl(wrapper=True)(wrap))
    found = manager.add("probe", module)
    assert "hook wrapper" in found.error
    assert manager.listeners(["ticket_opened"]) == set()


@pytest.mark.parametrize("bad", [lambda: 1 / 0, lambda: "text", lambda: None, lambda: 5])
def test_a_plugin_that_cannot_register_is_left_out_and_the_rest_loads(manager: Manager, bad: Any) -> None:
    broken = manager.add("broken", plugin(register_jobs=bad, veto=lambda user, permission, obj: False))
    sound = manager.add("sound", plugin(register_jobs=lambda: [SimpleNamespace(name="sound.job")]))
    assert broken.error and sound.loaded
    assert [found.plugin for found in manager.contributions("register_jobs")] == ["sound"]
    assert not manager.denied("veto", user=None, permission="x", obj=None), "none of its hooks is called"


def test_single_files_are_plugins(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "greeter.py").write_text(
        "from helpdesk.api import hookimpl\n@hookimpl\ndef nav_items(user):\n    return ['hello']\n"
    )
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "Bad-Name.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    manager.discover(tmp_path)
    assert manager.plugins["greeter"].loaded and manager.plugins["greeter"].path == tmp_path / "greeter.py"
    assert "SyntaxError" in manager.plugins["broken"].error
    assert "cannot be a plugin's name" in manager.plugins["Bad-Name"].error
    assert [found.item for found in manager.slot("nav_items", user=None)] == ["hello"]


def test_what_a_distribution_says_of_itself_is_not_written_twice(manager: Manager) -> None:
    manager.discover()
    email = manager.plugins["email"]
    assert email.loaded, email.error
    assert email.distribution == "helpdesk-email" and email.version == importlib.metadata.version("helpdesk-email")
    assert email.summary


# ---- calling


def test_each_hook_has_one_kind_and_documentation() -> None:
    kinds = {"registration", "before", "fact", "answer", "guard", "slot"}
    assert set(hookspecs.KINDS.values()) == kinds
    for name, kind in hookspecs.KINDS.items():
        text = getattr(hookspecs, name).__doc__ or ""
        assert "Example::" in text and "@hookimpl" in text and f"def {name}(" in text, name
        assert ("Called" in text) or "asked" in text.lower(), f"{name} does not say when"
        assert name.startswith({"registration": "register_", "before": "before_"}.get(kind, ""))


@pytest.mark.parametrize("kind", ["before", "fact", "answer", "guard", "slot"])
def test_a_plugin_that_is_off_is_skipped(manager: Manager, kind: str) -> None:
    asked: list[str] = []
    hook = next(name for name, found in hookspecs.KINDS.items() if found == kind and name != "event_recorded")
    spec = getattr(hookspecs, hook)
    names = spec.__code__.co_varnames[: spec.__code__.co_argcount]
    manager.add("probe", plugin(**{hook: lambda: asked.append(hook)}))
    call = {
        "before": lambda: manager.before(hook, **dict.fromkeys(names)),
        "fact": lambda: manager.tell("probe", hook, **dict.fromkeys(names)),
        "answer": lambda: manager.answer(hook, **dict.fromkeys(names)),
        "guard": lambda: manager.denied(hook, **dict.fromkeys(names)),
        "slot": lambda: manager.slot(hook, **dict.fromkeys(names)),
    }[kind]
    call()
    manager.off.add("probe")  # type: ignore[attr-defined]
    call()
    assert asked == [hook]


def test_before_each_changes_a_copy_that_counts_when_it_returns(manager: Manager, told: Any) -> None:
    seen: list[list[str]] = []

    def add(draft: Any) -> None:
        draft.tags.append("a")

    def spoil(draft: Any) -> None:
        draft.tags.append("spoiled")
        raise ValueError("broken")

    def look(draft: Any) -> None:
        seen.append(list(draft.tags))

    manager.add("three", plugin(before_ticket_opened=look))
    manager.add("two", plugin(before_ticket_opened=spoil))
    manager.add("one", plugin(before_ticket_opened=add))
    given = SimpleNamespace(tags=[])
    result = manager.before("before_ticket_opened", "draft", draft=given, actor=None)
    assert result.tags == ["a"] and given.tags == [] and "spoiled" not in seen[0]
    assert told == [("two", "before_ticket_opened", "broken")]
    assert manager.plugins["two"].health["before_ticket_opened"].errors == 1


def test_a_rejection_stops_whether_raised_or_returned(manager: Manager, told: Any) -> None:
    def refuse(draft: Any) -> None:
        raise Reject("Not today.")

    manager.add("one", plugin(before_ticket_opened=refuse))
    with pytest.raises(Reject, match="Not today"):
        manager.before("before_ticket_opened", "draft", draft=SimpleNamespace(), actor=None)
    manager.off.add("one")  # type: ignore[attr-defined]
    manager.add("two", plugin(before_ticket_opened=lambda draft: Reject("Nor tomorrow.")))
    with pytest.raises(Reject, match="Nor tomorrow"):
        manager.before("before_ticket_opened", "draft", draft=SimpleNamespace(), actor=None)
    assert told == [], "a rejection is no error"


def test_the_first_answer_that_is_one_counts(manager: Manager, told: Any) -> None:
    manager.add("last_asked", plugin(choose_team=lambda draft: "late"))
    manager.add("zero", plugin(choose_team=lambda draft: 0))
    manager.add("broken", plugin(choose_team=lambda draft: 1 / 0))
    manager.add("none", plugin(choose_team=lambda draft: None))
    assert manager.answer("choose_team", draft=None) == 0
    assert [name for name, _hook, _error in told] == ["broken"]


def test_one_false_denies_and_an_error_denies(manager: Manager) -> None:
    manager.add("generous", plugin(veto=lambda user, permission, obj: True))
    assert not manager.denied("veto", user=1, permission="x", obj=None)
    manager.add("strict", plugin(veto=lambda permission: False if permission == "x" else None))
    assert manager.denied("veto", user=1, permission="x", obj=None)
    assert not manager.denied("veto", user=1, permission="y", obj=None)
    manager.add("broken", plugin(veto=lambda: 1 / 0))
    assert manager.denied("veto", user=1, permission="y", obj=None)


def test_limits_of_a_plugin_that_fails_are_the_strictest(manager: Manager) -> None:
    manager.add("none", plugin(limit_tickets=lambda user: None))
    manager.add("one", plugin(limit_tickets=lambda user: "mine"))
    manager.add("broken", plugin(limit_tickets=lambda user: 1 / 0))
    assert manager.limits("limit_tickets", deny="nothing", user=1) == ["nothing", "mine"]


def test_a_slot_tells_whose_panel_could_not_be_shown(manager: Manager) -> None:
    manager.add("one", plugin(ticket_panels=lambda ticket: ["a", "b"]))
    manager.add("broken", plugin(ticket_panels=lambda: 1 / 0))
    manager.add("lazy", plugin(ticket_panels=lambda: map(lambda number: 1 / number, (1, 0))))
    manager.add("none", plugin(ticket_panels=lambda: None))
    found = [(entry.plugin, entry.item) for entry in manager.slot("ticket_panels", ticket=None, user=None)]
    assert found == [("lazy", None), ("broken", None), ("one", "a"), ("one", "b")]


def test_a_fact_is_told_to_one_plugin_and_its_error_is_raised(manager: Manager, told: Any) -> None:
    heard: list[str] = []
    manager.add("one", plugin(ticket_opened=lambda: heard.append("one")))
    manager.add("two", plugin(ticket_opened=lambda: heard.append("two")))
    manager.add("broken", plugin(ticket_opened=lambda: 1 / 0))
    manager.tell("two", "ticket_opened", ticket=None, event=None)
    assert heard == ["two"]
    with pytest.raises(ZeroDivisionError):
        manager.tell("broken", "ticket_opened", ticket=None, event=None)
    assert told == [("broken", "ticket_opened", "division by zero")]
    assert manager.listeners(["ticket_opened", "message_added"]) == {"one", "two", "broken"}


def test_calls_are_counted_and_timed(manager: Manager) -> None:
    import time

    manager.add("probe", plugin(nav_items=lambda user: time.sleep(0.01)))
    for _turn in range(3):
        manager.slot("nav_items", user=None)
    health = manager.plugins["probe"].health["nav_items"]
    assert (health.calls, health.errors) == (3, 0) and health.seconds >= 0.03


def test_the_newest_is_asked_first_every_time(manager: Manager) -> None:
    for number in range(5):
        manager.add(f"plugin{number}", plugin(nav_items=lambda number=number: [number]))
    assert [entry.item for entry in manager.slot("nav_items", user=None)] == [4, 3, 2, 1, 0]
