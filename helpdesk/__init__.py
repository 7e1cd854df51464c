"""A help desk made of small plugins."""

__version__ = "1.0.0"
