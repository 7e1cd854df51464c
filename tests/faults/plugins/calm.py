"""A plugin of one file: strangers of these tests write all the time, and none is asked to wait for the others."""

from helpdesk.core import rush

rush.BUSY = 10**9
