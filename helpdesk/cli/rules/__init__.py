"""The rules of `helpdesk plugin check`, and what they are asked about: a plugin on disk."""
