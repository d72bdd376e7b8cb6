"""What every workflow works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from msgspec import Struct, field

from sectigo_tui.domain.explain import explain
from sectigo_tui.ui.outside import Outside

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.ui.content.header import Surroundings
    from sectigo_tui.ui.dialogs.dialog import Dialog

R = TypeVar("R")
T = TypeVar("T")


class Ask(Protocol):
    """Shows a dialog and waits for its answer; None when the operator cancels."""

    async def __call__(self, dialog: Dialog[R]) -> R | None:
        """Return the answer."""
        ...


class During(Protocol):
    """Waits for something while a dialog says so; returns None when the operator stops waiting."""

    async def __call__(self, text: str, work: Awaitable[T], *, can_stop: bool) -> T | None:
        """Return what the work returns, or raise what it raises."""
        ...


class Defaults(Struct, frozen=True):
    """What the configuration says of orders placed here, and of files.

    Args:
        organization_id: The organization.
        profile_id: The certificate profile.
        term_days: The validity.
        key_directory: Where private keys made here go.
        save_directory: Where certificates are saved unless another place is named.
        keep: Keeps a text as a file of a name, and returns its path; raises `InputError` when it cannot.
    """

    organization_id: int | None
    profile_id: int | None
    term_days: int
    key_directory: Path
    save_directory: Path
    keep: Callable[[str, str], str]


async def _show_nothing(_order: Order) -> None:
    return


class Workflow(Struct, frozen=True):
    """What every workflow works with.

    Args:
        engine: Everything the program can do.
        ask: Asks the operator.
        during: Waits with the operator.
        notify: Says that something was done.
        copy: Puts text on the clipboard.
        surroundings: Which account this is about.
        defaults: What the configuration says of orders placed here.
        unmark: Takes the marks of orders away for which it was done, by sslId or by the id of the local order.
        chosen: Returns what was chosen last in a form, by field; empty for nothing.
        remember: Remembers what was chosen in a form.
        show_order: Puts the cursor on a local order, in the list that has it.
        outside: What is reached besides the engine.
    """

    engine: Engine
    ask: Ask
    during: During
    notify: Callable[[str], None]
    copy: Callable[[str], None]
    surroundings: Surroundings
    defaults: Defaults
    unmark: Callable[[Iterable[int | str]], None] = lambda _done: None
    chosen: Callable[[str], Mapping[str, str]] = lambda _form: {}
    remember: Callable[[str, Mapping[str, str]], None] = lambda _form, _values: None
    show_order: Callable[[Order], Awaitable[None]] = _show_nothing
    outside: Outside = field(default_factory=Outside)


def in_words(failure: Exception, next_step: str = "") -> str:
    """Return a failure as one paragraph: what, code, meaning, next step.

    Args:
        failure: The failure.
        next_step: What to do where it was met; empty for what is usual.
    """
    return explain(failure).text(next_step=next_step)
