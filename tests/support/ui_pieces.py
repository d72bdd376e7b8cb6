"""Pieces of the dashboard for tests without a screen."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine, EventSource
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.presentation.columns import RowContext
from sectigo_tui.presentation.glyphs import UNICODE, Glyphs
from sectigo_tui.ui.keys.key_names import DEFAULT_NAMES
from support.fake_scm import FakeScm
from support.memory_store import MemoryStore
from support.stored_orders import HandClock
from support.writing import Kept


class Pieces:
    """An engine that does nothing by itself, and a clock that is moved by hand.

    Attributes:
        clock: The time.
        store: The local orders.
        engine: The engine.
        announcer: Tells what is told to it.
    """

    def __init__(self, *, read_only: bool = False) -> None:
        self.clock = HandClock()
        self.store = MemoryStore(self.clock)
        self.event_source = EventSource()
        scm = FakeScm(self.clock)
        context = Context(
            client=lambda: scm,
            limiter=RequestLimiter(4),
            repository=OrderRepository(self.store, self.clock, self.event_source),
            clock=self.clock,
            random=Random(0),
            read_certificate=read_certificate,
            options=EngineOptions(read_only=read_only, may_arm=True),
        )
        credentials = Credentials("acme", "certctl-api", SecretText("planted"))
        access = Access(in_use=credentials, keeper=Kept(credentials))
        self.engine = Engine(context, self.event_source, PkiTools, lambda: access)

    def now(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        is_polling: Callable[[str], bool] = lambda _id: False,
        is_paused: bool = False,
    ) -> RowContext:
        """Return the time and what else cells depend on.

        Args:
            glyphs: The shapes.
            is_looking: Which orders are being looked at.
            is_paused: Whether SCM has refused the credentials.
        """
        return RowContext(
            hint=DEFAULT_NAMES.fill,
            clock=self.clock,
            glyphs=glyphs,
            refresh_seconds=60.0,
            is_polling=is_polling,
            is_paused=lambda: is_paused,
            diagnoser=lambda: self.engine.diagnoser,
        )
