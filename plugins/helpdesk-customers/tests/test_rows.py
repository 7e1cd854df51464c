"""How a file is written, and its rows: whatever program wrote it, and from wherever reading goes on."""

import csv
import io
from typing import Any

import pytest
from helpdesk_customers.imports.encodings import Watch, mark_length
from helpdesk_customers.imports.lines import LONGEST, line_end
from helpdesk_customers.imports.rows import Row, announced_delimiter, find_delimiter, read_rows
from hypothesis import given
from hypothesis import strategies as st

CHINESE = "姓名,电子邮件,备注\n王伟,wang@post.example,喜欢自行车\n李娜,li@post.example,订单已付款\n" * 3
GERMAN = "Name;Stadt\nJürgen Groß;Köln\nZoë Müller;Düsseldorf\n"


def found(data: bytes, piece: int = 1 << 16) -> tuple[str, int]:
    watch = Watch()
    for start in range(0, len(data), piece):
        watch.feed(data[start : start + piece])
    return watch.found()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"name,mail\nAnn,ann@post.example\n", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + GERMAN.encode(), "utf-8"),
        (CHINESE.encode("gb18030"), "gb18030"),
        (("a,b\n" + "x,y\n" * 40_000 + CHINESE).encode("gbk"), "gb18030"),
        (GERMAN.encode("latin-1"), "cp1252"),
        (GERMAN.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + GERMAN.encode("utf-16-be"), "utf-16-be"),
        (GERMAN.encode("utf-16-le"), "utf-16-le"),
        (GERMAN.encode("utf-16-be"), "utf-16-be"),
        (b"price\n5\x80\n", "cp1252"),
        (b"a\xff\x81\x8d\n", "latin-1"),
    ],
)
def test_encodings_are_found(data: bytes, encoding: str) -> None:
    assert found(data)[0] == encoding
    assert found(data, 7 if len(data) < 1_000 else 65_536)[0] == encoding, "in pieces as well"
    name, mark = found(data)
    assert mark == mark_length(data[:16], name)
    data[mark:].decode(name)


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), st.integers(1, 9))
def test_what_is_utf_8_is_found_to_be(text: str, piece: int) -> None:
    data = b"\xef\xbb\xbf" + text.encode()
    assert found(data, max(piece, 3))[0] == "utf-8"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b;c\n1,5;2,5;3,5\n", ";"),
        ("a\tb\n1,2\t3;4\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('"a;b","c;d"\n"1;2","3;4"\n', ","),
        ("姓名，邮箱\n王，w@x.example\n", "，"),
        ("name\nAnn\n", ","),
        ("", ","),
    ],
)
def test_delimiters_are_found(text: str, delimiter: str) -> None:
    assert find_delimiter(text) == delimiter


def test_a_spreadsheet_says_its_delimiter() -> None:
    assert announced_delimiter("sep=;\r\na;b\r\n") == (";", 7)
    assert announced_delimiter("separate,b\n") == ("", 0)


def rows(data: bytes, encoding: str = "utf-8", delimiter: str = ",", **where: Any) -> list[Row]:
    return list(read_rows(io.BytesIO(data), encoding, delimiter, **where))


CELL = st.text(st.sampled_from(list('ab ,;"\n\t王é=+-')), max_size=12)


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030"]),
    st.sampled_from(["\r\n", "\n"]),
)
def test_what_was_written_is_read(table: list[list[str]], delimiter: str, encoding: str, end: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(table)
    data = out.getvalue().encode(encoding)
    read = rows(data, encoding, delimiter)
    assert [row.problem for row in read] == [""] * len(read)
    assert [list(row.cells) for row in read] == [cells for cells in table if any(cell.strip() for cell in cells)]


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "utf-16-le", "gb18030", "latin-1"]), st.integers(0, 30))
def test_reading_goes_on_from_any_row(data: bytes, encoding: str, at: int) -> None:
    """Garbage too: whatever place a row ends at, the rest is read as it was in one go."""
    whole = rows(data, encoding)
    assert [row.end for row in whole] == sorted(row.end for row in whole)
    assert all(0 < row.end <= len(data) for row in whole)
    if at < len(whole):
        place = whole[at]
        rest = rows(data, encoding, offset=place.end, number=place.number)
        assert [(list(row.cells), row.end, row.problem) for row in rest] == [
            (list(row.cells), row.end, row.problem) for row in whole[at + 1 :]
        ]


def test_a_row_that_cannot_be_read_does_not_hide_the_next_ones() -> None:
    data = b"a,b\n1,ok\n2,\xff\xfe\n3,ok\n" + b'4,"open\n5,ok\n6,ok\n'
    read = rows(data)
    assert [(row.number, list(row.cells), bool(row.problem)) for row in read] == [
        (1, ["a", "b"], False),
        (2, ["1", "ok"], False),
        (3, [], True),
        (4, ["3", "ok"], False),
        (5, ['4,"open'], True),
        (6, ["5", "ok"], False),
        (7, ["6", "ok"], False),
    ]


def test_a_row_without_end_takes_no_memory() -> None:
    data = b"a,b\n" + b"x" * (3 * LONGEST) + b"\n1,2\n" + b'"' + b"y,z\n" * 5_000
    read = rows(data)
    assert list(read[0].cells) == ["a", "b"] and "megabyte" in read[1].problem
    assert list(read[2].cells) == ["1", "2"] and "quotation mark" in read[3].problem
    assert list(read[4].cells) == ["y", "z"] and len(read) == 4 + 4_999


def test_an_old_macintosh_ends_lines_by_returns() -> None:
    assert line_end("a,b\r1,2\r") == "\r" and line_end("a\r\nb\r\n") == "\n"
    assert [list(row.cells) for row in rows(b"a,b\r1,2\r", end="\r")] == [["a", "b"], ["1", "2"]]
