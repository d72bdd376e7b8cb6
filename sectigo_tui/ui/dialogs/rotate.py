"""Asks for new credentials, and who is told of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.domain.ports import SecretText
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, Tick, text_field

ROTATE = "rotate"


class RotateAnswer(Struct, frozen=True):
    """What the operator gave.

    Args:
        login: The new login; empty to keep the present one.
        password: The new password; None to keep the present one, or where this program is to make one.
        make_new: Whether this program makes a new password and has SCM take it.
        hand_over: Whether certctl-server is told.
        insist: Whether credentials are tried that SCM is known to refuse.
    """

    login: str = ""
    password: SecretText | None = None
    make_new: bool = False
    hand_over: bool = False
    insist: bool = False


class Rotate(Dialog[RotateAnswer]):
    """Asks for what was changed in SCM's portal, hidden; or has a new password made.

    Args:
        account: Which account this is.
        login: The login in use.
        refused: Whether SCM rejects the credentials in use.
        has_certctl: Whether there is a certctl-server to tell.
        password_note: What is known of the present password's expiry.
        overridden_by: Where the credentials come from that must be changed there too; empty for nowhere else.
        error_text: What was wrong with an earlier try.
        may_insist: Whether that problem is that SCM is known to refuse what was given.
        is_read_only: Whether what changes something at SCM or certctl-server is locked.
        typed: What an earlier try was made of, which is kept: all of it, or without a password that was refused.
        by_itself: Whether nobody has asked for this dialog: Cancel then has the focus, so that keys meant for the
            list do not become a password.
    """

    DEFAULT_CSS = "Rotate .ticks { height: auto; }"

    def __init__(
        self,
        *,
        account: str,
        login: str,
        refused: bool,
        has_certctl: bool,
        password_note: str = "",
        overridden_by: str = "",
        error_text: str = "",
        may_insist: bool = False,
        is_read_only: bool = False,
        typed: RotateAnswer | None = None,
        by_itself: bool = False,
    ) -> None:
        super().__init__("Rotate the credentials")
        self._account = account
        self._login = login
        self._refused = refused
        self._has_certctl = has_certctl
        self._password_note = password_note
        self._overridden_by = overridden_by
        self._error = error_text
        self._may_insist = may_insist
        self._is_read_only = is_read_only
        self._by_itself = by_itself
        self._typed = typed or RotateAnswer()
        self.was_filled = typed is not None

    def body(self) -> ComposeResult:
        """Lay out the form; a password is filled in only where SCM could not be asked, and shows dots."""
        state = "SCM rejects them; nothing is sent until new ones are accepted" if self._refused else "in use"
        yield Facts(self._facts(state))
        yield Static(
            "Change them in SCM's portal first, then type them here: they are tested with one request, and replace the "
            "old ones only when SCM accepts them.",
            classes="label",
        )
        yield Row("New login", text_field("login", self._typed.login, hint="empty: as it is"))
        password = self._typed.password.reveal() if self._typed.password is not None else ""
        yield Row("New password", text_field("password", password, hint="empty: as it is", is_secret=True))
        with Vertical(classes="ticks"):
            locked = " (locked: read-only)" if self._is_read_only else ""
            yield Tick(
                f"Generate a password and set it at Sectigo{locked or ' (never shown)'}",
                id="make-new",
                disabled=self._refused or self._is_read_only,
            )
            why_not = locked if self._has_certctl else " ([certctl] url is not configured)"
            yield Tick(
                f"Tell certctl-server{why_not}", id="hand-over", disabled=not self._has_certctl or self._is_read_only
            )
            if self._may_insist:
                yield Tick("Test it anyway: the account was unlocked", id="insist")

    def choices(self) -> Sequence[Choice]:
        """Return the button that rotates."""
        return (Choice(ROTATE, "Test and rotate"),)

    def first_focus(self) -> Widget:
        """Return the password's field, for who has asked for this dialog."""
        return super().first_focus() if self._by_itself else self.query_one("#password")

    def on_mount(self) -> None:
        """Say what was wrong before."""
        self.query_one("#make-new", Tick).value = self._typed.make_new
        self.query_one("#hand-over", Tick).value = self._typed.hand_over
        if self._error:
            self.complain(self._error)

    def admits(self, event: events.Key) -> bool:
        """Return whether a key is taken: where nobody has asked for this, what came before it was for the list."""
        return not (self._by_itself and self.is_early(event)) and super().admits(event)

    def stand_down(self) -> None:
        """Take note that SCM takes credentials again that were rotated elsewhere: nothing is left to be asked.

        A dialog that nobody has asked for closes, unless something was typed: that stays for the operator to judge.
        """
        self.call_later(self._stand_down)

    def _stand_down(self) -> None:
        has_typed = any(field.value for field in self.query(Input))
        if self._by_itself and not has_typed:
            self.dismiss(None)
        else:
            self.query_one(Facts).show(self._facts("in use again: rotated elsewhere"))

    def _facts(self, state: str) -> Sequence[tuple[str, str]]:
        return (
            ("Account", self._account),
            ("Login", self._login),
            ("State", state),
            ("Password", self._password_note),
            ("Change there too", self._overridden_by),
        )

    def answer(self, choice_id: str) -> None:
        """Answer once something new was given."""
        del choice_id
        login = self.query_one("#login", Input).value.strip()
        typed = self.query_one("#password", Input).value
        make_new = self.query_one("#make-new", Tick).value
        if make_new and (login or typed):
            self.complain("Either type the new credentials, or generate a password.", at="make-new")
        elif not (make_new or login or typed):
            self.complain("Type a new login or password.", at="password")
        else:
            insist = self._may_insist and self.query_one("#insist", Tick).value
            password = SecretText(typed) if typed else None
            hand_over = self.query_one("#hand-over", Tick).value
            self.dismiss(RotateAnswer(login, password, make_new, hand_over, insist))
