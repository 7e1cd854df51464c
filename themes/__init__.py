"""Themes that come with the help desk; each folder is one (in the wheel: helpdesk.themes)."""
