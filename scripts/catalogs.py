"""Collect new strings into the catalogs of the help desk and of each plugin (``make translations``).

Each distribution says in its setup.cfg where its catalogs are, and in its pyproject.toml what is looked through.
A template in which nothing but the date has changed is left alone, so that a diff shows strings only.
"""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATE = re.compile(r'^"POT-Creation-Date: .*$', re.MULTILINE)
RUN = "import sys, setuptools; setuptools.setup(script_args=['-q', *sys.argv[1:]])"


def collect(distribution: Path) -> None:
    """Write one distribution's template anew and bring its languages up to date."""
    settings = ConfigParser(interpolation=None)
    settings.read(distribution / "setup.cfg", "utf-8")
    template = distribution / settings["extract_messages"]["output_file"]
    template.parent.mkdir(parents=True, exist_ok=True)
    before = template.read_text("utf-8") if template.exists() else ""
    command("extract_messages", distribution)
    after = template.read_text("utf-8")
    if DATE.sub("", before) == DATE.sub("", after):
        template.write_text(before, "utf-8")
    if any(template.parent.glob("*/LC_MESSAGES/*.po")):
        command("update_catalog", distribution)
    print(f"{template.relative_to(ROOT)}: {after.count('msgid ') - 1} strings")


def command(name: str, distribution: Path) -> None:
    """Run one of Babel's commands as setuptools does, in the folder of the distribution."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", RUN, name], cwd=distribution, check=True)


if __name__ == "__main__":
    for found in [ROOT / "setup.cfg", *sorted(ROOT.glob("plugins/*/setup.cfg"))]:
        collect(found.parent)
