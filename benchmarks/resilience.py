"""What it withstands: faults tried, kills survived, orders lost, bad inputs tried: `python -m benchmarks.resilience`.

The figures are what the tests count while they run, of which each also says what must hold.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.figures import Figure, line_of, titles

_TESTS = Path(__file__).parent.parent / "tests"
_FAULTS = ("resilience", "faults", "store/test_store_crashes.py", "store/test_store_disk_faults.py")
_INPUTS = (
    *("scm/test_scm_fuzz.py", "security/test_security_hostile*.py", "pki", "domain", "store/test_store_documents.py"),
    *("ui/test_ui_text.py", "ui/test_ui_detail.py", "ui/test_ui_views_hostile.py", "ui/test_ui_printable_filter.py"),
    *("cli/test_cli_hostile.py", "store/test_store_golden.py"),
)
_WORKERS = 2
"""Half of the time is spent waiting for disks and for processes that are killed."""
_QUICK = ("resilience/test_resilience_clocks.py", "scm/test_scm_fuzz.py")

_EXAMPLES = re.compile(r"- (\d+) passing")


@dataclass(frozen=True, slots=True)
class Withstood:
    """What the tests have counted.

    Args:
        counted: The sums of what they counted, by name.
        examples: How many inputs were made up and tried.
        tests: How many tests ran.
        failed: How many of them failed.
    """

    counted: Counter[str]
    examples: int
    tests: int
    failed: int


def measure(*, quick: bool) -> Iterator[Figure]:
    """Run the tests, and yield what they have counted.

    Args:
        quick: Whether a few are enough, only to see that it runs.
    """
    found = _run(_QUICK, workers=0) if quick else _run((*_FAULTS, *_INPUTS), workers=_WORKERS)
    yield Figure("resilience: faults injected", float(found.counted["faults_tried"]), "")
    yield Figure("resilience: processes killed, and survived", float(found.counted["kills_survived"]), "")
    yield Figure("resilience: orders lost, or other than at SCM", float(found.counted["orders_lost"]), "", goal=0.0)
    yield Figure("resilience: bad inputs tried", float(found.examples + found.counted["bad_inputs"]), "")
    yield Figure(f"resilience: tests that failed, of {found.tests}", float(found.failed), "", goal=0.0)


def _run(patterns: Sequence[str], *, workers: int) -> Withstood:
    paths = [str(path) for pattern in patterns for path in sorted(_TESTS.glob(pattern))]
    with tempfile.TemporaryDirectory(prefix="sectigo-tui-benchmark-") as name:
        report = Path(name) / "report.xml"
        # The newer kind of report has no place for what a test has counted.
        options = ["-n", str(workers), "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={report}"]
        command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics", *options, *paths]
        told = subprocess.run(command, cwd=_TESTS.parent, capture_output=True, text=True, check=False).stdout
        suite = next(ET.parse(report).iter("testsuite"))
    counted: Counter[str] = Counter()
    for each in suite.iter("property"):
        if re.fullmatch(r"\d+", each.attrib["value"]):
            counted[each.attrib["name"]] += int(each.attrib["value"])
    examples = sum(int(number) for number in _EXAMPLES.findall(told))
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    if failed:
        sys.stderr.write(told)
    return Withstood(counted, examples, int(suite.attrib["tests"]), failed)


def main() -> int:
    """Print the figures.

    Returns:
        0, or 1 when an order was lost or a test failed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resilience", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="run a few of the tests, only to see that it works")
    options = parser.parse_args()
    print(titles())
    is_met = True
    for figure in measure(quick=options.quick):
        print(line_of(figure), flush=True)
        is_met = is_met and figure.is_met
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
