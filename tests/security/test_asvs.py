"""asvs.csv is whole, its evidence exists, and the page says its figures.

The numbers of OWASP ASVS 5.0.0 stand here by section, so that no requirement can be lost: how many it has, and which of
them are of level 3 and left out.
"""

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "security"
STATES = {"met", "partly", "not"}
# Section: how many requirements it has, and which are of level 3.
SECTIONS: dict[str, tuple[int, set[int]]] = {
    "1.1": (2, set()),
    "1.2": (10, {10}),
    "1.3": (12, {12}),
    "1.4": (3, set()),
    "1.5": (3, {3}),
    "2.1": (3, set()),
    "2.2": (3, set()),
    "2.3": (5, {5}),
    "2.4": (2, {2}),
    "3.1": (1, {1}),
    "3.2": (3, {3}),
    "3.3": (5, {5}),
    "3.4": (8, {7, 8}),
    "3.5": (8, {6, 7, 8}),
    "3.6": (1, {1}),
    "3.7": (5, {3, 4, 5}),
    "4.1": (5, {4, 5}),
    "4.2": (5, {2, 3, 4, 5}),
    "4.3": (2, set()),
    "4.4": (4, set()),
    "5.1": (1, set()),
    "5.2": (6, {4, 5, 6}),
    "5.3": (3, {3}),
    "5.4": (3, set()),
    "6.1": (3, set()),
    "6.2": (12, set()),
    "6.3": (8, {5, 6, 7, 8}),
    "6.4": (6, {5, 6}),
    "6.5": (8, {6, 7, 8}),
    "6.6": (4, {4}),
    "6.7": (2, {1, 2}),
    "6.8": (4, set()),
    "7.1": (3, set()),
    "7.2": (4, set()),
    "7.3": (2, set()),
    "7.4": (5, set()),
    "7.5": (3, {3}),
    "7.6": (2, set()),
    "8.1": (4, {3, 4}),
    "8.2": (4, {4}),
    "8.3": (3, {2, 3}),
    "8.4": (2, {2}),
    "9.1": (3, set()),
    "9.2": (4, set()),
    "10.1": (2, set()),
    "10.2": (3, {3}),
    "10.3": (5, {5}),
    "10.4": (16, {12, 13, 14, 15, 16}),
    "10.5": (5, set()),
    "10.6": (2, set()),
    "10.7": (3, set()),
    "11.1": (4, {3, 4}),
    "11.2": (5, {4, 5}),
    "11.3": (5, {4, 5}),
    "11.4": (4, set()),
    "11.5": (2, {2}),
    "11.6": (2, {2}),
    "11.7": (2, {1, 2}),
    "12.1": (5, {4, 5}),
    "12.2": (2, set()),
    "12.3": (5, {5}),
    "13.1": (4, {2, 3, 4}),
    "13.2": (6, {6}),
    "13.3": (4, {3, 4}),
    "13.4": (7, {6, 7}),
    "14.1": (2, set()),
    "14.2": (8, {5, 6, 7, 8}),
    "14.3": (3, set()),
    "15.1": (5, {4, 5}),
    "15.2": (5, {4, 5}),
    "15.3": (7, set()),
    "15.4": (4, {1, 2, 3, 4}),
    "16.1": (1, set()),
    "16.2": (5, set()),
    "16.3": (4, set()),
    "16.4": (3, set()),
    "16.5": (4, {4}),
    "17.1": (2, {2}),
    "17.2": (8, {5, 6, 7, 8}),
    "17.3": (2, set()),
}


@cache
def rows() -> list[dict[str, str]]:
    with (FOLDER / "asvs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def test_each_requirement_of_levels_1_and_2_is_there_once() -> None:
    wanted = [f"V{name}.{n}" for name, (most, third) in SECTIONS.items() for n in range(1, most + 1) if n not in third]
    assert sum(most for most, _third in SECTIONS.values()) == 345, "as many as ASVS 5.0.0 has"
    assert [row["id"] for row in rows()] == wanted
    assert Counter(row["level"] for row in rows()) == {"1": 70, "2": 183}


def test_each_row_says_how_it_stands_and_why() -> None:
    for row in rows():
        assert row["subject"], row
        if row["applies"] == "no":
            assert row["remark"] and not row["state"] and not row["evidence"], f"{row['id']}: a reason, and no more"
            continue
        assert row["applies"] == "yes" and row["state"] in STATES, row
        assert row["evidence"], f"{row['id']}: where can one see it?"
        assert row["state"] == "met" or row["remark"], f"{row['id']}: what is missing?"


def test_the_evidence_exists() -> None:
    for row in rows():
        for place in row["evidence"].split():
            assert not (problem := problem_of(place)), f"{row['id']}: {place}: {problem}"


def problem_of(place: str) -> str:
    """What is wrong with a place: a file, ``file::test``, ``file:name`` or ``file#heading``."""
    path, separator, name = re.fullmatch(r"([^:#]+)(::|:|#|)(.*)", place).groups()  # type: ignore[union-attr]
    if not (ROOT / path).exists():
        return "there is no such file"
    if not separator:
        return ""
    text = text_of(ROOT / path)
    if separator == "#":
        headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
        return "" if name in headings else "there is no such heading"
    wanted = rf"^\s*(?:async )?def {re.escape(name)}\(" if separator == "::" else rf"(?<!\w){re.escape(name)}(?!\w)"
    return "" if re.search(wanted, text, re.MULTILINE) else "it is not in that file"


def test_the_page_says_the_figures_of_the_list() -> None:
    states = Counter(row["state"] for row in rows() if row["applies"] == "yes")
    page = text_of(FOLDER / "README.md")
    assert f"Of the {len(rows())} requirements of levels 1 and 2" in page
    assert f"{sum(states.values())} apply to the desk." in page
    assert f"Met: {states['met']}. Partly: {states['partly']}. Not met: {states['not']}." in page
