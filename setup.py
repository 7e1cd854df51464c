"""The packages of the wheel: pyproject.toml finds those below helpdesk/, but cannot add two mapped ones."""

from setuptools import find_packages, setup

MAPPED = ["helpdesk.themes", "helpdesk.translations"]

setup(packages=[*find_packages(include=["helpdesk", "helpdesk.*"]), *MAPPED])
