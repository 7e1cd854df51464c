"""What becomes of foreign HTML, whatever it is: properties that hold for every text, and for every hostile string."""

import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core.markup import clean, clean_html, html_to_text, text_to_html
from tests.security.hostile import HOST, strings

# What may be left, written down once more on purpose: a tag or an attribute that is let in by mistake fails here.
ALLOWED = {
    **dict.fromkeys(
        "abbr b bdi bdo blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure "
        "h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp small span strike strong sub sup table tbody td "
        "tfoot th thead tr tt u ul var wbr".split(),
        set(),
    ),
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "height", "width", "title"},
}
_MORE = {
    "abbr": {"title"},
    "col": {"span"},
    "colgroup": {"span"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
EVERYWHERE = {"dir", "lang"}
# The same examples each time, and no word about a machine that is slow.
CALM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

_names = st.sampled_from(
    [*ALLOWED, *"script style svg math iframe form input template xmp title select noscript".split()]
)
_attributes = st.sampled_from(
    "href src style class id name onclick onerror srcset srcdoc action title alt dir lang width colspan type "
    "xlink:href data background formaction target ping rel start value scope hx-get autofocus".split()
)
_PLAIN = "cid:a@b https://a.example/ javascript:x data:text/html,x //a.example mailto:a@b.example 12 rtl".split()
_values = st.sampled_from([*_PLAIN, *(one.text for one in strings()[::9])]) | st.text(max_size=12)


@st.composite
def _tags(draw: st.DrawFn) -> str:
    """A tag, now and then with quotes that do not close."""
    name, quote = draw(_names), draw(st.sampled_from(['"', "'", ""]))
    pairs = draw(st.lists(st.tuples(_attributes, _values), max_size=3))
    inside = "".join(f" {key}={quote}{value}{quote}" for key, value in pairs)
    return draw(st.sampled_from([f"<{name}{inside}>", f"</{name}>", f"<{name}{inside}", f"<{name.upper()}{inside}/>"]))


_hostile = st.sampled_from([one.text for one in strings() if len(one.text) < 1_000])
_html = st.lists(_tags() | _hostile | st.text(max_size=8), max_size=12).map("".join)
_words = st.text(string.ascii_letters + string.digits + "äß你مرحبا", min_size=1, max_size=10)


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.others: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check(html: str) -> None:
    """What holds for cleaned HTML."""
    tags = Tags(html)
    assert tags.others == []
    for tag, attributes in tags.found:
        assert tag in ALLOWED
        assert set(attributes) <= ALLOWED[tag] | _MORE.get(tag, set()) | EVERYWHERE
        if "href" in attributes:
            assert re.match(r"(?:https?://|mailto:)", attributes["href"] or "", re.IGNORECASE)
            assert attributes["rel"] == "noopener noreferrer nofollow"
        if tag == "img":
            assert (attributes["src"] or "")[:4].lower() == "cid:"


@given(_html)
@settings(CALM, max_examples=300)
def test_only_what_is_on_the_list_is_left(html: str) -> None:
    check(clean_html(html))


@given(_html)
@settings(CALM, max_examples=300)
def test_cleaning_is_idempotent_and_never_grows_a_tag(html: str) -> None:
    once = clean_html(html)
    again = clean(once)
    assert again.html == once and again.blocked_images == 0
    assert len(Tags(again.html).found) == len(Tags(once).found)


@given(st.lists(_words | _tags() | st.just("&lt;b&gt;"), max_size=10))
@settings(CALM, max_examples=200)
def test_escaped_text_never_becomes_a_tag(pieces: list[str]) -> None:
    """Whatever is text before is text after: nothing is unescaped on the way, however often."""
    shown = text_to_html("".join(pieces))
    assert {tag for tag, _attributes in Tags(shown).found} <= {"p", "br", "a", "wbr"}
    assert clean_html(clean_html(shown)) == shown


@given(_words, st.sampled_from([name for name in ALLOWED if name not in ("br", "hr", "img", "wbr", "col")]), _html)
@settings(CALM, max_examples=200)
def test_words_survive(word: str, tag: str, html: str) -> None:
    """Decoration goes; what was said in an element that is kept stays, and before whatever follows it."""
    cleaned = clean_html(f"<p>{word}</p><{tag} style='color:red' onclick=x>{word}</{tag}>{html}")
    assert word in cleaned
    assert word in html_to_text(f"<p>{word}</p>{html}")


@given(_html)
@settings(CALM, max_examples=200)
def test_pictures_of_the_mail_lead_where_they_are_told(html: str) -> None:
    assert clean_html("<p><img src='cid:a'>", lambda _name: "/files/7") == '<p><img src="/files/7"></p>'
    # Of what is nested without end the words alone are left.
    cleaned = clean_html(f"<p><img src='cid:a'>{html}", lambda _name: "/files/7?show=1")
    assert all(attributes["src"] == "/files/7?show=1" for tag, attributes in Tags(cleaned).found if tag == "img")


@pytest.mark.parametrize("family", sorted({one.family for one in strings()}))
def test_each_hostile_string_is_harmless(family: str) -> None:
    for one in strings():
        if one.family != family:
            continue
        for html in (one.text, f"<p>{one.text}</p>", text_to_html(one.text)):
            cleaned = clean_html(html)
            check(cleaned)
            assert clean_html(cleaned) == cleaned


def test_foreign_pictures_are_counted_and_not_loaded() -> None:
    for one in strings():
        if one.family != "picture":
            continue
        found = clean(f"{one.text}<img src='https://{HOST}/pixel.gif' alt=Logo>")
        assert found.blocked_images >= 1 and "<img" not in found.html
        assert "[Logo]" in found.html
