"""The readable history and the facts for plugins."""
