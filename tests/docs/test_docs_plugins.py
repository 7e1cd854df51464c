"""Every piece of Python that the pages about plugins print can be run on its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "plugins"
# Their blocks build on one another: test_docs_tutorial.py follows them. What hooks.md prints is in the docstrings of
# the hooks; test_docs_reference.py reads it there.
ELSEWHERE = ("tutorial.md", "single-file.md", "hooks.md")
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

# Each block runs in a process that is a copy of one with the desk loaded, so that none sees another's tables.
_RUN = """
import json, os, sys, traceback
import helpdesk.api, helpdesk.testing, helpdesk.testing.contract
for name, line, code in json.load(sys.stdin):
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            exec(compile("\\n" * line + code, name, "exec"), {"__name__": "block"})
        except BaseException:
            traceback.print_exc(file=sys.stdout, limit=-1)
            sys.stdout.flush()
            os._exit(1)
        os._exit(0)
    _child, status = os.wait()
    print(json.dumps([name, line, os.waitstatus_to_exitcode(status)]))
"""


def blocks() -> list[tuple[str, int, str]]:
    """Page, line and code of each."""
    pages = [page for page in sorted(DOCS.rglob("*.md")) if page.name not in ELSEWHERE]
    texts = {page.relative_to(DOCS).as_posix(): page.read_text("utf-8") for page in pages}
    return [
        (name, text[: block.start(1)].count("\n"), block[1])
        for name, text in texts.items()
        for block in _BLOCK.finditer(text)
    ]


@pytest.mark.slow
def test_every_block_of_python_runs_on_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN], input=json.dumps(blocks()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ran = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert len(ran) == len(blocks()) > 5
    assert [(name, line) for name, line, status in ran if status] == [], done.stdout


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"README.md"}
    assert [page for page in sorted(pages) if f"]({page})" not in index] == []
