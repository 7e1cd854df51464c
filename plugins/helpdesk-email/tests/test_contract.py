"""E-mail keeps what every plugin keeps."""

from helpdesk.testing.contract import PluginContract


class TestContract(PluginContract):
    """register_settings, register_channels: it loads, rests when it is off, leaves the desk whole."""
