"""Settings in the owner's rooms."""

from typing import Any

import pytest

from helpdesk.core import settings
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Setting
from helpdesk.core.settings import DeskSettings

PAGES = ("/admin/", "/admin/settings", "/admin/settings/desk", "/admin/settings/email")


@pytest.mark.plugins("email")
@pytest.mark.parametrize("page", PAGES)
def test_only_administrators_come_in(
    client: Any, as_requester: Any, as_agent: Any, as_supervisor: Any, as_admin: Any, page: str
) -> None:
    assert client.get(page).status_code == 303
    for other in (as_requester, as_agent, as_supervisor):
        assert other.get(page).status_code == 403
        assert other.post(page).status_code in (403, 405)
    assert as_admin.get(page).status_code == 200


def test_a_change_is_kept_shown_and_recorded(as_admin: Any) -> None:
    answer = as_admin.post("/admin/settings/desk", data={"name": "Larkwheel", "brand_color": "#a33b1f"})
    assert answer.status_code == 303
    assert settings.get(DeskSettings).name == "Larkwheel"
    assert "Larkwheel" in as_admin.get("/admin/settings/desk").text
    entry = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None and (entry.action, entry.subject) == ("settings.changed", "desk")


def test_a_bad_value_is_said_beside_its_field_and_nothing_is_stored(as_admin: Any) -> None:
    page = as_admin.post("/admin/settings/desk", data={"name": "Kept on screen", "brand_color": "red"})
    assert page.status_code == 422
    assert "Kept on screen" in page.text and 'value="red"' in page.text and "form-error" in page.text
    assert settings.get(DeskSettings).name == DeskSettings().name


@pytest.mark.plugins("email")
def test_a_secret_is_never_shown_again_and_an_empty_one_keeps_it(as_admin: Any) -> None:
    canary = "canary-7f3a"
    as_admin.post("/admin/settings/email", data={"smtp_password": canary, "smtp_user": "help"})
    assert canary not in as_admin.get("/admin/settings/email").text
    as_admin.post("/admin/settings/email", data={"smtp_password": "", "smtp_user": "other"})
    stored = db.session.get(Setting, ("email", "smtp_password"))
    assert stored is not None and stored.value == canary
    assert canary not in str([entry.data for entry in db.session.scalars(db.select(AuditEntry))])


@pytest.mark.plugins
def test_the_search_finds_settings_of_every_group(as_admin: Any) -> None:
    assert "f-brand_color" in as_admin.get("/admin/settings?q=colour").text
    assert "f-smtp_host" in as_admin.get("/admin/settings?q=smtp").text
    assert as_admin.get("/admin/settings?q=zzzz").status_code == 200
    assert as_admin.get("/admin/settings/nothing").status_code == 404
