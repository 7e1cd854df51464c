"""How much the matrix asks: ``.venv/bin/python -m tests.security.figures``."""

import tempfile
from pathlib import Path

from helpdesk.app import create_app
from helpdesk.cli.rules import access_rows
from helpdesk.core import schema
from helpdesk.core.config import Config
from tests.security.actors import fill
from tests.security.routes import cases, table_of


def main() -> None:
    """Count on a desk that is thrown away."""
    with tempfile.TemporaryDirectory() as place:
        template = Path(place) / "template"
        app = create_app(Config(home=template, testing=True))
        with app.app_context():
            schema.upgrade()
        desk = fill(template, Path(place) / "home")
        table = table_of(desk.app)
        found = list(cases(desk, table))
        addresses = access_rows.keys(desk.app.url_map)
        desk.close()
    asked = sum(len(case.methods) for case in found)
    print(f"{len(addresses)} addresses, {len(found)} with their objects, {asked} with their methods")
    print(f"{len(table.actors)} actors: {asked * len(table.actors)} cells, in {len(table.groups)} groups")


if __name__ == "__main__":
    main()
