"""Writing courses: what is refused and why, versions, circles, files, languages, two people at once."""

import io
from html.parser import HTMLParser
from typing import Any

import pytest
from helpdesk_training import content, courses, editing, files, paths, rendering, rules, skills
from helpdesk_training.models import Course, CourseFile, Version
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Invalid, NotAllowed, Refused, User, db, store, store_bytes


def _refused(verb: Any, *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(Invalid) as error:
        verb(*arguments, **more)
    return error.value.field, str(error.value)


def test_a_quiz_without_a_right_answer_is_kept_and_not_published(parts: Any, course: Any) -> None:
    made = course(published=False, content=parts.whole(questions=[parts.question(), parts.question(right=())]))
    field, said = _refused(editing.publish, made, None)
    assert (field, "Question 2" in said, "right answer" in said) == ("content", True, True)
    assert made.version_id is None and made.state == "draft"
    made.draft["questions"][1]["right"] = ["b"]
    editing.save_content(made, made.draft, None)
    assert editing.publish(made, None).number == 1


@pytest.mark.parametrize(
    ("kind", "broken", "said"),
    [
        ("lessons", {"texts": {"zh_Hans": {"title": "退款", "text": "怎么退"}}}, "Lesson 1"),
        ("lessons", {"texts": {"en": {"title": "A", "text": "![x](gone.png)"}}}, "gone.png"),
        ("lessons", {"texts": {"en": {"title": "A", "text": "[x](lesson:l9)"}}}, "links to a lesson"),
        ("questions", {"kind": "text", "texts": {}}, "Question 1"),
        ("questions", {"kind": "single", "texts": {"en": {"text": "Q", "options": {"a": "A"}}}, "options": ["a"],
                       "right": ["a"]}, "two answers"),
        ("questions", {"kind": "multiple", "texts": {"en": {"text": "Q", "options": {"a": "A"}},
                                                    "es": {"text": "P", "options": {"a": "A", "b": "B"}}},
                       "options": ["a", "b"], "right": ["a"]}, "has no words"),
        ("tasks", {"texts": {"en": {"title": "T", "text": "Do"}}}, "rubric"),
        ("tasks", {"texts": {"en": {"title": "T", "text": "Do"}}, "rubric": [{"points": 2, "texts": {"en": "x"}}],
                   "pass_points": 3}, "3 of 2 points"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_before_it_is_published(course: Any, kind: str, broken: Any, said: str) -> None:
    made = course(published=False, content={kind: [broken]})
    assert said in _refused(editing.publish, made, None)[1]


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"lessons": [{"texts": {"xx-bad-!": {"title": "A"}}}]}, "lesson.1"),
        ({"lessons": [{"id": "../etc", "texts": {}}]}, "lesson.1"),
        ({"lessons": [{"id": "a"}, {"id": "a"}]}, "lessons"),
        ({"lessons": "no list"}, "lessons"),
        ({"lessons": [{"texts": {"en": {"text": "x" * 200_001}}}]}, "lesson.1.text"),
        ({"questions": [{"kind": "guess"}]}, "question.1.kind"),
        ({"questions": [{"kind": "single", "points": 0}]}, "question.1.points"),
        ({"questions": [{"kind": "single", "options": ["a", "b"], "right": ["a", "b"],
                         "texts": {"en": {"options": {"a": "A", "b": "B"}}}}]}, "question.1.right"),
        ({"tasks": [{"rubric": [{"points": "many", "texts": {"en": "x"}}]}]}, "task.1.rubric.1"),
        ({"lessons": [{} for _number in range(201)]}, "lessons"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_its_place(broken: Any, field: str) -> None:
    assert _refused(content.clean_content, broken)[0] == field


def test_circles_of_what_comes_first_are_named(course: Any) -> None:
    one, two = course("One"), course("Two")
    three = course("Three", needs=[two.id])
    editing.save(two, {"needs": [one.id]}, None)
    field, said = _refused(editing.save, one, {"needs": [three.id]}, None)
    assert (field, "One → Three → Two → One" in said) == ("needs", True)
    assert _refused(editing.save, one, {"needs": [one.id]}, None)[0] == "needs"
    db.session.expire_all()
    assert [need.name for need in one.needs] == []


@given(edges=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=12))
def test_a_circle_is_found_where_there_is_one(edges: list[tuple[int, int]]) -> None:
    """The same search as in ``courses.circle``, against removing what waits for nothing until nothing is left."""
    graph: dict[int, set[int]] = {number: set() for number in range(1, 7)}
    for own, needed in edges:
        graph[own].add(needed)
    left = dict(graph)
    while free := [one for one, needs in left.items() if not needs & left.keys()]:
        for one in free:
            del left[one]
    found = {number for number in graph if courses.way_back(graph, number) is not None}
    assert bool(left) == bool(found)
    for number in found:
        way = courses.way_back(graph, number)
        assert way is not None and way[0] == way[-1] == number
        assert all(after in graph[before] for before, after in zip(way, way[1:], strict=False))


def test_who_was_slower_hears_of_it_and_overwrites_nothing(course: Any) -> None:
    made = course(published=False)
    before = made.revision
    editing.save(made, {"summary": "Theirs"}, None, before)
    field, _said = _refused(editing.save, made, {"summary": "Mine"}, None, before)
    assert (field, made.summary) == ("revision", "Theirs")
    assert _refused(editing.save_content, made, content.empty(), None, before)[0] == "revision"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "REFUNDS"}, "name"),
        ({"name": "A", "pass_mark": 0}, "pass_mark"),
        ({"name": "A", "pass_mark": True}, "pass_mark"),
        ({"name": "A", "attempts": -1}, "attempts"),
        ({"name": "A", "valid_days": 0}, "valid_days"),
        ({"name": "A", "language": "klingonese"}, "language"),
        ({"name": "A", "skills": ["x" * 101]}, "skills"),
        ({"name": "A", "needs": [999]}, "needs"),
        ({"name": "A", "titles": {"??": {"name": "B"}}}, "titles"),
    ],
)
def test_values_that_cannot_be(course: Any, values: Any, field: str) -> None:
    course()
    assert _refused(editing.save, None, values, None)[0] == field
    assert db.session.scalar(db.select(db.func.count()).select_from(Course)) == 1


def test_a_version_is_made_once_for_the_same_words(course: Any) -> None:
    made = course()
    assert editing.publish(made, None).number == 1 and not courses.has_news(made)
    editing.save(made, {"pass_mark": 50}, None)
    assert editing.publish(made, None).number == 2
    assert db.session.scalar(db.select(db.func.count()).select_from(Version)) == 2
    editing.retire(made, None)
    with pytest.raises(Refused):
        editing.publish(made, None)
    assert editing.restore(made, None).state == "published"


def test_only_who_writes_courses_writes(course: Any, agent: User, chief: User) -> None:
    made = course()
    for verb in (
        lambda: editing.save(None, {"name": "B"}, agent),
        lambda: editing.save_content(made, {}, agent),
        lambda: editing.publish(made, agent),
        lambda: editing.retire(made, agent),
    ):
        with pytest.raises(NotAllowed):
            verb()
    assert editing.save(None, {"name": "B"}, chief).updated_by_id == chief.id
    assert courses.catalog(agent, state="draft").courses == ()
    assert [one.name for one in courses.catalog(chief, state="draft").courses] == ["B"]


def test_the_catalog_goes_on_where_it_ended(course: Any, agent: User, monkeypatch: Any) -> None:
    for name in ("Refunds", "Exchange", "Phone"):
        course(name, skills=["Phone calls"] if name == "Phone" else [])
    monkeypatch.setattr(courses, "PAGE", 2)
    first = courses.catalog(agent)
    assert [one.name for one in first.courses] == ["Exchange", "Phone"]
    assert [one.name for one in courses.catalog(agent, after=first.next).courses] == ["Refunds"]
    assert [one.name for one in courses.catalog(agent, skill="phone-calls").courses] == ["Phone"]
    assert [one.name for one in courses.catalog(agent, words="EXCH").courses] == ["Exchange"]
    assert courses.catalog(agent, after="nonsense").next == first.next


def test_a_course_in_several_languages_is_read_in_the_nearest(course: Any) -> None:
    made = course(titles={"zh_Hans": {"name": "退款"}})
    assert (made.title("zh_Hans"), made.title("es")) == ("退款", "Refunds")
    texts = {"en": "Hello", "zh_Hans": "你好"}
    assert rendering.words(texts, "zh_Hans") == "你好"
    assert rendering.words({"es": "Hola"}, "ar") == "Hola" and rendering.words({}, "ar") == ""


def test_files_keep_their_names_and_are_never_replaced(course: Any, parts: Any, agent: User, boss: User) -> None:
    made = course(content={"lessons": [parts.lesson()]})
    plan = files.add(made, store_bytes(b"one", "plan.png", "image/png"), boss)
    assert files.add(made, store_bytes(b"one", "plan.png", "image/png"), boss).id == plan.id
    assert files.add(made, store_bytes(b"two", "plan.png", "image/png"), boss).name == "plan-2.png"
    assert _refused(files.add, made, store(io.BytesIO(), "e.txt", "text/plain"), boss)[0] == "file"
    with pytest.raises(NotAllowed):
        files.add(made, store_bytes(b"x", "x.txt", "text/plain"), agent)
    editing.save_content(made, {"lessons": [parts.lesson(text="![Plan](plan.png)")]}, boss)
    with pytest.raises(Refused):
        files.drop(plan, boss)
    editing.publish(made, boss)
    editing.save_content(made, {"lessons": [parts.lesson()]}, boss)
    with pytest.raises(Refused):  # the version that people take still shows it
        files.drop(plan, boss)
    assert sorted(files.stored_files_in_use([plan.sha256, "0" * 64])) == [plan.sha256]
    files.drop(db.session.scalars(db.select(CourseFile).where(CourseFile.name == "plan-2.png")).one(), boss)
    assert [one.name for one in files.of(made)] == ["plan.png"]


def test_a_file_is_opened_by_who_may_take_the_course(
    course: Any, agent: User, boss: User, taken: Any, make_user: Any
) -> None:
    draft, made = course("Draft", published=False), course()
    hidden = files.add(draft, store_bytes(b"1", "a.png", "image/png"), None)
    shown = files.add(made, store_bytes(b"2", "b.png", "image/png"), None)
    assert not files.may_open(agent, hidden) and files.may_open(boss, hidden) and files.may_open(agent, shown)
    assert not files.may_open(make_user(), shown)
    taken(made)
    editing.retire(made, None)
    other = make_user("agent", name="Somebody else")
    assert files.may_open(agent, shown) and not files.may_open(other, shown)


def _html(text: str) -> str:
    return str(rendering.lesson_html(1, text, file_url=lambda name: f"/f/{name}", lesson_url=lambda key: f"/l/{key}"))


def test_markdown_shows_the_files_of_the_course_and_nothing_from_elsewhere() -> None:
    html = _html("# Hi\n\n![Plan](plan.png) [Form](<my form.pdf>) [Next](lesson:l2)\n\n|a|\n|-|\n|1|")
    assert "<img" in html and 'src="/f/plan.png"' in html and "<table>" in html
    assert 'href="/f/my form.pdf"' in html and 'href="/l/l2"' in html
    hostile = _html(
        "<script>alert(1)</script> ![x](https://evil.example/a.png) [y](javascript:alert(1)) "
        "![z](data:image/png;base64,xx) [up](../../etc/passwd) <img src=x onerror=alert(1)>"
    )
    assert "<script" not in hostile and "evil.example" not in hostile and "<img" not in hostile
    assert 'href="javascript' not in hostile and 'href="/f/passwd"' in hostile


class _Addresses(HTMLParser):
    """Every address and every attribute in some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]


_MARKS = st.sampled_from(
    ["[", "]", "(", ")", "!", "<", ">", "/", ":", "`", "#", "\n", "javascript:", "x.png", "../", "img "]
)


@given(pieces=st.lists(_MARKS | st.text(max_size=5), max_size=40))
def test_no_text_becomes_html_that_acts(pieces: list[str]) -> None:
    text = "".join(pieces)
    for tag, name, value in _Addresses(_html(text)).found:
        assert not name.startswith("on") and tag not in ("script", "iframe", "object", "form")
        if name == "src":
            assert value.startswith("/f/")
        if name == "href":
            assert value.startswith(("/f/", "/l/", "http://", "https://", "mailto:"))
    rendering.named_files(text)


def test_names_of_skills_are_one_however_they_are_written() -> None:
    assert skills.key_of("  Phone_Calls ") == skills.key_of("phone-calls") == "phone calls"
    assert skills.clean(["Refunds", "refunds ", "", "退款"]) == ["Refunds", "退款"]


@pytest.mark.parametrize("name", ["Ärger", "ОБУЧЕНИЕ", "退款"])
def test_a_name_is_taken_in_whatever_letters_it_is_written(course: Any, name: str) -> None:
    made = course(name)
    with pytest.raises(Invalid, match="of this name already"):
        editing.save(None, {"name": name}, None)
    items = [{"course_id": made.id}]
    paths.save(None, {"name": name, "items": items}, None)
    with pytest.raises(Invalid, match="of this name already"):
        paths.save(None, {"name": name, "items": items}, None)
    rule = {"name": name, "occasion": "role", "role": "agent", "course_id": made.id}
    rules.save(None, rule, None)
    with pytest.raises(Invalid, match="of this name already"):
        rules.save(None, rule, None)
