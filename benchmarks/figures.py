"""What a figure may be, and how it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value; ``most`` or ``least`` is its budget, where it has one."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the budget is not kept."""
        too_much = self.most is not None and self.value > self.most
        return too_much or (self.least is not None and self.value < self.least)


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [("what", "measured", "budget", "")]
    for figure in figures:
        budget = f"{figure.most:g} {figure.unit}" if figure.most is not None else ""
        if figure.least is not None:
            budget = f"at least {figure.least:g} {figure.unit}"
        verdict = "" if not budget else ("not kept" if figure.is_over else "kept")
        rows.append((figure.what, f"{_round(figure.value)} {figure.unit}", budget, verdict))
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = " | ".join("-" * max(3, width) for width in widths)
    return "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])


def _round(value: float) -> str:
    return f"{value:.0f}" if value >= 20 or value == int(value) else f"{value:.2f}"
