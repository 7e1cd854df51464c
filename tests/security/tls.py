"""A web server of a test's own that may speak TLS."""

import socket
import ssl
from http.server import ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """With ``tls`` each line is encrypted.

    The thread of the line shakes hands, so that a browser that only holds a line ready holds up nobody.
    """

    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        line, place = super().get_request()
        if self.tls is None:
            return line, place
        return self.tls.wrap_socket(line, server_side=True, do_handshake_on_connect=False), place

    def handle_error(self, *_words: Any) -> None:
        """Say nothing: the other side may break off whenever it likes."""
