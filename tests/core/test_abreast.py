"""Ways that go side by side: what many ask is asked once, and each gets its own answer."""

from typing import Any

import pytest

from helpdesk.core.abreast import Ask, Way, alone, together


class Book:
    """Answers from a table, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def squares(self, numbers: list[int]) -> list[int]:
        self.asked.append(numbers)
        return [number * number for number in numbers]


def _way(book: Book, number: int, turns: int) -> Way[int]:
    for _turn in range(turns):
        number = yield Ask(book.squares, number)
    return number


def test_many_are_answered_by_one_call_and_each_gets_its_own() -> None:
    book = Book()
    assert together({name: _way(book, name, turns=2) for name in (2, 3)}) == {2: 16, 3: 81}
    assert book.asked == [[2, 3], [4, 9]]


def test_one_that_has_ended_is_asked_about_no_more() -> None:
    book = Book()
    assert together({"short": _way(book, 2, 1), "none": _way(book, 7, 0), "long": _way(book, 3, 2)}) == {
        "short": 4,
        "none": 7,
        "long": 81,
    }
    assert book.asked == [[2, 3], [9]]


def test_alone_is_the_same_way() -> None:
    assert alone(_way(Book(), 2, turns=3)) == 256


def test_different_questions_are_asked_apart() -> None:
    first, second = Book(), Book()
    assert together({1: _way(first, 2, 1), 2: _way(second, 3, 1)}) == {1: 4, 2: 9}
    assert (first.asked, second.asked) == ([[2]], [[3]])


def test_what_goes_wrong_for_one_ends_all() -> None:
    def fail(_every: list[Any]) -> list[Any]:
        raise ValueError("no")

    def way() -> Way[None]:
        yield Ask(fail)

    with pytest.raises(ValueError, match="no"):
        together({1: way(), 2: _way(Book(), 2, 1)})
    with pytest.raises(ValueError, match="zip"):
        alone(_way_to_too_few())


def _way_to_too_few() -> Way[None]:
    yield Ask(lambda _every: [])
