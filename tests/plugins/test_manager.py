"""The machinery: a plugin is found, checked, called alone, and none can break another or the desk."""

import importlib.metadata
import inspect
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.plugins import deprecation, health, hookspecs
from helpdesk.plugins.contributions import Job, NavItem, Panel, Reject
from helpdesk.plugins.hookspecs import hookimpl
from helpdesk.plugins.manager import Manager, PluginError, States, check_name


def plugin(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


@pytest.fixture
def told() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def manager(told: list[tuple[str, str, str]]) -> Manager:
    off: set[str] = set()
    paused: set[str] = set()
    found = Manager(
        states=lambda: States(frozenset(off), frozenset(paused)),
        on_error=lambda plugin, hook, error: told.append((plugin, hook, str(error))),
    )
    found.off, found.paused = off, paused  # type: ignore[attr-defined]
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
    assert found.error == "probe implements “ticket_open”, which is no hook; perhaps “ticket_opened” is meant."
    assert "correct its name" in manager.add("far_off", plugin(make_coffee=lambda: None)).error
    assert manager.listeners(["ticket_opened"]) == set()


def test_a_hook_that_another_plugin_publishes_may_be_missing(manager: Manager) -> None:
    module = SimpleNamespace(survey_answered=hookimpl(optionalhook=True)(lambda survey: None))
    assert manager.add("probe", module).loaded


def test_an_argument_that_a_hook_does_not_have_is_named(manager: Manager) -> None:
    found = manager.add("probe", plugin(ticket_opened=lambda ticket, request: None))
    assert found.error == "probe.ticket_opened takes “request”, which this hook does not give; it gives ticket, event."


def test_what_would_never_run_is_refused(manager: Manager) -> None:
    async def later(ticket: Any) -> None: ...

    def bit_by_bit(ticket: Any) -> Any:
        yield ticket

    def by_place(ticket: Any, /) -> None: ...

    assert "is async" in manager.add("one", plugin(ticket_opened=later)).error
    assert "has a yield in it" in manager.add("two", plugin(ticket_opened=bit_by_bit)).error
    assert "by its place" in manager.add("three", plugin(ticket_opened=by_place)).error
    assert manager.listeners(["ticket_opened"]) == set()


def test_a_hook_gets_what_it_names_however_it_names_it(manager: Manager) -> None:
    seen: list[Any] = []

    def all_of_them(**given: Any) -> None:
        seen.append(given)

    def some(actor: Any = "nobody", later: str = "not there yet") -> None:
        seen.append((actor, later))

    def by_name(*, draft: Any, actor: Any) -> None:
        seen.append((draft, actor))

    def swapped(actor: Any, draft: Any) -> None:
        seen.append((draft, actor))

    for number, function in enumerate((all_of_them, some, by_name, swapped, lambda: seen.append(()))):
        assert manager.add(f"plugin{number}", plugin(before_ticket_opened=function)).loaded
    manager.before("before_ticket_opened", draft=1, actor=2)
    assert seen == [(), (1, 2), (1, 2), (2, "not there yet"), {"draft": 1, "actor": 2}]


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
    sound = manager.add("sound", plugin(register_jobs=lambda: [Job("sound.job", run=print)]))
    assert broken.error and sound.loaded
    assert [found.plugin for found in manager.contributions("register_jobs")] == ["sound"]
    assert not manager.denied("veto", user=None, permission="x", obj=None), "none of its hooks is called"


def test_single_files_are_plugins(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "greeter.py").write_text(
        "from helpdesk.api import hookimpl\n@hookimpl\ndef choose_team(draft):\n    return 'hello'\n"
    )
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "Bad-Name.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    manager.discover(tmp_path)
    assert manager.plugins["greeter"].loaded and manager.plugins["greeter"].path == tmp_path / "greeter.py"
    assert "SyntaxError" in manager.plugins["broken"].error
    assert "cannot be a plugin's name" in manager.plugins["Bad-Name"].error
    assert manager.answer("choose_team", draft=None) == "hello"


def test_what_a_distribution_says_of_itself_is_not_written_twice(manager: Manager) -> None:
    manager.discover()
    email = manager.plugins["email"]
    assert email.loaded, email.error
    assert email.distribution == "helpdesk-email" and email.version == importlib.metadata.version("helpdesk-email")
    assert email.summary


def test_an_old_hook_and_an_old_argument_work_and_are_noted(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deprecation.HOOKS, "on_opened", deprecation.Renamed("ticket_opened", "2.0"))
    monkeypatch.setitem(deprecation.ARGUMENTS, ("ticket_opened", "case"), deprecation.Renamed("ticket", "2.0"))
    heard: list[Any] = []
    with pytest.warns(DeprecationWarning) as told:
        old = manager.add("old", plugin(on_opened=lambda case: heard.append(case)))
    assert old.loaded, old.error
    assert old.notes == [str(warning.message) for warning in told]
    assert old.notes == [
        "old implements “on_opened”, which goes in helpdesk 2.0; use “ticket_opened” instead.",
        "old.ticket_opened takes “case”, which goes in helpdesk 2.0; use “ticket” instead.",
    ]
    manager.tell("old", "ticket_opened", ticket="#7", event=None)
    assert heard == ["#7"]


def test_an_old_name_of_the_api_is_noted_at_the_plugin(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(deprecation.NAMES, "answer_ticket", deprecation.Renamed("reply", "2.0"))
    (tmp_path / "old.py").write_text("from helpdesk.api import answer_ticket\n")
    with pytest.warns(DeprecationWarning, match="answer_ticket"):
        manager.discover(tmp_path)
    assert "“reply”" in manager.plugins["old"].notes[0] and manager.plugins["old"].loaded


# ---- calling


def test_each_hook_has_one_kind_and_documentation() -> None:
    kinds = {"registration", "before", "fact", "answer", "guard", "slot", "all"}
    assert set(hookspecs.KINDS.values()) == kinds
    for name, kind in hookspecs.KINDS.items():
        text = getattr(hookspecs, name).__doc__ or ""
        assert "Example::" in text and "@hookimpl" in text and f"def {name}(" in text, name
        assert ("Called" in text) or "asked" in text.lower(), f"{name} does not say when"
        assert name.startswith({"registration": "register_", "before": "before_"}.get(kind, ""))


@pytest.mark.parametrize("hook", sorted(hookspecs.KINDS))
def test_every_hook_gets_all_that_it_promises(manager: Manager, hook: str) -> None:
    """A hook of a kind that nothing here calls fails: add how it is called, with the hook."""
    names = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    seen: list[dict[str, Any]] = []

    def implementation(**given: Any) -> Any:
        seen.append(given)
        return [] if hook.startswith("register_") else None

    added = manager.add("probe", plugin(**{hook: implementation}))
    assert added.loaded, added.error
    arguments = {name: f"the {name}" for name in names}
    {
        "registration": lambda: None,
        "before": lambda: manager.before(hook, **arguments),
        "fact": lambda: manager.tell("probe", hook, **arguments),
        "answer": lambda: manager.answer(hook, **arguments),
        "guard": lambda: manager.denied(hook, **arguments),
        "slot": lambda: manager.slot(hook, **arguments),
        "all": lambda: manager.require_each(hook, **arguments),
    }[hookspecs.KINDS[hook]]()
    assert seen == [arguments]


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
    a, b = Panel("a", "one/a.html"), Panel("b", "one/b.html")
    manager.add("one", plugin(ticket_panels=lambda ticket: [a, b]))
    manager.add("wrong", plugin(ticket_panels=lambda ticket: [a, "b"]))
    manager.add("broken", plugin(ticket_panels=lambda: 1 / 0))
    manager.add("lazy", plugin(ticket_panels=lambda: map(lambda number: a if 1 / number else b, (1, 0))))
    manager.add("none", plugin(ticket_panels=lambda: None))
    found = [(entry.plugin, entry.item) for entry in manager.slot("ticket_panels", ticket=None, user=None)]
    assert found == [("lazy", None), ("broken", None), ("wrong", None), ("one", a), ("one", b)]


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
    manager.add("probe", plugin(nav_items=lambda user: time.sleep(0.01)))
    for _turn in range(3):
        manager.slot("nav_items", user=None)
    health = manager.plugins["probe"].health["nav_items"]
    assert (health.calls, health.errors) == (3, 0) and health.seconds >= 0.03


def test_the_newest_is_asked_first_every_time(manager: Manager) -> None:
    for number in range(5):
        manager.add(f"plugin{number}", plugin(nav_items=lambda number=number: [NavItem(str(number), "x.y")]))
    assert [entry.item.label for entry in manager.slot("nav_items", user=None)] == ["4", "3", "2", "1", "0"]


# ---- answers of the wrong type


def test_a_before_hook_that_returns_something_is_an_error_and_changes_nothing(manager: Manager, told: Any) -> None:
    def answer(draft: Any) -> Any:
        draft.tags.append("lost")
        return draft

    manager.add("two", plugin(before_ticket_opened=lambda draft: draft.tags.append("kept")))
    manager.add("one", plugin(before_ticket_opened=answer))
    draft = manager.before("before_ticket_opened", "draft", draft=SimpleNamespace(tags=[]), actor=None)
    assert draft.tags == ["kept"]
    assert told == [("one", "before_ticket_opened", told[0][2])] and "returns nothing" in told[0][2]


def test_a_before_hook_that_spoils_the_draft_is_an_error(manager: Manager, told: Any) -> None:
    manager.add("types", plugin(before_ticket_opened=lambda draft: setattr(draft, "tags", "a, b")))
    manager.add("gone", plugin(before_ticket_opened=lambda draft: delattr(draft, "tags")))
    manager.add("lock", plugin(before_ticket_opened=lambda draft: setattr(draft, "other", threading.Lock())))
    draft = manager.before("before_ticket_opened", "draft", draft=SimpleNamespace(tags=["a"]), actor=None)
    assert draft.tags == ["a"] and {name for name, _hook, _error in told} == {"types", "gone", "lock"}


def test_an_answer_of_another_type_is_passed_over(manager: Manager, told: Any) -> None:
    manager.add("right", plugin(choose_team=lambda draft: 7))
    manager.add("wrong", plugin(choose_team=lambda draft: "seven"))
    assert manager.answer("choose_team", int, draft=None) == 7
    assert told == [("wrong", "choose_team", "choose_team must return int or None, not str")]
    assert manager.plugins["wrong"].health["choose_team"].errors == 1


@pytest.mark.parametrize("verdict", ["no", 0, [], 1.5])
def test_a_guard_that_says_neither_yes_nor_no_denies(manager: Manager, told: Any, verdict: Any) -> None:
    manager.add("probe", plugin(veto=lambda user: verdict))
    assert manager.denied("veto", user=1, permission="x", obj=None)
    assert "a guard returns False, True or None" in told[0][2]


def test_a_limit_that_is_no_criterion_is_the_strictest(manager: Manager, told: Any) -> None:
    manager.add("probe", plugin(limit_tickets=lambda user: "all"))
    assert manager.limits("limit_tickets", deny=0, wanted=int, user=1) == [0]
    assert len(told) == 1


@pytest.mark.parametrize("answer", ["text", {"a": 1}, 5, [None]])
def test_a_slot_that_gives_something_else_failed(manager: Manager, told: Any, answer: Any) -> None:
    manager.add("probe", plugin(ticket_panels=lambda ticket: answer))
    assert [entry.item for entry in manager.slot("ticket_panels", ticket=None, user=None)] == [None]
    assert len(told) == 1


# ---- the breaker


def fails(manager: Manager, hook: str = "nav_items", times: int = 5) -> None:
    for _turn in range(times):
        manager.slot(hook, user=None)


def test_a_hook_that_keeps_failing_rests_and_is_tried_again(manager: Manager, told: Any, travel_time: Any) -> None:
    manager.add("probe", plugin(nav_items=lambda: 1 / 0, dashboard_widgets=lambda: []))
    fails(manager)
    assert len(told) == 5
    assert manager.slot("nav_items", user=None) == [] and len(told) == 5, "it rests"
    (count,) = [count for count in manager.counts() if count.hook == "nav_items"]
    assert (count.calls, count.errors, count.rests) == (5, 5, pytest.approx(60))
    travel_time(61)
    assert len(manager.slot("nav_items", user=None)) == 1 and len(told) == 6, "one try"
    travel_time(61)
    assert manager.slot("nav_items", user=None) == [], "and twice the rest"
    travel_time(60)
    manager.slot("nav_items", user=None)
    assert len(told) == 7


def test_a_success_ends_the_row_of_failures(manager: Manager, told: Any) -> None:
    failing = [True]
    manager.add("probe", plugin(nav_items=lambda: [] if not failing[0] else 1 / 0))
    fails(manager, times=4)
    failing[0] = False
    fails(manager, times=1)
    failing[0] = True
    fails(manager, times=4)
    assert len(told) == 8 and not manager.plugins["probe"].health["nav_items"].resting


def test_what_fails_only_when_it_is_shown_rests_as_well(manager: Manager, told: Any) -> None:
    manager.add("probe", plugin(ticket_panels=lambda: [Panel("A", "probe/a.html")]))
    for _turn in range(5):
        assert len(manager.slot("ticket_panels", ticket=None, user=None)) == 1
        assert manager.finish("probe", "ticket_panels", lambda: 1 // 0, otherwise=-1) == -1
    assert manager.slot("ticket_panels", ticket=None, user=None) == []


@pytest.mark.parametrize("hook", ["veto", "ticket_opened"])
def test_guards_and_facts_never_rest(manager: Manager, told: Any, hook: str) -> None:
    manager.add("probe", plugin(**{hook: lambda: 1 / 0}))
    for turn in range(8):
        if hook == "veto":
            assert manager.denied("veto", user=1, permission="x", obj=None)
        else:
            with pytest.raises(ZeroDivisionError):
                manager.tell("probe", hook, ticket=None, event=None)
        assert len(told) == turn + 1
    assert [count.rests for count in manager.counts()] == [0.0]


def test_switched_on_again_it_is_called_at_once(manager: Manager, told: Any) -> None:
    manager.add("probe", plugin(nav_items=lambda: 1 / 0))
    fails(manager)
    manager.off.add("probe")  # type: ignore[attr-defined]
    fails(manager, times=1)
    manager.off.clear()  # type: ignore[attr-defined]
    fails(manager, times=1)
    assert len(told) == 6


def test_a_paused_one_is_not_called_but_its_guards_and_contributions_go_on(manager: Manager) -> None:
    called: list[str] = []
    manager.add(
        "probe",
        plugin(
            nav_items=lambda: called.append("nav"),
            veto=lambda: called.append("veto"),
            register_jobs=lambda: [Job("probe.job", run=print)],
        ),
    )
    manager.paused.add("probe")  # type: ignore[attr-defined]
    manager.slot("nav_items", user=None)
    manager.denied("veto", user=1, permission="x", obj=None)
    assert called == ["veto"] and manager.find("register_jobs", "probe.job") is not None
    manager.off.add("probe")  # type: ignore[attr-defined]
    assert manager.find("register_jobs", "probe.job") is None


def test_a_hook_without_implementation_asks_nobody(told: Any) -> None:
    def never() -> Any:
        raise AssertionError("it was asked")

    manager = Manager(states=never, around=never)
    assert manager.slot("nav_items", user=None) == [] and manager.answer("choose_team", draft=None) is None
    assert not manager.denied("veto", user=1, permission="x", obj=None)
    assert manager.limits("limit_tickets", deny=0, user=1) == [] and manager.listeners(["ticket_opened"]) == set()
    assert manager.before("before_ticket_opened", "draft", draft=1, actor=None) == 1


@pytest.fixture
def travel_time(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock by which hooks rest; by itself it stands, however slow the machine is."""
    moment = [time.monotonic()]
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: moment[0]))

    def forward(seconds: float) -> None:
        moment[0] += seconds

    return forward
