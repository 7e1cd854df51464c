"""Who a person is, taken out of texts: whole addresses and whole names, and nothing else."""

import re
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core.markup import clean_html
from helpdesk.core.mentions import Mentions

ANN = Mentions("ann@post.example", "Ann Ashby", "[x]")
_PIECES = [
    *(
        "ann@post.example",
        "ANN@post.example",
        "Ann Ashby",
        "Ann",
        "jo",
        "+",
        "-",
        ".",
        ".com",
        " ",
        "\n",
        "@",
        "planning",
    ),
    *("<p>", "</p>", "<b>", "</b>", '<a href="mailto:', '<a href="https://', "https://ann.example/?a=", '">', "</a>"),
    *("&amp;", "&nbsp;", "&lt;", '<img alt="', "王小明", "您好", "é", "(", ",", "<", ">", "'"),
]
_soup = st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=20).map("".join)
# A busy machine is no fault of the code.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ann@post.example", "[x]"),
        ("Write to ANN@Post.example.", "Write to [x]."),
        ("<ann@post.example>, (ann@post.example)", "<[x]>, ([x])"),
        ("请写信到ann@post.example。再见", "请写信到[x]。再见"),
        ("请写信到ann@post.example再见", "请写信到[x]再见"),
        ("email=ann@post.example&x=1", "email=[x]&x=1"),
        ("Write to...ann@post.example - soon", "Write to...[x] - soon"),
        *((text, text) for text in ("joann@post.example", "jo.ann@post.example", "jo+ann@post.example")),
        *((text, text) for text in ("jo-ann@post.example", "ann@post.example.com", "ann@post.examples")),
        *((text, text) for text in ("ann@post.example-shop.com", "ann+shop@post.example", "éann@post.example")),
    ],
)
def test_only_a_whole_address_counts(before: str, after: str) -> None:
    assert ANN.without_address(before) == after
    assert ANN.has_address(before) is (before != after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Ann Ashby", "Dear ann ashby, Ann\nAshby's planning", "Dear [x], [x]'s planning"),
        ("Ann Ashby", "Ann Ashbyson, JoAnn Ashby, Ann", "Ann Ashbyson, JoAnn Ashby, Ann"),
        ("Ann Ashby", "请问Ann Ashby您好", "请问[x]您好"),
        ("Will", "Will you? It will, says Will.", "Will you? It will, says Will."),
        ("Ann", "planning, Ann", "planning, Ann"),
        ("王小明", "王小明您好，请问王小明先生", "[x]您好，请问[x]先生"),
        ("高兴", "很高兴为您服务", "很高兴为您服务"),
        ("山田 太郎", "山田 太郎様、山田\u3000太郎様", "[x]様、[x]様"),
        ("ジョン・スミス", "ジョン・スミスさん", "[x]さん"),
        ("さくら", "さくらが咲く", "さくらが咲く"),
        ("김철수", "김철수님께", "[x]님께"),
        ("อนันต์ ใจดี", "คุณอนันต์ ใจดีครับ", "คุณ[x]ครับ"),
        ("", "Nobody", "Nobody"),
        ("A.*", "A.* and all", "A.* and all"),
        ("(A *", "with ( A and (A * too", "with ( A and [x] too"),
    ],
)
def test_only_a_whole_name_counts(name: str, before: str, after: str) -> None:
    assert Mentions(None, name, "[x]").without(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Ann&nbsp;Ashby &amp; co</p>", "<p>[x] &amp; co</p>"),
        ('<a href="mailto:ann@post.example?subject=x" title="T">Ann Ashby</a>', '<a title="T">[x]</a>'),
        ('<a href="https://s.example/?e=ANN%40post.example">here</a>', "<a>here</a>"),
        ('<a href="https://s.example/ann%20ashby" title="Ann Ashby">s</a>', None),
        ('<a href="mailto:joann@post.example">joann@post.example</a>', None),
        ("<p>a &lt; b &quot; c</p>", None),
    ],
)
def test_html_is_changed_between_tags_and_in_links_only(before: str, after: str | None) -> None:
    assert ANN.without_in_html(before) == (before if after is None else after)


@given(_soup)
@settings(_patient, max_examples=300)
def test_html_stays_clean_and_its_tags_stay(soup: str) -> None:
    html = clean_html(soup)
    after = ANN.without_in_html(html)
    assert clean_html(after) == after
    assert re.findall(r"</?[a-z]+", after) == re.findall(r"</?[a-z]+", html)
    assert ANN.without_in_html(after) == after
    if "ann" not in html.casefold():
        assert after == html
    assert not any(ANN.has_address(unescape(part)) for part in re.split("<[^<>]*>", after))


@given(_soup, st.sampled_from(["Ann", "Web", "Open", "Pen", "Ann Ashby", "王小明", "高兴"]))
@settings(_patient, max_examples=300)
def test_only_mentions_change(text: str, name: str) -> None:
    person = Mentions("ann@post.example", name, "[x]")
    after = person.without(text)
    assert person.without(after) == after and not person.has_address(after)
    kept = text
    for part in after.split("[x]"):
        assert part in kept
        kept = kept[kept.index(part) + len(part) :]
