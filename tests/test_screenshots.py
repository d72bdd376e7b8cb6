"""README's pictures are what the program looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PICTURES = Path(__file__).parents[1] / "screenshots"


def test_the_pictures_are_those_that_the_script_makes_now(tmp_path: Path) -> None:
    subprocess.run([sys.executable, PICTURES / "make.py", tmp_path], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made.keys() == {path.name for path in PICTURES.glob("*.svg")}
    changed = [name for name, svg in made.items() if svg != (PICTURES / name).read_text()]
    assert not changed, "look at them after: python screenshots/make.py"


def test_the_pictures_fetch_nothing() -> None:
    assert not [path.name for path in PICTURES.glob("*.svg") if "url(http" in path.read_text().replace('"', "")]
