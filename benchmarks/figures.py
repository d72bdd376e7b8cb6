"""A figure beside its reference and its goal, and the table of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Args:
        axis: What was measured.
        value: The figure.
        unit: Its unit.
        reference: What it was measured against; empty for nothing.
        reference_value: The reference's figure, in the same unit.
        ratio: The median of the figure's ratios to the reference, pair by pair.
        ratio_goal: The largest ratio that meets the goal; None where no ratio is judged.
        goal: The largest figure that meets the goal; None where only the ratio is judged.
    """

    axis: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float | None = None
    ratio: float | None = None
    ratio_goal: float | None = None
    goal: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the figure meets every goal it has."""
        meets_ratio = self.ratio_goal is None or (self.ratio is not None and self.ratio <= self.ratio_goal)
        return meets_ratio and (self.goal is None or self.value <= self.goal)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Medians of two measures that were taken in turn, so that a busy machine slows both.

    Args:
        value: The median of the one.
        reference: The median of the other.
        ratio: The median of the ratios within each pair.
    """

    value: float
    reference: float
    ratio: float


def in_pairs(measure: Measure, reference: Measure, pairs: int) -> Pairs:
    """Measure A B A B ...

    Args:
        measure: Takes the figure once.
        reference: Takes the reference's once.
        pairs: How often both are taken.
    """
    return medians([(measure(), reference()) for _ in range(pairs)])


def medians(taken: Sequence[tuple[float, float]]) -> Pairs:
    """Return the medians of pairs of a figure and its reference."""
    return Pairs(
        statistics.median(value for value, _ in taken),
        statistics.median(reference for _, reference in taken),
        statistics.median(value / reference if reference else math.inf for value, reference in taken),
    )


def compared(
    axis: str, unit: str, pairs: Pairs, reference: str, *, ratio_goal: float | None, goal: float | None = None
) -> Figure:
    """Return the figure of pairs."""
    return Figure(axis, pairs.value, unit, reference, pairs.reference, pairs.ratio, ratio_goal, goal)


def titles() -> str:
    """Return the titles above `line_of`."""
    return _aligned(_TITLES)


def line_of(figure: Figure, *, is_judged: bool = True) -> str:
    """Return a figure as a line for the terminal.

    Args:
        figure: The figure.
        is_judged: Whether it says if its goals are met.
    """
    cells = _cells(figure)
    return _aligned(cells if is_judged else (*cells[:-1], "-"))


def markdown_of(figures: Iterable[Figure]) -> str:
    """Return figures as a Markdown table."""
    rows: list[Sequence[str]] = [_TITLES, ["---"] * len(_TITLES), *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


_TITLES = ("axis", "figure", "reference in the same run", "ratio", "goal", "met")
_WIDTHS = (62, 11, 46, 7, 22, 3)


def _aligned(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _cells(figure: Figure) -> Sequence[str]:
    reference = f"{figure.reference}: {_number(figure.reference_value, figure.unit)}" if figure.reference else "-"
    goals = []
    if figure.ratio_goal is not None:
        goals.append(f"<= {figure.ratio_goal:g}x")
    if figure.goal is not None:
        goals.append(f"<= {_number(figure.goal, figure.unit)}")
    return (
        figure.axis,
        _number(figure.value, figure.unit),
        reference,
        "-" if figure.ratio is None else f"{figure.ratio:.2f}x",
        ", ".join(goals) or "-",
        ("yes" if figure.is_met else "NO") if goals else "-",
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}"
