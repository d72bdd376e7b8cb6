"""A picture of the screen, as it leaves the program."""

from __future__ import annotations

import re
from html import escape, unescape

from sectigo_tui.engine.diagnosis.markdown import Redact

_SHOWN = re.compile(r"(<text\b[^>]*>)([^<]*)(</text>)")
_SPACE = "\N{NO-BREAK SPACE}"


def without_credentials(svg: str, redact: Redact) -> str:
    """Return a picture without the credentials that its text shows, such as a password in an order's comments.

    Args:
        svg: The picture as Textual draws it: each run of text of one style is one element.
        redact: Takes credentials out of a text.
    """

    def redacted(match: re.Match[str]) -> str:
        start, text, end = match.groups()
        shown = unescape(text).replace(_SPACE, " ")
        kept = redact(shown)
        return match[0] if kept == shown else f"{start}{escape(kept).replace(' ', '&#160;')}{end}"

    return _SHOWN.sub(redacted, svg)
