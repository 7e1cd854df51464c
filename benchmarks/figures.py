"""What was measured, and how it is printed."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measure; ``budget`` is the most that it may be, None where it is only reported."""

    name: str
    value: float
    unit: str
    budget: float | None = None

    @property
    def kept(self) -> bool:
        return self.budget is None or self.value <= self.budget


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = ["| what | measured | budget |", "|---|---|---|"]
    for figure in figures:
        budget = "" if figure.budget is None else f"{figure.budget:g} {figure.unit}{'' if figure.kept else ' BROKEN'}"
        rows.append(f"| {figure.name} | {figure.value:.4g} {figure.unit} | {budget} |")
    return "\n".join(rows)
