"""The shapes beside the colours: a Unicode set, an ASCII set, and the glyph of each state of an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from sectigo_tui.domain.orders import OrderState


class Glyphs(Struct, frozen=True):
    """One set of shapes; chosen once, when the program starts.

    Args:
        name: "unicode" or "ascii".
        ellipsis: Ends a text that was cut.
        cursor: In front of the row under the cursor.
        mark: In front of a marked row.
        ascending: Beside the title of a column sorted upwards.
        descending: Beside the title of a column sorted downwards.
    """

    name: str
    ellipsis: str
    cursor: str
    mark: str
    ascending: str
    descending: str


UNICODE = Glyphs("unicode", ellipsis="…", cursor=">", mark="*", ascending="▲", descending="▼")
ASCII = Glyphs("ascii", ellipsis="..", cursor=">", mark="*", ascending="^", descending="v")

_GLYPHS = {glyphs.name: glyphs for glyphs in (UNICODE, ASCII)}
_POOR_FONTS = ("linux", "vt", "dumb", "unknown", "ansi", "cons25")


def choose_glyphs(environ: Mapping[str, str], preference: str = "auto") -> Glyphs:
    """Choose the set this terminal can show.

    Args:
        environ: The process's environment.
        preference: "unicode", "ascii" or "auto".

    Returns:
        The preferred set; with "auto" the ASCII one when the locale is not UTF-8 or the terminal's font is
        known to lack the shapes.
    """
    if preference in _GLYPHS:
        return _GLYPHS[preference]
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    is_utf8 = locale.upper().replace("-", "").endswith("UTF8")
    return ASCII if not is_utf8 or environ.get("TERM", "").startswith(_POOR_FONTS) else UNICODE


class StateGlyph(NamedTuple):
    """How a state is shown: by code, by shape and, last, by colour.

    Args:
        code: Three letters.
        unicode: Its shape, one cell.
        ascii: Its shape in the ASCII set, one cell.
        style: The cell style (see `sectigo_tui.presentation.themes.CELL_STYLES`).
        word: What it says, in a word or two.
        meaning: The same in a sentence.
    """

    code: str
    unicode: str
    ascii: str
    style: str
    word: str
    meaning: str

    def text(self, glyphs: Glyphs) -> str:
        """Return code and shape, five cells."""
        return f"{self.code} {self.ascii if glyphs is ASCII else self.unicode}"

    def in_words(self, glyphs: Glyphs) -> str:
        """Return code, shape and word, at most `STATE_CELLS` cells."""
        return f"{self.text(glyphs)} {self.word}"


STATE_CELLS = 18
"""The cells of the longest state in words."""


_STATE_GLYPHS = {
    glyph.code: glyph
    for glyph in (
        StateGlyph("NEW", "·", ".", "pending", "new", "Recorded here, and about to be sent."),
        StateGlyph("SUB", "◌", ".", "pending", "submitted", "SCM has the order, and has not told its status yet."),
        StateGlyph("PND", "○", "o", "pending", "pending", "Pending."),
        StateGlyph("INI", "·", ".", "pending", "being made", "SCM creates the order (Init)."),
        StateGlyph("REQ", "○", "o", "waiting", "requested", "Waits for an approver (Requested)."),
        StateGlyph("SAA", "◔", "o", "waiting", "SA approved", "Waits for the second approval (SA Approved)."),
        StateGlyph("APR", "◑", "a", "pending", "approved", "Approved, and not taken by the CA yet (Approved)."),
        StateGlyph("APL", "◐", "c", "pending", "applied", "With the CA (Applied)."),
        StateGlyph("ISS", "●", "*", "done", "issued", "Issued."),
        StateGlyph("COL", "✓", "+", "done", "collected", "Issued, and collected here."),
        StateGlyph("REJ", "x", "x", "failed", "rejected", "Rejected by the CA."),
        StateGlyph("DEC", "x", "x", "failed", "declined", "Declined by an administrator."),
        StateGlyph("INV", "x", "x", "failed", "invalid", "Invalid."),
        StateGlyph("NEN", "x", "x", "failed", "not enrolled", "Not enrolled."),
        StateGlyph("ERR", "!", "!", "failed", "failed", "Refused, or ended without a certificate."),
        StateGlyph("RVG", "⊖", "%", "warning", "revoking", "Being revoked: SCM has not confirmed it yet."),
        StateGlyph("REV", "⊘", "/", "muted", "revoked", "Revoked."),
        StateGlyph("EXP", "-", "-", "muted", "expired", "Expired."),
        StateGlyph("RPL", "=", "=", "muted", "replaced", "Replaced."),
        StateGlyph("UNM", "-", "-", "muted", "unmanaged", "Unmanaged."),
        StateGlyph(
            "UNC",
            "?",
            "?",
            "warning",
            "unconfirmed",
            "Unconfirmed: SCM's answer was lost, and the order is searched for.",
        ),
        StateGlyph("UNK", "?", "?", "pending", "unknown", "A status that this version does not know."),
    )
}

_BY_STATUS = {
    "init": "INI",
    "requested": "REQ",
    "saapproved": "SAA",
    "approved": "APR",
    "applied": "APL",
    "pending": "PND",
    "issued": "ISS",
    "declined": "DEC",
    "rejected": "REJ",
    "invalid": "INV",
    "notenrolled": "NEN",
    "revoked": "REV",
    "expired": "EXP",
    "replaced": "RPL",
    "unmanaged": "UNM",
}

_BY_STATE = {
    OrderState.INTENT: "NEW",
    OrderState.UNCONFIRMED: "UNC",
    OrderState.SUBMITTED: "SUB",
    OrderState.PENDING: "PND",
    OrderState.ISSUED: "ISS",
    OrderState.COLLECTED: "COL",
    OrderState.FAILED: "ERR",
    OrderState.EXPIRED: "EXP",
    OrderState.REPLACED: "RPL",
    OrderState.REVOKING: "RVG",
    OrderState.REVOKED: "REV",
}

_STATES_SHOWN_AS_STATUS = frozenset({OrderState.PENDING, OrderState.FAILED})


def status_glyph(status: str) -> StateGlyph:
    """Return how SCM's status of a remote order is shown.

    Args:
        status: The status as SCM sent it; case and spaces do not matter.

    Returns:
        Its glyph; `UNK ?` for a status this program does not know.
    """
    return _STATE_GLYPHS[_BY_STATUS.get("".join(status.split()).casefold(), "UNK")]


def order_glyph(state: OrderState, status: str = "") -> StateGlyph:
    """Return how a local order is shown.

    Args:
        state: Where the order stands here.
        status: SCM's status as it came; it says more while an order is pending or has failed.

    Returns:
        The glyph of SCM's status for a pending or failed order that has one, of the local state otherwise.
    """
    if status and state in _STATES_SHOWN_AS_STATUS:
        return status_glyph(status)
    return _STATE_GLYPHS[_BY_STATE[state]]


def state_glyphs() -> tuple[StateGlyph, ...]:
    """Return every state's glyph, in the order of an order's life: a legend for the help screen."""
    return tuple(_STATE_GLYPHS.values())
