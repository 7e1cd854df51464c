"""The keys of the desk: one table, from which the map (``?``) and the script read."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from helpdesk.web.desk.blueprint import desk


@dataclass(frozen=True)
class Key:
    """A key, or two one after the other, and what it does. ``act`` is a name that js/keys.js knows, or an address."""

    keys: str
    act: str
    words: str

    @property
    def shown(self) -> list[str]:
        """The keys one by one."""
        return self.keys.split(" ")


@desk.app_template_global()
def keymap() -> list[tuple[str, list[Key]]]:
    """Every key in its group, in the reader's language. Keys with Ctrl are handled where they act."""
    return [
        (
            _("In the list"),
            [
                Key("j", "down", _("Down")),
                Key("k", "up", _("Up")),
                Key("Enter", "", _("Open the ticket")),
                Key("u", "close", _("Back to the list")),
                Key("x", "select", _("Choose the ticket, or not")),
                Key("X", "select-to", _("Choose all from the last chosen one")),
                Key("#", "bulk", _("Change the chosen tickets")),
                Key("M", "merge", _("Merge the chosen tickets")),
                Key("/", "search", _("Search")),
            ],
        ),
        (
            _("On a ticket"),
            [
                Key("r", "reply", _("Write a reply")),
                Key("n", "note", _("Write an internal note")),
                Key("a", "menu:edit-assignee", _("Assignee")),
                Key("s", "menu:edit-status", _("Status")),
                Key("p", "menu:edit-priority", _("Priority")),
                Key("t", "menu:edit-tags", _("Tags")),
                Key("m", "menu:edit-macro", _("Macros")),
                Key("b", "menu:edit-snooze", _("Snooze")),
                Key("d", "menu:edit-due", _("Due date")),
                Key("w", "menu:edit-promise", _("Promise an answer")),
                Key("/", "", _("Canned responses, at the start of a line of a reply")),
                Key("@", "", _("Name a colleague in a note")),
                Key("Ctrl Enter", "", _("Send what the main button says")),
            ],
        ),
        (
            _("Go to"),
            [
                Key("g h", url_for("desk.dashboard"), _("Home")),
                Key("g m", url_for("desk.view_list", key="mine"), _("Waiting for me")),
                Key("g u", url_for("desk.view_list", key="unassigned"), _("Unassigned")),
                Key("g a", url_for("desk.view_list", key="open"), _("All unsolved")),
                Key("g o", url_for("desk.view_list", key="overdue"), _("Overdue")),
                Key("g n", url_for("desk.notifications"), _("Notifications")),
                Key("g c", url_for("desk.canned_list"), _("Canned responses")),
                Key("c", url_for("desk.new_ticket"), _("New ticket")),
            ],
        ),
        (
            _("Everywhere"),
            [
                Key("z", "undo", _("Take back what was just done")),
                Key("Ctrl K", "", _("Find tickets, people and actions")),
                Key("?", "keys", _("This map")),
            ],
        ),
    ]
