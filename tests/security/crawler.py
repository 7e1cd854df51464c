"""The oracle: opens pages in Chromium and notes whatever hostile text has done, or could do."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import BrowserContext, Page

from tests.security.hostile import HOST, MARK

# Milliseconds, for a machine that is busy with other tests.
PATIENCE = 180_000
# In every page before any of its own scripts: what hostile scripts call, and what a policy had to stop.
_EARS = """
window.oracle = (number) => console.error(`oracle: the script of ${number} ran`);
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`oracle: the policy stopped ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# What is armed in a document: it has not run, perhaps for want of a click, and no page of the desk has it.
_ARMED = r"""
(documents) => {
  const loads = "src href xlink:href action formaction data poster background ping manifest".split(" ");
  const never = "iframe, frame, frameset, object, embed, applet, base, portal, fencedframe, animate, set, " +
    "foreignObject, math, video, audio, marquee, meta[http-equiv], " +
    "style:not([data-tag-name=trix-editor], [data-tag-name=trix-toolbar])";
  // A form whose field is called "attributes" has no attributes of its own any more.
  const attributes = Object.getOwnPropertyDescriptor(Element.prototype, "attributes").get;
  const said = (element, name) => Element.prototype.getAttribute.call(element, name);
  const found = [];
  const see = (root, where) => {
    const note = (element, why) => found.push(`${where}: ${why}: ${element.outerHTML.slice(0, 200)}`);
    for (const element of root.querySelectorAll(never)) note(element, "element");
    for (const element of root.querySelectorAll("*")) {
      if (element.localName === "script" && (element.textContent.trim() || !/^\/(?!\/)/.test(said(element, "src")))) {
        note(element, "script");
      }
      if (element.localName === "template") see(element.content, where);
      for (const { name, value } of attributes.call(element)) {
        if (/^(data-)?hx-on|^on|^srcdoc$|^srcset$|^_$|^x-|^v-|^ng-/.test(name)) note(element, name);
        if (name === "style" && /url|expression|import|position/i.test(value)) note(element, name);
        if (/^(data-)?hx-(get|post|put|patch|delete)$/.test(name) && !/^\/(?!\/|oracle)/.test(value)) {
          note(element, name);
        }
        if (/^(data-)?hx-(vals|vars|headers|trigger)$/.test(name) && /js:|javascript:|oracle\(\d|\[/.test(value)) {
          note(element, name);
        }
        if (!loads.includes(name)) continue;
        let url;
        try { url = new URL(value, location.href); } catch { continue; }
        const led = element.localName === "a" && name === "href";
        const own = url.origin === location.origin && !url.pathname.startsWith("/oracle-hit");
        const picture = element.localName === "img" && url.protocol === "data:" && value.startsWith("data:image/png");
        const leads = led && ["http:", "https:", "mailto:", "tel:"].includes(url.protocol);
        if (!own && !picture && !leads) note(element, name);
        if (led && !own && !element.closest(".msg-body, .quoted") && url.hostname === HOSTILE) note(element, "link");
      }
    }
    if (root.textContent?.includes(MARKED)) found.push(`${where}: a template was evaluated`);
  };
  if (!documents) see(document, location.pathname);
  for (const [where, html] of documents ?? []) see(new DOMParser().parseFromString(html, "text/html"), where);
  return found;
}
""".replace("HOSTILE", repr(HOST)).replace("MARKED", repr(MARK))
# Fetches pages, and judges them where they are: what they say is long.
_FETCHED = f"""
async (paths) => {{
  const statuses = [], documents = [];
  for (const path of paths) {{
    const answer = await fetch(path, {{ redirect: "manual" }});
    statuses.push([path, answer.status]);
    const html = (answer.headers.get("Content-Type") ?? "").startsWith("text/html") && answer.type === "basic";
    if (html) documents.push([path, await answer.text()]);
  }}
  return [statuses, ({_ARMED})(documents)];
}}
"""
# The same with a list, page after page: how many rows it has in all, and what is armed.
_TURNED = f"""
async ([path, rows, further]) => {{
  const documents = [];
  let seen = 0;
  while (path) {{
    const answer = await fetch(path);
    if (answer.status !== 200) throw new Error(`${{path}}: ${{answer.status}}`);
    const html = await answer.text();
    documents.push([path, html]);
    const page = new DOMParser().parseFromString(html, "text/html");
    const link = page.querySelector(further);
    seen += page.querySelectorAll(rows).length;
    path = link && (link.getAttribute("hx-get") || link.getAttribute("href"));
  }}
  return [seen, ({_ARMED})(documents)];
}}
"""


class Oracle:
    """A browser of somebody: ``found`` is what it saw that must not be, in words; it must stay empty."""

    def __init__(self, context: BrowserContext, address: str, cookies: dict[str, str] | None = None) -> None:
        self.address = address
        self.found: list[str] = []
        self._context = context
        context.add_init_script(_EARS)
        context.add_cookies([{"name": name, "value": value, "url": address} for name, value in (cookies or {}).items()])
        context.set_default_timeout(PATIENCE)
        context.on("page", self._watch)
        context.on("request", lambda request: self._request(request.url))
        self.page: Page = context.new_page()

    def open(self, path: str) -> int:
        """Open a page as a person does, with its scripts; answer its status and note what is armed in it.

        The status is that of the address itself, where it leads to another.
        """
        answer = self.page.goto(self.address + path, wait_until="load")
        assert answer is not None, path
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.look()
        first = answer.request
        while first.redirected_from is not None:
            first = first.redirected_from
        if first is answer.request:
            return answer.status
        began = first.response()
        assert began is not None, path
        return began.status

    def look(self) -> None:
        """Note what is armed in the page as it now is."""
        self.found += self.page.evaluate(_ARMED, None)

    def hear(self, words: str) -> None:
        """Wait until something with these words is found: what a page does is heard a moment later."""
        end = time.monotonic() + PATIENCE / 1000
        while not any(words in one for one in self.found):
            assert time.monotonic() < end, f"{words} was not heard: {self.found}"
            self.page.wait_for_timeout(50)

    def parse(self, paths: list[str]) -> dict[str, int]:
        """Fetch pages and parse them without running anything; answer their statuses and note what is armed."""
        statuses, armed = self.page.evaluate(_FETCHED, paths)
        self.found += armed
        return dict(statuses)

    def parse_on(self, path: str, rows: str, further: str) -> int:
        """Parse a list from a page of it to its last, by the links that lead further; answer how many rows it has."""
        seen, armed = self.page.evaluate(_TURNED, [path, rows, further])
        self.found += armed
        return int(seen)

    def judge(self, documents: list[tuple[str, str]]) -> list[str]:
        """What is armed in documents, each with a name, as Chromium parses them; nothing of them runs."""
        found: list[str] = self.page.evaluate(_ARMED, documents)
        return found

    def close(self) -> None:
        self._context.close()

    def _watch(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("download", lambda download: download.cancel())

    def _dialog(self, dialog: Any) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, kind: str, text: str) -> None:
        # Chromium writes down each page that is answered with an error; those are pages as well.
        if kind == "error" and not text.startswith("Failed to load resource: the server responded with a status of"):
            self._note(f"console: {text}")

    def _request(self, url: str) -> None:
        if "oracle-hit" in url or not url.startswith((self.address, "data:", "blob:", "about:")):
            self._note(f"request: {url}")

    def _note(self, what: str) -> None:
        place = urlsplit(self.page.url).path if self.page.url else ""
        self.found.append(f"{place}: {what}"[:400])


class Unknown(AssertionError):
    """A page that the crawl cannot reach: nobody has said what stands for a part of its address."""


def pages(app: Flask, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Endpoint and address of every page that is read, each part of an address filled in from ``values``.

    A key is the name of the part, or "endpoint:name" where a name means something else; a value may be what to make
    of nothing, called anew for each page, so that pages show different rows. Raises :class:`Unknown`.
    """
    adapter = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "GET" not in (rule.methods or ()):
            continue
        filled = {}
        for name in rule.arguments:
            found: Any | Callable[[], Any] = values.get(f"{rule.endpoint}:{name}", values.get(name))
            if found is None:
                raise Unknown(f"say in tests/security/test_oracle_pages.py what “{name}” of {rule.rule} is")
            filled[name] = found() if callable(found) else found
        yield rule.endpoint, adapter.build(rule.endpoint, filled)
