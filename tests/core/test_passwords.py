"""Which passwords may be chosen, and that they are kept anew when the parameters grow."""

from typing import Any

import pytest
from argon2 import PasswordHasher

from helpdesk.core import accounts, passwords
from helpdesk.core.account_errors import AccountError
from helpdesk.core.models import User

PASSWORD = "a rather long pass phrase"
HERE = "192.0.2.7"

# Of the lists of passwords that attackers begin with, those that are long enough for this desk.
COMMON = """
    password123 password1234 Password123! P@ssw0rd123 passw0rd1234 1234567890 12345678910 123456789a 0987654321
    1234567891 qwertyuiop qwerty12345 qwerty123456 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5 asdfghjkl1 zxcvbnm123
    qwertyuiop123 iloveyou123 iloveyou12 welcome123 Welcome2024! welcome2025 Summer2024! Winter2023!! letmein123
    administrator admin123456 Admin@12345 football123 baseball123 liverpool1 manchester superman123 spiderman1
    michael123 jennifer12 basketball princess123 sunshine123 chocolate1 butterfly1 trustno1234 changeme123
    monkey123456 dragon12345
    master12345 starwars123 test123456 testtest123 abcdefghij abcd123456 abc123456789 computer123 internet123
    passwordpassword helpdesk123 Helpdesk2024! support1234 October2025 november2026 elizabeth1 christian1
    strawberry sunflower1
    mustang123 corvette12 mercedes12
""".split()
OWN = [
    "correct horse battery",
    "purple staple rocket",
    "larkwheel demo",
    PASSWORD,
    "Tr1st-Fjord-Apricot",
    "übermäßig grün",
]


ABOUT = ["Jonas Weber", "jonas@desk.example", "Larkwheel"]


def test_what_is_guessed_first_is_common() -> None:
    assert [password for password in COMMON if not passwords.is_common(password)] == []


def test_a_few_words_of_ones_own_are_fine() -> None:
    assert [password for password in OWN if passwords.is_common(password, ABOUT)] == []


@pytest.mark.parametrize("password", ["jonasweber1", "Weber-Jonas-2026", "Larkwheel2026", "jonas.desk.example1"])
def test_what_is_about_the_person_or_the_desk_is_common(password: str) -> None:
    assert passwords.is_common(password, ABOUT) and not passwords.is_common(f"{password} apricot fjord", ABOUT)


def test_the_verbs_know_the_person(make_user: Any) -> None:
    user = make_user("agent", name="Ottokar Zabini", email="ottokar@desk.example")
    with pytest.raises(AccountError, match="made of your name.* guessed first"):
        accounts.set_password(user, "zabini-ottokar-1", None)
    with pytest.raises(AccountError, match="Many people use"):
        accounts.set_password(user, "password1234", None)
    with pytest.raises(AccountError, match="guessed first"):
        accounts.create_user("x@desk.example", "Ottokar Zabini", "agent", None, password="zabini-ottokar-1")


def test_a_long_password_is_judged_too() -> None:
    assert not passwords.is_common("ab" * 500 + "x9-" * 8) and passwords.is_common("password" * 128)


def test_a_password_kept_by_weaker_parameters_is_kept_anew_at_sign_in(app: Any, make_user: Any) -> None:
    user: User = make_user("agent", email="jonas@desk.example", password=PASSWORD)
    before = user.password_hash
    app.extensions["helpdesk.hasher"] = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    assert accounts.sign_in("jonas@desk.example", "wrong", HERE) is None and user.password_hash == before
    assert accounts.sign_in("jonas@desk.example", PASSWORD, HERE) == (user, user.auth_stamp)
    assert user.password_hash != before and "m=16,t=2" in (user.password_hash or "")
    assert accounts.sign_in("jonas@desk.example", PASSWORD, HERE) == (user, user.auth_stamp)


@pytest.mark.parametrize("who", ["unknown", "no password", "switched off", "service"])
def test_a_wrong_password_costs_the_same_whoever_it_is_for(
    app: Any, make_user: Any, count_queries: Any, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    make_user("agent", email="right@desk.example", password=PASSWORD)
    make_user("agent", email="none@desk.example")
    make_user("agent", email="off@desk.example", password=PASSWORD, active=False)
    make_user("agent", email="service@desk.example", password=PASSWORD, is_service=True)
    address = {"unknown": "ghost", "no password": "none", "switched off": "off", "service": "service"}[who]
    work: list[str] = []
    for verb in ("hash", "verify"):
        real = getattr(PasswordHasher, verb)
        monkeypatch.setattr(
            PasswordHasher, verb, lambda self, *rest, real=real, verb=verb: work.append(verb) or real(self, *rest)
        )

    def attempt(login: str, password: str, place: str) -> tuple[list[str], list[str]]:
        work.clear()
        with count_queries() as statements:
            assert accounts.sign_in(login, password, place) is None
        return list(statements), list(work)

    # The first of all makes the decoy.
    accounts.sign_in("first@desk.example", "wrong", "192.0.2.1")
    known = attempt("right@desk.example", "wrong", "192.0.2.2")
    other = attempt(f"{address}@desk.example", PASSWORD, "192.0.2.3")
    assert other == known and known[1] == ["verify"]
