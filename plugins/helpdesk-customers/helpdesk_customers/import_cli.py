"""``helpdesk customers import`` and ``imports``: files from the command line, also those too large for a page."""

from pathlib import Path

import click

from helpdesk.api import Invalid, db, transaction
from helpdesk_customers import import_running, importing
from helpdesk_customers.import_models import DONE, Import
from helpdesk_customers.imports.encodings import ENCODINGS
from helpdesk_customers.imports.kinds import kind_named, kinds
from helpdesk_customers.imports.rows import DELIMITERS


@click.command("import")
@click.argument("kind", required=False)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="How the file is written (else it is found out).")
@click.option(
    "--delimiter", type=click.Choice(list(DELIMITERS)), help="What separates the cells (else it is found out)."
)
@click.option("--map", "maps", multiple=True, metavar="COLUMN=NAME", help="Which column of the file a column is.")
@click.option("--overwrite", is_flag=True, help="What is there becomes what the file says.")
@click.option("--preview", is_flag=True, help="Show how the first rows are read, and take in nothing.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write rows that failed to this file.")
@click.option("--resume", type=int, metavar="NUMBER", help="Go on with a file that was stopped or killed.")
def take_in(
    kind: str | None,
    file: Path | None,
    encoding: str | None,
    delimiter: str | None,
    maps: tuple[str, ...],
    overwrite: bool,
    preview: bool,
    errors: Path | None,
    resume: int | None,
) -> None:
    """Take in a FILE of a KIND (none: name the kinds there are). Killed in the middle, it goes on with --resume."""
    try:
        if resume is not None:
            run = _resumed(resume)
        elif kind is None or file is None:
            click.echo("\n".join(f"{one.name}: {one.label}" for one in kinds()))
            return
        else:
            run = _begun(kind, file, encoding, delimiter, maps, overwrite)
        if preview:
            _show(run)
            importing.discard(run, None)
            return
        _take(run, errors)
    except Invalid as problem:
        raise click.ClickException(str(problem)) from None


@click.command("imports")
def listing() -> None:
    """The files that were taken in, the newest first."""
    for run in importing.listed():
        counts = ", ".join(f"{word} {number}" for word, number in sorted(run.counts.items())) or "nothing"
        click.echo(f"{run.id}: {run.name} ({run.kind}), {run.state}: {counts}, failed {run.failed}")


def _begun(
    name: str, file: Path, encoding: str | None, delimiter: str | None, maps: tuple[str, ...], overwrite: bool
) -> Import:
    kind = kind_named(name)
    if kind is None:
        known = ", ".join(one.name for one in kinds())
        raise click.ClickException(f"There is no kind {name}; there are: {known}.")
    with file.open("rb") as stream:
        run = importing.begin(stream, file.name, kind, None)
    wanted = {"encoding": encoding or run.encoding, "delimiter": delimiter or run.delimiter}
    importing.describe(run, None, **wanted, mapping=run.mapping, overwrite=overwrite)
    if maps:
        importing.describe(run, None, **wanted, mapping=_mapping(run, maps), overwrite=overwrite)
    return run


def _mapping(run: Import, maps: tuple[str, ...]) -> dict[str, int]:
    mapping = dict(run.mapping)
    for one in maps:
        key, _equals, name = one.partition("=")
        if name not in run.header:
            raise click.ClickException(f"The file has no column {name}; it has: {', '.join(run.header)}.")
        place = run.header.index(name)
        mapping = {other: at for other, at in mapping.items() if at != place} | {key: place}
    return mapping


def _resumed(number: int) -> Import:
    run = db.session.get(Import, number)
    if run is None:
        raise click.ClickException(f"There is no file {number}; 'helpdesk customers imports' shows them.")
    if run.state == DONE:
        raise click.ClickException("This file is done.")
    return run


def _show(run: Import) -> None:
    click.echo(f"{run.encoding}, cells separated by {run.delimiter!r}, columns: {', '.join(run.header)}")
    for key, place in run.mapping.items():
        click.echo(f"  {key} = {run.header[place]}")
    for row in importing.preview(run):
        click.echo(f"{row.number}: {row.problem or 'fine'}")


def _take(run: Import, errors: Path | None) -> None:
    kind = importing.kind_of(run)
    with transaction():
        db.session.refresh(run, with_for_update={"of": Import})
        # One that was killed still says that it runs.
        if run.state not in importing.UNDER_WAY:
            importing.ready(run, kind)
    click.echo(f"Taking in file {run.id}.")
    import_running.run_here(run.id)
    db.session.expire_all()
    counts = ", ".join(f"{word} {number}" for word, number in sorted(run.counts.items())) or "nothing"
    click.echo(f"{run.state}: {counts}, failed {run.failed}. {run.note}".strip())
    if errors is not None and run.failed:
        with errors.open("w", encoding="utf-8", newline="") as out:
            out.writelines(importing.error_file(run))
