"""Files that people sent, handed out so that nothing in them runs."""

from flask import Response, abort, send_file

from helpdesk.core import files
from helpdesk.web.headers import FILE_POLICY


def stored_file(sha256: str, name: str, content_type: str, *, inline: bool) -> Response:
    """The bytes with a name and a policy under which nothing in them runs or loads.

    ``inline`` shows pictures of the short list in ``files.INLINE_TYPES``; everything else is downloaded.
    """
    path = files.path_of(sha256)
    if not path.is_file():
        abort(404)
    inline = inline and content_type in files.INLINE_TYPES
    shown = content_type if inline else "application/octet-stream"
    name = files.clean_name(name)
    answer = send_file(path, mimetype=shown, as_attachment=not inline, download_name=name, max_age=0)
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    answer.headers["Cache-Control"] = "private, max-age=3600" if inline else "no-store"
    return answer
