"""A pytest plugin for who writes for the help desk: a desk of its own for each test, and people to use it.

Put ``pytest_plugins = ["helpdesk.testing"]`` into the top-level ``conftest.py``. (It is no entry point on purpose:
that would load it into the tests of every other project in the same environment.) Only the standard library and
pytest are imported until a test asks for a desk.

Fixtures: ``app`` (a migrated desk on SQLite; its app context is open during the test), ``client``, ``as_admin``,
``as_supervisor``, ``as_agent``, ``as_requester`` (signed in; ``.user`` says who), ``sign_in``, ``make_user``,
``make_team``, ``make_ticket``, ``run_jobs``, ``plug``, ``place``, ``configure``, ``mailbox``, ``travel``,
``count_queries``, ``make_app``, and ``serve_desk`` for a desk that runs as its own processes.

In the folder of a plugin the desk has that plugin, installed or not, those that it needs, and no other. Which ones say
the fixtures ``plugin_name`` and ``desk_plugins`` and the option ``helpdesk_plugins``. What every plugin has to keep is
tested by one line: a class that derives from ``helpdesk.testing.contract.PluginContract``.

A test marked ``db`` runs on SQLite and on PostgreSQL. No test reaches another machine.
"""

import pytest

pytest.register_assert_rewrite("helpdesk.testing.contract", "helpdesk.testing.plugins")

pytest_plugins = (
    "helpdesk.testing.plugins",
    "helpdesk.testing.desk",
    "helpdesk.testing.browsers",
    "helpdesk.testing.people",
    "helpdesk.testing.work",
    "helpdesk.testing.mailbox",
    "helpdesk.testing.network",
    "helpdesk.testing.served",
)
