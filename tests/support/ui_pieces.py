"""Pieces of the dashboard for tests without a screen."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.access import Access
from sectigo_tui.engine.book import OrderBook
from sectigo_tui.engine.context import Context, Policy
from sectigo_tui.engine.engine import Announcer, Engine
from sectigo_tui.engine.gate import RequestGate
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.ui.columns import Now
from sectigo_tui.ui.glyphs import UNICODE, Glyphs
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
        self.announcer = Announcer()
        context = Context(
            scm=FakeScm(self.clock),
            gate=RequestGate(4),
            book=OrderBook(self.store, self.clock, self.announcer),
            clock=self.clock,
            random=Random(0),
            read_certificate=read_certificate,
            policy=Policy(read_only=read_only, may_arm=True),
        )
        credentials = Credentials("acme", "certctl-api", SecretText("planted"))
        access = Access(in_use=credentials, keeper=Kept(credentials))
        self.engine = Engine(context, self.announcer, PkiTools, lambda: access)

    def now(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        is_looking: Callable[[str], bool] = lambda _id: False,
        is_paused: bool = False,
    ) -> Now:
        """Return the time and what else cells depend on.

        Args:
            glyphs: The shapes.
            is_looking: Which orders are being looked at.
            is_paused: Whether SCM has refused the credentials.
        """
        return Now(
            clock=self.clock,
            glyphs=glyphs,
            refresh_seconds=60.0,
            is_looking=is_looking,
            is_paused=lambda: is_paused,
            diagnoser=lambda: self.engine.diagnoser,
        )
