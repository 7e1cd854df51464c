"""Catalogs of the core and its themes (in the wheel: helpdesk.translations)."""
