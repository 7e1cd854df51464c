"""Foreign HTML made harmless, and the ways between HTML and plain text."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core.markup import clean, clean_html, content_id, html_to_text, snippet, text_to_html

_PIECES = [
    *("<p>", "</p>", "<b title=x>", "</b>", "<a href='", "javascript:alert(1)", "https://a.example/?a=1&b=2", "'>"),
    *("</a>", "<img src=", "cid:x@y", "http://t.example/p.gif", " alt='<b>'>", ">", '"', "<table>", "<tr>", "<td>"),
    *("</table>", "<pre>\n\n", "</pre>", "<ul>", "<li>", "</ul>", "<script>", "</script>", "<style>", "</style>"),
    *("<svg>", "<math><mi>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&lt;script&gt;", "&", "&#106;", "&nbsp"),
    *("<div onclick=alert(1) style='x:url(//e)' class=c id=i>", "</div>", "<form action=/x>", "<input autofocus>"),
    *("<noscript>", "</noscript>", "<template>", "<title>", "</title>", "<x:y z", " onerror = 'x' ", "\x00", "\ud800"),
    *("<blockquote>", "</blockquote>", "<font color=red>", "\n", " ", "你好", "x", "<textarea>", "<plaintext>"),
]
_soup = st.lists(st.sampled_from(_PIECES) | st.text(max_size=6), max_size=25).map("".join)
# A busy machine is no fault of the code.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [^\s"=>]+="[^"]*")*)>')


@given(_soup)
@settings(_patient, max_examples=400)
def test_cleaning_twice_changes_nothing(html: str) -> None:
    once = clean_html(html)
    assert clean_html(once) == once


@given(_soup)
@settings(_patient, max_examples=400)
def test_cleaned_html_neither_acts_nor_loads(html: str) -> None:
    cleaned = clean_html(html)
    assert "<" not in _TAG.sub("", cleaned)
    for _end, tag, attributes in _TAG.findall(cleaned):
        assert tag not in {
            "script",
            "style",
            "form",
            "input",
            "svg",
            "math",
            "iframe",
            "object",
            "template",
            "textarea",
        }
        for name, value in re.findall(r' ([^\s"=>]+)="([^"]*)"', attributes):
            assert not name.startswith("on")
            assert name not in {"style", "class", "id", "target", "srcset", "name"}
            assert name != "src" or value.lower().startswith("cid:")
            assert name != "href" or value.lower().startswith(("http://", "https://", "mailto:"))


@given(_soup)
@settings(_patient, max_examples=200)
def test_text_is_always_found(html: str) -> None:
    assert "\x00" not in html_to_text(html)
    assert "\ud800" not in html_to_text(html)


@given(st.text(max_size=300))
@settings(_patient, max_examples=200)
def test_plain_text_becomes_clean_html(text: str) -> None:
    html = text_to_html(text)
    assert clean_html(html) == html


def test_structure_stays_and_decoration_goes() -> None:
    html = (
        '<div class="a" style="color:red"><h2 id=x>T</h2><ol start=3><li>a</ol><table><tr><td colspan=2>1</table></div>'
    )
    assert clean_html(html) == (
        '<div><h2>T</h2><ol start="3"><li>a</li></ol>'
        '<table><tbody><tr><td colspan="2">1</td></tr></tbody></table></div>'
    )


def test_links_say_that_they_lead_out() -> None:
    cleaned = clean_html('<a href="https://a.example/x" target="_blank" onclick="x()">go</a>')
    assert cleaned == '<a href="https://a.example/x" rel="noopener noreferrer nofollow">go</a>'


@pytest.mark.parametrize(
    "href",
    [
        *("javascript:alert(1)", " java\tscript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"),
        *("/logout", "//a.example", "cid:x", "&#106;avascript:alert(1)", "https:", "file:///etc/passwd"),
    ],
)
def test_other_links_lead_nowhere(href: str) -> None:
    assert "href" not in clean_html(f'<a href="{href}">x</a>')


def test_foreign_pictures_give_way_to_their_words_and_are_counted() -> None:
    found = clean(
        '<img src="https://t.example/p.gif" alt="Logo &lt;b&gt;"><img src="//t.example/p.gif"><img src="cid:a">'
    )
    assert found.html == '[Logo &lt;b&gt;]<img src="cid:a">'
    assert found.blocked_images == 2


def test_pictures_of_the_mail_get_the_address_that_is_asked_for() -> None:
    asked = []

    def source(identity: str) -> str | None:
        asked.append(identity)
        return "/files/1?a=1&b=2" if identity == "a@b" else None

    html = clean_html('<img src="cid:a%40b" width="3"><img src="cid:gone" alt="Plan">', source)
    assert html == '<img src="/files/1?a=1&amp;b=2" width="3">[Plan]'
    assert asked == ["a@b", "gone"]


def test_content_ids_are_read_without_brackets() -> None:
    assert content_id("cid:%3Cx@y%3E") == "x@y"


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li>" * 20_000,
        "".join(f"<p><font color={number}>x</p>" for number in range(20_000)),
        "<div " + " ".join(f"a{number}" for number in range(60_000)) + ">x",
        "".join(f"<html a{number}=1>" for number in range(20_000)),
        "& " * 150_000,
        "<a" * 150_000,
        "<!--" * 100_000,
        '<img alt="' * 50_000,
    ],
    ids=["nested", "formatting", "attributes", "html", "ampersands", "open", "comments", "quotes"],
)
def test_hostile_html_costs_seconds_at_most(html: str) -> None:
    """Each of these took nh3 alone from several seconds to minutes, or does when it is ten times as long."""
    before = time.process_time()
    clean_html(html)
    html_to_text(html)
    assert time.process_time() - before < 10


def test_words_of_html_that_is_nested_too_deep_are_kept() -> None:
    assert clean_html("<div>" * 1_000 + "hello <b>you</b>") == "<p>hello  you</p>"
    assert html_to_text("<div>" * 1_000 + "hello") == "hello"


def test_html_reads_well_as_text() -> None:
    html = """
        <p>Hello <b>you</b>,</p><p>see <a href="https://a.example/x">this</a> and
        <a href="https://a.example">https://a.example/</a></p>
        <ul><li>one<li><p>two</p><ol start=3><li>x</li></ol></ul>
        <blockquote><p>first<br>second</p></blockquote>
        <table><tr><td>a<td>b<tr><td>c<td>d</table><div>x</div><div>y</div><style>no</style>
    """
    assert html_to_text(html) == (
        "Hello you,\n\nsee this <https://a.example/x> and https://a.example/\n\n- one\n- two\n\n  3. x\n\n"
        "> first\n> second\n\na | b\nc | d\n\nx\ny"
    )


def test_line_breaks_between_chinese_characters_are_nothing() -> None:
    assert html_to_text("<p>你好\n  世界 hello\nworld</p>") == "你好世界 hello world"


def test_addresses_in_text_become_links() -> None:
    html = text_to_html("See https://a.example/x?y=1&z=(2). Or 看https://a.example/路。好 <b>\nm@a.example\n\nEnd")
    assert 'href="https://a.example/x?y=1&amp;z=(2)"' in html
    assert 'href="https://a.example/路"' in html
    assert 'href="mailto:m@a.example"' in html
    assert "&lt;b&gt;<br>" in html
    assert html.endswith("<p>End</p>")


def test_a_snippet_is_one_short_line() -> None:
    assert snippet("a\n\n b") == "a b"
    assert snippet("hello world " * 30, 20) == "hello world hello…"
    assert snippet("你" * 300, 10) == "你" * 9 + "…"
    assert len(snippet("x" * 500)) == 140
