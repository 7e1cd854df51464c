"""E-mail as a channel of the help desk."""
