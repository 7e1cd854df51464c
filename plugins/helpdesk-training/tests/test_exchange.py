"""A course from a folder of Markdown: what comes along, what is refused, and taking it in again."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from helpdesk_training import courses, editing, exchange, files, rendering
from helpdesk_training.models import Course
from helpdesk_training.unpacking import unpacked
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Invalid, NotAllowed, User, db

_COURSE = """
name = "Refunds"
summary = "How money goes back."
skills = ["Refunds"]
pass_mark = 70
valid_days = 365
[titles.zh_Hans]
name = "退款"
"""
_QUIZ = """
[[questions]]
text = { en = "When?", zh_Hans = "什么时候?" }
options = ["Within 14 days", { en = "Never", zh_Hans = "从不" }]
right = "Within 14 days"
explanation = "The law says so."

[[questions]]
kind = "multiple"
text = "Which?"
options = ["A", "B", "C"]
right = [1, "C"]

[[questions]]
kind = "order"
text = "In which order?"
options = ["First", "Second"]

[[questions]]
kind = "text"
text = "Why?"
points = 3
"""
_TASKS = """
[[tasks]]
title = "Answer Anna"
text = "Write to her."
subject = "Where is it?"
message = "I wait."
pass_points = 3
[[tasks.rubric]]
text = { en = "Friendly" }
points = 2
[[tasks.rubric]]
text = "Right"
points = 3
"""


def _problems(folder: Path) -> str:
    with pytest.raises(Invalid) as error:
        exchange.read_folder(folder)
    assert error.value.field == "folder"
    return str(error.value)


@pytest.fixture
def whole(folder: Any) -> Path:
    root: Path = folder(
        course_dot_toml=_COURSE,
        quiz_dot_toml=_QUIZ,
        tasks_dot_toml=_TASKS,
        images__plan_dot_png=b"\x89PNG\r\n\x1a\nplan",
        README_dot_md="For who writes it.",
    )
    (root / "01-begin.md").write_text("# The beginning\n\n![Plan](images/plan.png)\n\nThen [go on](02-end.md#there).")
    (root / "01-begin.zh_Hans.md").write_text("# 开始\n\n图:![图](images/plan.png)")
    (root / "02-end.md").write_text("No heading, [the form](<the form.pdf>) and [the law](https://law.example/x).")
    (root / "the form.pdf").write_bytes(b"%PDF-1.7")
    (root / ".git").mkdir()
    (root / ".git" / "notes.md").write_text("# Not a lesson")
    return root


def test_a_folder_becomes_a_course_with_all_its_parts(whole: Path, boss: User) -> None:
    made = exchange.take(exchange.read_folder(whole), boss, publish=True)
    assert (made.name, made.title("zh_Hans"), made.state, made.pass_mark) == ("Refunds", "退款", "published", 70)
    first, second = made.draft["lessons"]
    assert (first["id"], first["texts"]["en"]["title"], first["texts"]["zh_Hans"]["title"]) == (
        "01_begin", "The beginning", "开始",
    )  # fmt: skip
    assert "![Plan](plan.png)" in first["texts"]["en"]["text"]
    assert "[go on](lesson:02_end)" in first["texts"]["en"]["text"]
    assert (second["texts"]["en"]["title"], rendering.named_files(second["texts"]["en"]["text"])) == (
        "end", {"the form.pdf"},
    )  # fmt: skip
    single, several, order, free = made.draft["questions"]
    assert (single["right"], several["right"], order["right"], free["points"]) == (
        ["o1"],
        ["o1", "o3"],
        ["o1", "o2"],
        3,
    )
    assert single["texts"]["zh_Hans"]["options"] == {"o2": "从不"}
    (task,) = made.draft["tasks"]
    assert (task["pass_points"], [line["points"] for line in task["rubric"]]) == (3, [2, 3])
    assert sorted(one.name for one in files.of(made)) == ["plan.png", "the form.pdf"]
    assert courses.problems(made) == []


def test_taken_in_again_it_is_the_same_course_and_its_lessons_keep_their_ids(whole: Path, boss: User) -> None:
    made = exchange.take(exchange.read_folder(whole), boss, publish=True)
    before = made.draft
    assert exchange.take(exchange.read_folder(whole), boss, publish=True).id == made.id
    assert made.draft == before and courses.newest(made).number == 1
    (whole / "images" / "plan.png").write_bytes(b"\x89PNG\r\n\x1a\nanother plan")
    editing.retire(made, boss)
    again = exchange.take(exchange.read_folder(whole), boss)
    assert "![Plan](plan-2.png)" in again.draft["lessons"][0]["texts"]["en"]["text"]
    assert [lesson["id"] for lesson in again.draft["lessons"]] == [lesson["id"] for lesson in before["lessons"]]
    assert courses.newest(again).content == before and again.state == "published"
    assert db.session.scalar(db.select(db.func.count()).select_from(Course)) == 1


@pytest.mark.parametrize(
    "target",
    [
        "../secret.txt",
        "/etc/passwd",
        "..%2Fsecret.txt",
        "images/../../secret.txt",
        "file:///etc/passwd",
        "..\\secret.txt",
    ],
)
def test_nothing_outside_the_folder_comes_along(folder: Any, tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    said = _problems(folder(lesson_dot_md=f"# A\n\n![x]({target})"))
    assert "lesson.md" in said and "outside the folder" in said


def test_no_link_of_the_disk_leads_out_either(folder: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    root = folder(lesson_dot_md="# A\n\n[x](inner.txt)")
    (root / "inner.txt").symlink_to(tmp_path / "secret.txt")
    assert "outside the folder" in _problems(root)
    (root / "inner.txt").unlink()
    (root / "lesson.md").unlink()
    (root / "other.md").symlink_to(tmp_path / "secret.txt")
    assert "outside the folder" in _problems(root)
    (root / "other.md").unlink()
    (root / "quiz.toml").symlink_to(tmp_path / "secret.txt")
    assert "outside the folder" in _problems(root)


def test_a_reference_leads_out_no_more_than_a_link(folder: Any) -> None:
    assert "outside the folder" in _problems(folder(lesson_dot_md="# A\n\n[x][one]\n\n[one]: ../secret.txt\n"))


@pytest.mark.parametrize(
    ("files_of", "said"),
    [
        ({"a_dot_md": "![x](gone.png)"}, "which is not there"),
        ({"a_dot_md": "![x](.hidden)", "_dot_hidden": "x"}, "which is not there"),
        ({"a_dot_md": "[x](one/f.txt) [y](two/f.txt)", "one__f_dot_txt": "1", "two__f_dot_txt": "2"}, "Two files"),
        ({"a_dot_md": "[x](f.txt)", "f_dot_txt": ""}, "is empty"),
        ({"a_dot_md": b"\xff\xfe"}, "UTF-8"),
        ({"course_dot_toml": "name = "}, "cannot be read"),
        ({"course_dot_toml": 'language = "klingonese"'}, "no language"),
        ({"course_dot_toml": 'skills = "one"'}, "has to be a list"),
        ({"quiz_dot_toml": 'questions = "none"'}, "has to be a list"),
        ({"quiz_dot_toml": '[[questions]]\ntext = "Q"\n'}, "has no options"),
        ({"quiz_dot_toml": '[[questions]]\ntext = "Q"\noptions = ["A"]\nright = "B"'}, "none of the options"),
        ({"quiz_dot_toml": '[[questions]]\ntext = "Q"\nkind = "guess"\noptions = ["A"]'}, "question.1.kind"),
        ({"tasks_dot_toml": '[[tasks]]\ntitle = "T"\n[[tasks.rubric]]\ntext = "x"\npoints = "many"'}, "task.1.rubric"),
        ({"a_dot_md": "x" * (1024 * 1024 + 1)}, "too large"),
    ],
)
def test_all_that_is_wrong_is_said(folder: Any, files_of: Any, said: str) -> None:
    assert said in _problems(folder(**files_of))


def test_several_problems_are_said_together(folder: Any) -> None:
    root = folder(a_dot_md="![x](gone.png) ![y](../out.png)", b_dot_md="![z](gone2.png)")
    assert len(_problems(root).splitlines()) == 3


def test_what_is_missing_around_it_is_refused_and_nothing_is_made(folder: Any, agent: User, tmp_path: Path) -> None:
    assert "There is no folder" in _problems(tmp_path / "nowhere")
    found = exchange.read_folder(folder(a_dot_md="# A\n\nText", course_dot_toml='needs = ["Basics"]'))
    with pytest.raises(Invalid, match="Basics"):
        exchange.take(found, None)
    with pytest.raises(NotAllowed):
        exchange.take(found, agent)
    assert db.session.scalar(db.select(Course.id)) is None


def test_the_command_takes_a_folder_in(app: Any, whole: Path, tmp_path: Path) -> None:
    from helpdesk_training.cli import assign, import_folder, look

    run = app.test_cli_runner()
    done = run.invoke(import_folder, [str(whole), "--publish"])
    assert done.exit_code == 0 and "Refunds: 2 lessons, 4 questions, 1 tasks. Published." in done.output
    failed = run.invoke(import_folder, [str(tmp_path / "nowhere")])
    assert failed.exit_code == 1 and "There is no folder" in failed.output and "Traceback" not in failed.output
    assert "Gave 0 courses." in run.invoke(assign).output and "Saw to 0" in run.invoke(look).output


_PIECES = st.sampled_from(
    ["](", ")", "[", "<", ">", "../", "/etc/x", "a.md", "b.png", "file:", "%2e%2e/", "\n[r]: ", " "]
)


@given(pieces=st.lists(_PIECES | st.text(max_size=4), max_size=30))
def test_no_lesson_names_what_lies_outside(tmp_path_factory: Any, pieces: list[str]) -> None:
    """Whatever stands in a lesson: it is refused, or all that comes along lies inside."""
    base = tmp_path_factory.mktemp("course")
    root = base / "in"
    root.mkdir()
    (base / "x").write_text("out")
    (root / "b.png").write_bytes(b"\x89PNG")
    (root / "a.md").write_text("".join(pieces).encode("utf-8", "replace").decode(), newline="")
    try:
        found = exchange.read_folder(root)
    except Invalid:
        return
    assert all(path.resolve().is_relative_to(root) for path in found.files.values())


def test_a_name_of_other_letters_is_found_again(folder: Any, boss: User) -> None:
    about = {"course_dot_toml": 'name = "Ärger"', "one_dot_md": "# One"}
    made = exchange.take(exchange.read_folder(folder(**about)), boss)
    assert exchange.take(exchange.read_folder(folder(**about)), boss).id == made.id
    needy = folder(course_dot_toml='name = "Next"\nneeds = ["Ärger"]', one_dot_md="# One")
    assert [one.name for one in exchange.take(exchange.read_folder(needy), boss).needs] == ["Ärger"]


def test_a_table_that_goes_down_for_ever_is_refused(folder: Any) -> None:
    with pytest.raises(Invalid, match="course.toml cannot be read"):
        exchange.read_folder(folder(course_dot_toml="name = " + "[" * 50_000, one_dot_md="# One"))


@pytest.mark.parametrize("way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_refused_with_a_sentence(way: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", way) as archive:
        archive.writestr("01.md", "# One\n" * 1_000)
    whole = packed.getvalue()
    # Behind the head of the entry and its name lies what was packed.
    broken = whole[:36] + b"\xff" * 20 + whole[56:]
    with pytest.raises(Invalid, match="cannot be read as a ZIP file"), unpacked(io.BytesIO(broken)):
        pass
