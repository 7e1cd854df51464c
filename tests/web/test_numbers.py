"""What a form or an address says where the number of a row belongs."""

from typing import Any

import pytest

ODD = ("²", "-1", "x", "", "9" * 19, "9" * 5000)


@pytest.mark.db
@pytest.mark.parametrize("number", ODD, ids=("superscript", "negative", "word", "empty", "large", "endless"))
def test_what_is_no_number_of_a_row_is_passed_over(as_admin: Any, make_user: Any, number: str) -> None:
    sam = make_user("agent")
    for page in ("/admin/people", "/admin/teams", "/admin/mail", "/admin/facts", "/desk/people"):
        assert as_admin.get(page, query_string={"after": number}).status_code == 200, page
    account = {"name": "Sam", "role": "agent", "active": "1", "teams": number}
    for form, values in (
        (f"/admin/people/{sam.id}", account),
        ("/admin/services/new", account | {"name": "Stock"}),
        ("/admin/teams/new", {"name": "Night shift", "active": "1", "members": number}),
        ("/admin/mail", {"act": "retry", "items": number}),
        ("/desk/new", {"subject": "A", "text": "B", "email": "c@d.example", "written_by": "note", "team": number}),
    ):
        assert as_admin.post(form, data=values).status_code < 500, form
