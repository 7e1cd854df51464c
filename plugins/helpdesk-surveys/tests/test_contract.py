"""Surveys keep what every plugin keeps."""

from helpdesk.testing.contract import PluginContract


class TestContract(PluginContract):
    """register_settings, register_permissions: it loads, rests when it is off, leaves the desk whole."""
