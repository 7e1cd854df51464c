"""`python -m helpdesk.cli`."""

from helpdesk.cli import main

main(prog_name="helpdesk")
