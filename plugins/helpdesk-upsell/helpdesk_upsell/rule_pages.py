"""Rules: what is suggested to whom, as a sentence that anybody can read."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Invalid, db, default_locale, locales, number_in, permission_required, reader, settings
from helpdesk.api import gettext as _
from helpdesk_upsell import catalogue, rule_fields, rules
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.conditions import CONDITIONS, MOST, Names
from helpdesk_upsell.forms import RowForm
from helpdesk_upsell.models import ONE, RULE_KINDS, Rule
from helpdesk_upsell.permissions import MANAGE
from helpdesk_upsell.rule_fields import Row
from helpdesk_upsell.settings import RecommendationSettings

SHOWN = 50
_WEIGHTS = ("3", "1", "2", "4", "5")


@pages.get("/rules")
@permission_required(MANAGE)
def rule_list() -> Any:
    """All rules, each as a sentence."""
    found, names = rules.rules(number_in(request.args.get("after")), SHOWN + 1), Names()
    return show(
        "rules.html",
        rules=[(one, rules.sentence(one, names)) for one in found[:SHOWN]],
        more=found[SHOWN - 1].id if len(found) > SHOWN else None,
    )


@pages.get("/rules/new")
@permission_required(MANAGE)
def new_rule() -> Any:
    """The form of a new rule; filled in when one comes from what goes together."""
    sku, owns = (request.args.get(name, "").strip()[: catalogue.SKU_LENGTH] for name in ("sku", "owns"))
    typed = {"sku": sku}
    rows = []
    if owns:
        rows = [Row("owns", text=owns), Row("owns_not", text=sku)]
        typed["name"] = _("%(product)s with %(other)s", product=_name(sku), other=_name(owns))[:100]
    return _form(None, typed, rows)


@pages.post("/rules/new")
@permission_required(MANAGE)
def add_rule() -> Any:
    """Make a rule, or show the form with another condition. A new rule suggests nothing until it is switched on."""
    return _save(None)


@pages.get("/rules/<int:upsell_rule_id>")
@permission_required(MANAGE)
def rule(upsell_rule_id: int) -> Any:
    """One rule."""
    row = _rule(upsell_rule_id)
    return _form(row, _values(row), rule_fields.rows_of(row.conditions or ()))


@pages.post("/rules/<int:upsell_rule_id>")
@permission_required(MANAGE)
def save_rule(upsell_rule_id: int) -> Any:
    """Change it, or show the form with another condition."""
    return _save(_rule(upsell_rule_id))


@pages.post("/rules/<int:upsell_rule_id>/<any(on, off):switch>")
@permission_required(MANAGE)
def switch_rule(upsell_rule_id: int, switch: str) -> Any:
    """Suggest from now on, or no more; a rule that was stopped begins again."""
    rules.switch_rule(_rule(upsell_rule_id), switch == "on", reader())
    flash(_("The rule is on.") if switch == "on" else _("The rule is off. It suggests nothing more."))
    return redirect(url_for("upsell.rule_list"), 303)


@pages.get("/rules/<int:upsell_rule_id>/delete")
@permission_required(MANAGE)
def confirm_delete_rule(upsell_rule_id: int) -> Any:
    """Ask before a rule and its figures go."""
    row = _rule(upsell_rule_id)
    return show(
        "confirm.html",
        heading=_("Delete the rule “%(name)s”?", name=row.name),
        lead=_("Its figures go with it. What was suggested stays where it was. Switched off, it keeps its figures."),
        button=_("Delete"),
        action=url_for("upsell.delete_rule", upsell_rule_id=row.id),
        back=url_for("upsell.rule", upsell_rule_id=row.id),
    )


@pages.post("/rules/<int:upsell_rule_id>/delete")
@permission_required(MANAGE)
def delete_rule(upsell_rule_id: int) -> Any:
    """Take it away; what it has suggested stays and is counted no more."""
    rules.delete_rule(_rule(upsell_rule_id), reader())
    flash(_("The rule was deleted."))
    return redirect(url_for("upsell.rule_list"), 303)


def _rule(rule_id: int) -> Rule:
    found = rules.find_rule(rule_id) if rule_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _save(row: Rule | None) -> Any:
    form, rows = RowForm(request.form.to_dict()), rule_fields.read_rows(request.form)
    if "add" in request.form:
        what = form.typed.get("new-what", "")
        if what in CONDITIONS and len(rows) < MOST:
            rows.append(Row(what, currency=settings(RecommendationSettings).currency))
        return _form(row, form.typed, rows, added=True)
    _read(form, rows, row)
    if not form.errors:
        try:
            saved = rules.save_rule(row, form.values, reader())
        except Invalid as problem:
            db.session.rollback()
            row = _rule(row.id) if row is not None else None
            known = {"name", "kind", "weight", "holdout", "product", "conditions"}
            form.refuse(problem.field if problem.field in known else "form", str(problem))
        else:
            flash(_("Saved.") if row is not None else _("The rule was added. It suggests nothing until it is on."))
            return redirect(url_for("upsell.rule", upsell_rule_id=saved.id), 303)
    return _form(row, form.typed, rows, form.errors)


def _read(form: RowForm, rows: Sequence[Row], row: Rule | None) -> None:
    form.line("name", longest=100, required=True)
    if row is None:
        kind = form.choice("kind", RULE_KINDS)
        sku = form.line("sku", longest=catalogue.SKU_LENGTH)
        form.values.pop("sku", None)
        if kind == ONE:
            found = catalogue.by_sku(sku) if sku else None
            form.values["product"] = found
            if found is None:
                sentence = _("The catalogue has no product with this SKU.") if sku else _("Fill this in.")
                form.refuse("product", sentence)
    form.values["weight"] = int(form.choice("weight", _WEIGHTS))
    text = form.typed.get("holdout", "").strip()
    form.values["holdout"] = form.number("holdout", smallest=0, largest=50) if text else None
    shown = {code for code, _name in locales()}
    for name, longest, kept in (
        ("reason", rules.REASON_LENGTH, row.reasons if row is not None else {}),
        ("pitch", rules.PITCH_LENGTH, row.pitches if row is not None else {}),
    ):
        texts = {code: form.text(f"{name}-{code}", longest=longest) for code in shown}
        plural = "reasons" if name == "reason" else "pitches"
        # Texts in languages that the desk does not speak now are not shown, and stay.
        form.values[plural] = {code: one for code, one in kept.items() if code not in shown} | texts
    form.values["conditions"] = rule_fields.conditions_of(rows)
    if any(one.error for one in rows):
        form.refuse("conditions", _("Something is not right yet; look at the fields with a mark."))


def _form(
    row: Rule | None,
    typed: Mapping[str, Any],
    rows: Sequence[Row],
    errors: dict[str, str] | None = None,
    *,
    added: bool = False,
) -> Any:
    names = Names()
    rule_fields.fill_options(rows, names)
    sku = str(typed.get("sku") or "")
    return show(
        "rule.html",
        422 if errors else 200,
        rule=row,
        values=typed,
        rows=rows,
        errors=errors or {},
        added=added,
        sentence=rules.sentence(row, names) if row is not None else "",
        offered=rule_fields.offered(),
        label=rule_fields.label,
        product_name=_name(sku) if sku else "",
        languages=locales(),
        first=default_locale(),
        usual_holdout=settings(RecommendationSettings).holdout,
        full=len(rows) >= MOST,
    )


def _values(row: Rule) -> dict[str, Any]:
    values = {"name": row.name, "kind": row.kind, "weight": row.weight, "holdout": row.holdout}
    values |= {f"reason-{code}": text for code, text in (row.reasons or {}).items()}
    return values | {f"pitch-{code}": text for code, text in (row.pitches or {}).items()}


def _name(sku: str) -> str:
    """What a SKU is called; itself where the catalogue does not know it."""
    found = catalogue.by_sku(sku)
    return catalogue.name_of(found) if found is not None else sku
