"""The program's entry: `sectigo-tui`, and `python -m sectigo_tui`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the program with the process's arguments.

    Returns:
        The exit code.
    """
    from sectigo_tui.cli.streams import settle_streams

    settle_streams()
    if sys.argv[1:] == ["--version"]:
        # Scripts ask for this alone: it needs no parser.
        from sectigo_tui import __version__

        sys.stdout.write(f"sectigo-tui {__version__}\n")
        return 0
    from sectigo_tui.collector import loading

    with loading():
        from sectigo_tui.cli.main import run
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
