"""The list of packages: pyproject.toml can find those below helpdesk/, but not add the two mapped in setup.cfg."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["helpdesk", "helpdesk.*"]), "helpdesk.themes", "helpdesk.translations"])
