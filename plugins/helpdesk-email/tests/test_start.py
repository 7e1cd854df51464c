"""What a desk loads when it starts: each process has it for good, and everybody waits for it."""

import subprocess
import sys

# Only those need them who fetch, listen, sign, or meet such mail.
HEAVY = ("imap_tools", "aiosmtpd", "dkim", "dns", "tnefparse", "icalendar")
_LOADED = f"import sys, helpdesk.app, helpdesk_email; print(*[name for name in {HEAVY!r} if name in sys.modules])"


def test_what_few_need_is_not_loaded() -> None:
    found = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []
