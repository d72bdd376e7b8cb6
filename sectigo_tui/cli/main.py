"""Runs a subcommand and turns its failure into a message and an exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from sectigo_tui.cli.exit_codes import FAILED, exit_code
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.domain.errors import SectigoTuiError

Handler = Callable[[Namespace], int]


def run(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for.

    Args:
        arguments: What follows the program's name.

    Returns:
        The exit code; see `exit_codes`.
    """
    options = make_parser().parse_args(arguments)
    module, name = str(options.handler).split(":")
    try:
        handler: Handler = getattr(import_module(f"sectigo_tui.cli.{module}"), name)
        return handler(options)
    except SectigoTuiError as error:
        _complain(error)
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has seen enough, as `head` does.
        sys.stderr.close()
        return FAILED


def _complain(error: SectigoTuiError) -> None:
    from sectigo_tui.cli.output import complain
    from sectigo_tui.domain.errors import ScmFailure
    from sectigo_tui.domain.explain import explain

    if isinstance(error, ScmFailure):
        told = explain(error)
        code = "" if told.code is None else f" (SCM code {told.code})"
        complain(f"{told.what}{code}: {told.meaning}\n  next: {told.next_step}")
    else:
        complain(str(error))
