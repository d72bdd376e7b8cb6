"""Arguments to handlers, and failures to messages and exit codes."""

from __future__ import annotations

import argparse
import signal
from argparse import Namespace
from pathlib import Path

import pytest

from sectigo_tui import __version__
from sectigo_tui.cli.commands import check
from sectigo_tui.cli.exit_codes import ended_by, exit_code
from sectigo_tui.cli.main import run
from sectigo_tui.cli.parser import make_parser, module_of
from sectigo_tui.domain.errors import (
    ConfigError,
    CredentialsRefused,
    InputError,
    NotFound,
    RateLimited,
    SectigoTuiError,
    ServerFailure,
    StoreError,
    Unreachable,
    Unreadable,
)

WRONG_TERM = ConfigError(key="term", source="config.toml", reason="'x' is no number", remedy="write e.g. term = 365")


def subcommands() -> dict[str, argparse.ArgumentParser]:
    (action,) = [one for one in make_parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(action.choices)


def failing(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    def fail(_options: Namespace) -> int:
        raise failure

    monkeypatch.setattr(check, "run", fail)


@pytest.mark.parametrize("name", sorted(subcommands()))
def test_every_subcommand_has_a_module_that_runs_it_and_takes_the_common_flags(name: str) -> None:
    parser = subcommands()[name]
    assert parser.get_default("subcommand") == name
    assert callable(module_of(name).run)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert {"--config", "--data-dir", "--profile", "--read-only"} <= flags


def test_a_common_flag_counts_before_and_after_the_subcommand() -> None:
    before = make_parser().parse_args(["--profile", "staging", "orders"])
    after = make_parser().parse_args(["orders", "--profile", "staging"])
    assert before.profile == after.profile == "staging"


@pytest.mark.parametrize("wrong", [["no-such-command"], ["orders", "--js"], ["track"], ["track", "one"]])
def test_arguments_that_are_not_understood_end_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(wrong)
    assert ended.value.code == 2
    assert "usage: sectigo-tui" in capsys.readouterr().err


def test_the_version_is_told_among_other_arguments_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--read-only", "--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"sectigo-tui {__version__}\n"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (WRONG_TERM, 2),
        (InputError("no such file", "name another"), 2),
        (CredentialsRefused("types", "HTTP 401"), 3),
        (Unreachable("types", "no route to host"), 4),
        (Unreadable("types", "HTML"), 4),
        (ServerFailure("types", "HTTP 503"), 4),
        (NotFound("details", "HTTP 404"), 1),
        (RateLimited("types", "HTTP 429"), 1),
        (StoreError("orders.json", "no space left", "make room"), 1),
    ],
)
def test_a_failure_is_told_by_its_exit_code(failure: SectigoTuiError, code: int) -> None:
    assert exit_code(failure) == code


def test_a_failure_is_one_message_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, WRONG_TERM)
    assert run(["check"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "sectigo-tui: term (config.toml): 'x' is no number; write e.g. term = 365\n"


def test_a_failure_of_scm_is_told_with_its_meaning_and_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, Unreachable("types", "no route to host\x1b[2J"))
    assert run(["check"]) == 4
    what, next_step = capsys.readouterr().err.splitlines()
    assert what.startswith("sectigo-tui: Reading the certificate profiles")
    assert "\x1b" not in what
    assert next_step.startswith("  next: ")


def test_ctrl_c_ends_with_the_signal_s_code_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert run(["check"]) == ended_by(signal.SIGINT) == 130
    assert capsys.readouterr().err == ""


def test_a_defect_is_written_down_without_values_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    failing(monkeypatch, ZeroDivisionError())
    assert run(["check", "--data-dir", str(tmp_path)]) == 1
    (report,) = (tmp_path / "crashes").iterdir()
    assert str(report) in capsys.readouterr().err
    assert "ZeroDivisionError" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("columns", "longest"), [("60", 58), ("", 78), ("nonsense", 78)])
def test_help_is_as_wide_as_the_terminal(columns: str, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    widths = [len(line) for line in subcommands()["enroll"].format_help().splitlines()]
    assert longest - 10 < max(widths) <= longest
