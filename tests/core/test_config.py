"""What an installation is told from outside, and its home."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core.config import Config, ConfigError, load
from helpdesk.core.paths import Home, HomeError


def test_options_win_over_variables_over_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "helpdesk.toml").write_text('port = 1\nhost = "file"\nthreads = 3\ndebug = true\n')
    variables = {"HELPDESK_HOME": str(tmp_path), "HELPDESK_PORT": "2", "HELPDESK_HOST": "variable", "OTHER": "x"}
    config = load(variables, port=3, host=None)
    assert (config.port, config.host, config.threads, config.debug) == (3, "variable", 3, True)
    assert config.max_upload_mb == Config(home=tmp_path).max_upload_mb
    assert load({"HELPDESK_HOME": "/elsewhere"}, home=tmp_path).home == tmp_path


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert load({"HELPDESK_HOME": str(tmp_path), "HELPDESK_PORT": "", "HELPDESK_DATABASE_URL": ""}).port == 8000


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_switches_are_words(tmp_path: Path, word: str) -> None:
    assert load({"HELPDESK_HOME": str(tmp_path), "HELPDESK_SAFE_MODE": word}).safe_mode


@pytest.mark.parametrize(
    ("text", "variables", "words"),
    [
        ("port = ", {}, "not valid TOML"),
        ("port = true\n", {}, "PORT in helpdesk.toml|port in helpdesk.toml"),
        ("host = 5\n", {}, "takes text in quotation marks"),
        ("home = '/x'\n", {}, "unknown setting “home”"),
        ("testing = true\n", {}, "unknown setting “testing”"),
        ("", {"HELPDESK_PORT": "http"}, "HELPDESK_PORT in the environment is “http”; it takes a whole number"),
        ("", {"HELPDESK_DEBUG": "maybe"}, "it takes true or false"),
        ("", {"HELPDESK_THREADS": "0"}, "threads is 0"),
        ("", {"HELPDESK_THREADS": "65"}, "threads is 65"),
        ("", {"HELPDESK_PORT": "-1"}, "port -1 does not exist"),
        ("", {"HELPDESK_MAX_UPLOAD_MB": "0"}, "max_upload_mb is 0"),
        ("", {"HELPDESK_PUBLIC_URL": "ftp://x"}, "must begin with http"),
        ("", {"HELPDESK_QUEUE_URL": "amqp://x"}, "must begin with redis"),
        ("", {"HELPDESK_DATABASE_URL": "mysql://x"}, "must begin with sqlite"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, variables: dict[str, str], words: str) -> None:
    (tmp_path / "helpdesk.toml").write_text(text)
    with pytest.raises(ConfigError, match=words) as problem:
        load({"HELPDESK_HOME": str(tmp_path), **variables})
    assert "\n" not in str(problem.value)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "helpdesk.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load({"HELPDESK_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "::", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"public_url": "https://help.shop.example/"}, "https://help.shop.example"),
    ],
)
def test_links_are_built_from_what_is_configured(tmp_path: Path, values: dict[str, Any], address: str) -> None:
    assert Config(home=tmp_path, **values).address == address


def test_the_database_is_in_the_home_unless_told(tmp_path: Path) -> None:
    assert Config(home=tmp_path).sqlalchemy_url == f"sqlite:///{tmp_path / 'helpdesk.sqlite3'}"
    assert not Config(home=tmp_path, database_url="postgresql://x/y").is_sqlite


# ---- the home


def test_a_home_is_made_with_a_key_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    home.prepare()
    key = home.secret_key()
    assert len(key) == 64 and home.secret_key() == key
    assert home.secret_file.stat().st_mode & 0o777 == 0o600
    other = Home(tmp_path / "c")
    other.prepare()
    assert other.secret_key() != key
    home.prepare()
    assert home.secret_key() == key
    assert not list(home.root.glob(".*")), "nothing is left over"


def test_two_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    keys: list[str] = []
    start = threading.Barrier(8)

    def read() -> None:
        start.wait(60)
        keys.append(home.secret_key())

    threads = [threading.Thread(target=read) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(keys) == 8 and set(keys) == {home.secret_file.read_text()}


def test_a_home_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot be written") as problem:
        Home(tmp_path / "file" / "home").prepare()
    assert "\n" not in str(problem.value) and "HELPDESK_HOME" in str(problem.value)
    (tmp_path / "home" / "secret.key").mkdir(parents=True)
    with pytest.raises(HomeError, match="cannot be read"):
        Home(tmp_path / "home").secret_key()


def test_a_home_of_somebody_else_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    # The administrator of the machine may write everywhere: for a moment this test is nobody.
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(HomeError, match="cannot be written"):
            Home(tmp_path / "home").prepare()
    finally:
        if is_root:
            os.seteuid(0)
