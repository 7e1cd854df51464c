"""A plugin of one file whose work leaves rows to be counted: what the tests that kill processes ask for."""

import os
import signal
import time
from datetime import timedelta

import click
from sqlalchemy import column, insert, select, table, update

from helpdesk.api import Command, Job, db, hookimpl, now, schedule, transaction

ROWS = table("effects_row", column("number"), column("step"), column("pid"))
COUNTER = table("effects_counter", column("id"), column("value"))


def write(number, seconds=0.0):
    """Short: its row and its `done` are one transaction."""
    db.session.execute(insert(ROWS).values(number=number, step=0, pid=os.getpid()))
    time.sleep(seconds)


def walk(work, number, steps=3, seconds=0.0, gate=""):
    """Long: a row for each step, each together with its checkpoint. Behind the first it waits for ``gate``."""
    for step in range((work.checkpoint or {}).get("step", 0), steps):
        time.sleep(seconds)
        while step and gate and not os.path.exists(gate):
            time.sleep(0.05)
        with work.step(checkpoint={"step": step + 1}, done=step + 1, total=steps + 1):
            db.session.execute(insert(ROWS).values(number=number, step=step, pid=os.getpid()))
    with work.last_step(result={"steps": steps}):
        db.session.execute(insert(ROWS).values(number=number, step=steps, pid=os.getpid()))


def poison():
    """Takes its worker with it."""
    os.kill(os.getpid(), signal.SIGKILL)


@hookimpl
def register_jobs():
    return [Job("effects.write", write), Job("effects.walk", walk), Job("effects.poison", poison)]


@click.group("effects")
def commands():
    """Work that is counted."""


@commands.command()
@click.argument("short", type=int)
@click.argument("long", type=int)
@click.option("--first", type=int, default=1)
@click.option("--over", type=float, default=0.0, help="Seconds over which they fall due.")
@click.option("--seconds", type=float, default=0.0, help="How long each of the long ones takes between two steps.")
@click.option("--gate", default="", help="The file that each of the long ones waits for between its steps.")
def ask(short, long, first, over, seconds, gate):
    """Ask for SHORT and LONG jobs, numbered."""
    begin, jobs, long_ones = now(), short + long, {"seconds": seconds, "gate": gate}
    with transaction():
        for place in range(jobs):
            kind, how = ("write", {"seconds": seconds / 5}) if place < short else ("walk", long_ones)
            part = place / short if place < short else (place - short) / long
            schedule(f"effects.{kind}", at=begin + timedelta(seconds=over * part), number=first + place, **how)


@commands.command()
def spoil():
    """Ask for the job that kills its worker."""
    schedule("effects.poison")


@commands.command()
@click.argument("times", type=int)
def count(times):
    """Read the counter and write it one higher, TIMES times."""
    for _time in range(times):
        with transaction():
            found = db.session.scalar(select(COUNTER.c.value).where(COUNTER.c.id == 1).with_for_update())
            db.session.execute(update(COUNTER).where(COUNTER.c.id == 1).values(value=found + 1))


@hookimpl
def register_commands():
    return [Command(command) for command in commands.commands.values()]
