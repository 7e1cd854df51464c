"""A stand-in for LibreTranslate that speaks its documented interface: POST /translate, GET /languages, JSON errors."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CODES = ("ar", "de", "en", "es", "fr", "zh-Hans", "zh-Hant")


_MARK = re.compile(r"\[#\d+#\]")


def _marked(text: str, known: str, translation: str) -> str | None:
    """A translation of ``known`` with the marks that ``text`` has in its place; None for another text."""
    pattern = "(.+?)".join(re.escape(part) for part in _MARK.split(text))
    found = re.fullmatch(pattern, known, re.DOTALL)
    if found is None:
        return None
    for mark, word in zip(_MARK.findall(text), found.groups(), strict=True):
        translation = translation.replace(word, mark, 1)
    return translation


class LibreTranslate:
    """``pairs``: what is answered for a text, marks or not; anything else comes back as "<target>: text".

    ``fault``: "" for none, "slow", "down" (500), "html", "wrong" (no translation), "less" (one text too few), "empty",
    "same", "refused" (a bad key). ``asked``: what was sent.
    """

    def __init__(self) -> None:
        self.pairs: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.fault = ""
        self.key = ""
        self.patience = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and let go of whoever waits."""
        self.patience.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def answer(self, path: str, sent: dict[str, Any]) -> tuple[int, str, bytes]:
        """Status, type and body for what was sent."""
        if self.fault == "slow":
            self.patience.wait(60)
        if self.fault == "down":
            return 500, "application/json", b'{"error": "Internal Server Error"}'
        if self.fault == "html":
            return 200, "text/html", b"<!doctype html><html><body><script>alert(1)</script>Welcome</body></html>"
        if path == "/languages":
            known = [{"code": code, "name": code, "targets": list(CODES)} for code in CODES]
            return 200, "application/json", json.dumps(known).encode()
        if self.key and sent.get("api_key") != self.key or self.fault == "refused":
            return 403, "application/json", b'{"error": "Invalid API key"}'
        if not {"q", "source", "target"} <= set(sent):
            return 400, "application/json", b'{"error": "Invalid request: missing q parameter"}'
        self.asked.append(sent)
        many = isinstance(sent["q"], list)
        texts = sent["q"] if many else [sent["q"]]
        said: Any = [self._said(text, str(sent["target"])) for text in texts]
        if self.fault == "less":
            said = said[1:]
        body = {"translatedText": said if many else said[0]} if self.fault != "wrong" else {"translated": 7}
        return 200, "application/json", json.dumps(body).encode()

    def _said(self, text: str, target: str) -> str:
        if self.fault == "empty":
            return ""
        if self.fault == "same":
            return text
        for known, translation in self.pairs.items():
            if (said := _marked(text, known, translation)) is not None:
                return said
        return f"{target}: {text}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say({})

            def do_POST(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                self._say(json.loads(self.rfile.read(size) or b"{}"))

            def _say(self, sent: dict[str, Any]) -> None:
                status, kind, body = stand_in.answer(self.path, sent)
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    # Who asked does not wait any more.
                    return

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        return Handler
