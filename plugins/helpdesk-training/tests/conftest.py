"""What most tests begin with: people in a team, a course with its parts, and who takes it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpdesk_training import assigning, editing, learning
from helpdesk_training.models import Assignment, Attempt, Course

from helpdesk.api import Delivery, User, db, transaction

RIGHT = {"q1": ["a"], "q2": ["a", "c"], "q3": ["a", "b", "c"]}


def lesson(title: str = "Refunds", text: str = "When to **refund**.", **more: Any) -> dict[str, Any]:
    """A lesson in English."""
    return {"texts": {"en": {"title": title, "text": text}}, **more}


def question(kind: str = "single", right: Any = ("a",), **more: Any) -> dict[str, Any]:
    """A question with three answers."""
    options = {} if kind == "text" else {"a": "First", "b": "Second", "c": "Third"}
    words = {"text": "Which one?", "explanation": "Because.", "options": options}
    chosen = {} if kind == "text" else {"options": list(options), "right": list(right)}
    return {"kind": kind, "texts": {"en": words}, **chosen, **more}


def task(**more: Any) -> dict[str, Any]:
    """A practical task with a rubric of two lines."""
    words = {"title": "Answer Anna", "text": "Write to her.", "subject": "Where is it?", "message": "I wait."}
    rubric = [{"points": 2, "texts": {"en": "Friendly"}}, {"points": 3, "texts": {"en": "Right"}}]
    return {"texts": {"en": words}, "rubric": rubric, "pass_points": 4, **more}


def whole(**parts: Any) -> dict[str, Any]:
    """A content with every kind of part that a program grades."""
    questions = [question(), question("multiple", ("a", "c")), question("order", ("a", "b", "c"))]
    return {"lessons": [lesson()], "questions": questions, "tasks": [], **parts}


@pytest.fixture
def parts() -> Any:
    """What courses are made of in tests; ``right`` is what passes the quiz of ``whole``."""
    return SimpleNamespace(lesson=lesson, question=question, task=task, whole=whole, right=RIGHT)


@pytest.fixture
def team(make_team: Any) -> Any:
    return make_team("Returns")


@pytest.fixture
def agent(make_user: Any, team: Any) -> User:
    person: User = make_user("agent", name="Abe Agent", email="abe@desk.example")
    with transaction():
        person.teams.append(team)
    return person


@pytest.fixture
def chief(make_user: Any, team: Any) -> User:
    person: User = make_user("supervisor", name="Cho Chief", email="cho@desk.example")
    with transaction():
        person.teams.append(team)
    return person


@pytest.fixture
def boss(make_user: Any) -> User:
    person: User = make_user("admin", name="Bea Boss", email="bea@desk.example")
    return person


@pytest.fixture
def course(app: Any) -> Callable[..., Course]:
    """A course that is published, unless something else is said."""

    def make(name: str = "Refunds", published: bool = True, content: Any = None, **values: Any) -> Course:
        made = editing.save(None, {"name": name, **values}, None)
        editing.save_content(made, content or {"lessons": [lesson()]}, None)
        if published:
            editing.publish(made, None)
        return made

    return make


@pytest.fixture
def taken(agent: User, course: Any) -> Callable[..., Assignment]:
    """Somebody has begun a course."""

    def make(which: Course | None = None, person: User | None = None, **how: Any) -> Assignment:
        who = person or agent
        (given,) = assigning.assign([who], which or course(), None, **how)
        return learning.begin(given, who)

    return make


@pytest.fixture
def passed(agent: User) -> Callable[..., Attempt]:
    """Hand in a quiz, all of it right."""

    def make(assignment: Assignment, answers: Any = None, person: User | None = None) -> Attempt:
        who = person or agent
        return learning.submit(learning.start_attempt(assignment, who), answers or RIGHT, who)

    return make


@pytest.fixture
def complete(agent: User, taken: Any) -> Callable[..., Assignment]:
    """Somebody has done a course of one lesson."""

    def make(which: Course | None = None, person: User | None = None, **how: Any) -> Assignment:
        done = taken(which, person, **how)
        return learning.finish_lesson(done, done.version.content["lessons"][0]["id"], person or agent)

    return make


@pytest.fixture
def mails(app: Any) -> Callable[[], list[tuple[str, str]]]:
    """To whom what was mailed, in order."""

    def read() -> list[tuple[str, str]]:
        rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "letter").order_by(Delivery.id))
        return [(row.address, row.data["subject"]) for row in rows]

    return read


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder with these files in it."""

    def make(**files: str | bytes) -> Path:
        root = tmp_path / "course"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return root

    return make


# ---- what the tests of pages begin with: parts with words of their own, and a learner of a supervisor without a team

_LESSONS = [
    {"id": "hello", "texts": {"en": {"title": "Say hello", "text": "# Begin\n\nSay **hello** by [name](lesson:bye)."},
                              "es": {"title": "Saludar", "text": "Di **hola**."}}},
    {"id": "bye", "texts": {"en": {"title": "Say goodbye", "text": "Thank them, <script>alert(1)</script>."}}},
]  # fmt: skip
_QUESTIONS = [
    {"id": "q1", "kind": "single", "points": 1, "options": ["a", "b"], "right": ["a"],
     "texts": {"en": {"text": "What comes first?", "explanation": "A name is warmer.",
                      "options": {"a": "The name", "b": "The number"}}}},
    {"id": "q2", "kind": "multiple", "points": 1, "options": ["a", "b", "c"], "right": ["a", "c"],
     "texts": {"en": {"text": "What is polite?", "options": {"a": "Please", "b": "Now", "c": "Thanks"}}}},
    {"id": "q3", "kind": "order", "points": 1, "options": ["a", "b", "c"], "right": ["a", "b", "c"],
     "texts": {"en": {"text": "Put it in order.", "options": {"a": "Read", "b": "Think", "c": "Write"}}}},
]  # fmt: skip
_FREE = {
    "id": "q4", "kind": "text", "points": 2, "options": [], "right": [],
    "texts": {"en": {"text": "How do you say no?", "model": "With a reason."}},
}  # fmt: skip
_TASK = {
    "id": "t1", "pass_points": 3,
    "rubric": [{"id": "r1", "points": 2, "texts": {"en": "Greets by name"}},
               {"id": "r2", "points": 2, "texts": {"en": "Says what happens next"}}],
    "texts": {"en": {"title": "Answer Anna", "text": "Write the reply.", "subject": "Where is it?",
                     "message": "I have waited for a week."}},
}  # fmt: skip
_FORM = {"q-q1": "a", "q-q2": ["a", "c"], "q-q3-a": "1", "q-q3-b": "2", "q-q3-c": "3"}


@pytest.fixture
def sample() -> SimpleNamespace:
    """Parts of courses, and the form that answers the questions rightly."""
    return SimpleNamespace(lessons=_LESSONS, questions=_QUESTIONS, free=_FREE, task=_TASK, right=_FORM)


@pytest.fixture
def learner(make_user: Any, make_team: Any) -> User:
    """An agent in the team “Workshop”."""
    user: User = make_user("agent", name="Nina New", email="nina@desk.example")
    make_team("Workshop", members=[user])
    return user


@pytest.fixture
def supervisor(make_user: Any) -> User:
    """Somebody who is in no team, and so looks after all."""
    user: User = make_user("supervisor", name="Sue Super", email="sue@desk.example")
    return user


@pytest.fixture
def polite(app: Any) -> Callable[..., Course]:
    """A published course of two lessons; ``questions``, ``tasks`` and columns can be said."""

    def make(name: str = "Politeness", publish: bool = True, **values: Any) -> Course:
        content = {key: values.pop(key, ()) for key in ("questions", "tasks")}
        content["lessons"] = values.pop("lessons", _LESSONS)
        made = editing.save(None, {"name": name, "skills": ["Greeting"], **values}, None)
        editing.save_content(made, content, None)
        if publish:
            editing.publish(made, None)
        return made

    return make


@pytest.fixture
def given(learner: User) -> Callable[..., Assignment]:
    """A course, assigned to the learner; ``begun``: and begun."""

    def make(which: Course, begun: bool = False, **values: Any) -> Assignment:
        [made] = assigning.assign([learner], which, None, **values)
        if begun:
            learning.begin(made, learner)
        return made

    return make


@pytest.fixture
def fresh() -> Callable[[Any], Any]:
    """A row as the database has it now."""

    def read(row: Any) -> Any:
        number = db.inspect(row).identity
        db.session.rollback()
        db.session.expire_all()
        return db.session.get_one(type(row), number)

    return read
