"""Run by a Python that has django-helpdesk, in a folder of its own: ``prepare FOLDER MAILS``, then ``take FOLDER``.

The second takes in what the first has copied, as its own command does from the timetable: a new process each time.
"""

import shutil
import sys
from pathlib import Path

import django
from django.conf import settings

# Filled once Django is set up.
urlpatterns: list = []


def main() -> None:
    """Set up an empty desk on SQLite, or let its own command read the folder."""
    verb, root = sys.argv[1], Path(sys.argv[2])
    _set_up(root)
    if verb == "prepare":
        shutil.copytree(sys.argv[3], root / "mails")
        _prepare(root / "mails")
    else:
        _take()


def _set_up(root: Path) -> None:
    settings.configure(
        SECRET_KEY="benchmark",
        USE_TZ=True,
        SITE_ID=1,
        MEDIA_ROOT=str(root / "media"),
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(root / "db.sqlite3")}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.admin",
            "django.contrib.messages",
            "django.contrib.humanize",
            "rest_framework",
            "helpdesk",
        ],
        HELPDESK_TEAMS_MODE_ENABLED=False,
        HELPDESK_ACTIVATE_API_ENDPOINT=False,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        ROOT_URLCONF="__main__",
    )
    django.setup()
    from django.urls import include, path

    urlpatterns.append(path("", include("helpdesk.urls", namespace="helpdesk")))


def _prepare(mails: Path) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from helpdesk.models import Queue

    Queue.objects.create(
        title="Support",
        slug="support",
        email_address="support@shop.example",
        allow_email_submission=True,
        email_box_type="local",
        email_box_local_dir=f"{mails}/",
        email_box_interval=0,
    )


def _take() -> None:
    from helpdesk.email import process_email
    from helpdesk.models import Ticket

    process_email(quiet=True)
    print(Ticket.objects.count())


if __name__ == "__main__":
    main()
