"""Measure every axis, and print a line for each: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from benchmarks.figures import Figure, line_of, markdown_of, titles

AXES = ("starting", "remote", "renewals", "sorting", "keys", "at_rest", "workers", "polling", "storing", "team")


def main() -> int:
    """Measure what was asked for.

    Returns:
        0, or 1 when a goal was not met; a quick run judges nothing. What cannot be measured is raised.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("axes", nargs="*", metavar="AXIS", help=f"of {', '.join(AXES)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="few samples and small sizes, only to see that it runs")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table at the end")
    options = parser.parse_args()
    figures: list[Figure] = []
    print(titles())
    for axis in options.axes or AXES:
        for figure in import_module(f"benchmarks.{axis}").measure(quick=options.quick):
            print(line_of(figure, is_judged=not options.quick), flush=True)
            figures.append(figure)
    if options.markdown:
        print(f"\n{markdown_of(figures)}")
    return 0 if options.quick or all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
