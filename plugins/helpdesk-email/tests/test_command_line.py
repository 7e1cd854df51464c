"""Mail on the command line: ``helpdesk mail receive`` and ``helpdesk mail parse``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RAW = "From: 张伟 <zhang@customer.example>\r\nSubject: 订单\r\nMessage-ID: <a@b>\r\n\r\n您好\r\n".encode()


def _run(*arguments: str, home: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environ = {**os.environ, "HELPDESK_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "helpdesk.cli", "mail", *arguments], capture_output=True, env=environ, **options
    )


def test_a_mail_from_standard_input_becomes_a_ticket(home: Path) -> None:
    done = _run("receive", "-", "--json", home=home, input=RAW)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert (found["outcome"], found["ticket"], found["machine"]) == ("ticket", 1, False)


def test_parse_needs_no_home(tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_bytes(RAW)
    home = tmp_path / "none"
    done = _run("parse", str(mail), "--json", home=home)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["file"] == str(mail)
    assert found["from"] == {"name": "张伟", "email": "zhang@customer.example"}
    assert (found["subject"], found["text"]) == ("订单", "您好")
    assert not home.exists()
