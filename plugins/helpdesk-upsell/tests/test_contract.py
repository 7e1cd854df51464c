"""Upsell keeps what every plugin keeps."""

from helpdesk.testing.contract import PluginContract


class TestContract(PluginContract):
    """It loads, rests when it is off, leaves the desk whole."""
