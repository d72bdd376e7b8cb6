"""The Textual application: it runs the engine, and shows its views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import ModalScreen, Screen
from textual.signal import Signal

from sectigo_tui.domain.events import AccountChanged, EngineEvent, PollingPaused
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.columns import RowContext
from sectigo_tui.presentation.glyphs import Glyphs
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.themes import MONO, PREFERENCES, SIXTEEN, ansi_color_of
from sectigo_tui.presentation.watchlist import Watchlist
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.engine_runner import EngineRunner
from sectigo_tui.ui.errors import Errors
from sectigo_tui.ui.keys.active_keys import active_keys, grouped
from sectigo_tui.ui.keys.key_names import KeyNames
from sectigo_tui.ui.layout import LayoutSaver
from sectigo_tui.ui.notifier import Notifier
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.screens.view import View, ViewModel
from sectigo_tui.ui.terminal.clipboard import Clipboard, request
from sectigo_tui.ui.terminal.terminal_app import TerminalApp
from sectigo_tui.ui.theme import use_shapes

if TYPE_CHECKING:
    from sectigo_tui.ui.workflows.menu import MenuWorkflows
    from sectigo_tui.ui.workflows.workflow import Defaults

# Dialogs, workflows and the other views are imported when they are asked for: the first paint waits for none of them.


_MODULE_OF_VIEW = {
    "pending": ("orders", "PendingView"),
    "local": ("orders", "LocalView"),
    "remote": ("remote", "RemoteView"),
    "events": ("events", "EventsView"),
    "budget": ("budget", "BudgetView"),
    "validations": ("validations", "ValidationsView"),
    "renewals": ("renewals", "RenewalsView"),
}

VIEWS = tuple(_MODULE_OF_VIEW)
"""The views, by the names of their modes."""


def make_view(name: str, model: ViewModel) -> View:
    """Return one of `VIEWS`; all but the first are imported when they are first shown."""
    module, view = _MODULE_OF_VIEW[name]
    made: View = getattr(import_module(f"sectigo_tui.ui.screens.{module}"), view)(model)
    return made


def _more_commands() -> type[Provider]:
    from sectigo_tui.ui.keys.palette import MoreCommands

    return MoreCommands


class SectigoApp(TerminalApp[str]):
    """The dashboard; it returns the profile that the operator wants to go on with, or nothing.

    Args:
        engine: Everything the program can do.
        surroundings: The settled facts of this run.
        glyphs: The shapes of this terminal.
        theme: The theme to start with.
        refresh_seconds: The time between two listings of the account.
        defaults: What the configuration says of orders placed here.
        track: sslIds that become local at once.
        outside: What it reaches besides the engine.
        connect: Makes the engine able to send; awaited after the first paint. None when it is already.

    Raises:
        ConfigError: The keys that were configured cannot be used.
    """

    TITLE = "sectigo-tui"
    CSS_PATH = "app.tcss"
    DEFAULT_MODE = "pending"
    """Textual's own empty first screen would cost two more readings of the style sheet."""
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS = TerminalApp.COMMANDS | {_more_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view('pending')", "Pending", id="app.pending", tooltip="Pending: orders that are still pending"),
        Binding("2", "view('local')", "Local", id="app.local", tooltip="Local: orders placed or tracked here"),
        Binding("3", "view('remote')", "Remote", id="app.remote", tooltip="Remote: the whole account"),
        Binding("4", "view('events')", "Events", id="app.events", tooltip="Events: what happened, and what failed"),
        Binding("5", "view('budget')", "Budget", id="app.budget", tooltip="Budget: what is polled next, and why then"),
        Binding(
            "6",
            "view('validations')",
            "Validations",
            id="app.validations",
            tooltip="Validations: what ends soon, and what will need it",
        ),
        Binding(
            "7", "view('renewals')", "Renewals", id="app.renewals", tooltip="Renewals: until when each is to be ordered"
        ),
        Binding(
            "D",
            "workflow('diagnose')",
            "Diagnose",
            id="app.diagnose",
            tooltip="Who it waits for, is that normal, what next",
        ),
        Binding(
            "E", "workflow('escalate')", "Escalate", show=False, id="app.escalate", tooltip="Facts for the CA's support"
        ),
        Binding(
            "H",
            "workflow('handover')",
            "Handover",
            show=False,
            id="app.handover",
            tooltip="What is open, for the next shift",
        ),
        Binding("n", "workflow('note')", "Note", show=False, id="app.note", tooltip="Write a note on this order"),
        Binding(
            "O", "workflow('own')", "Owner", show=False, id="app.own", tooltip="Take this order, or give it to somebody"
        ),
        Binding(
            "i",
            "workflow('longer')",
            "Poll longer",
            show=False,
            id="app.longer",
            tooltip="Poll for 10 minutes, a day, or until issued",
        ),
        Binding(
            "m", "workflow('message')", "Message", show=False, id="app.message", tooltip="Write to whoever blocks this"
        ),
        Binding(
            "C",
            "workflow('causes')",
            "Causes",
            show=False,
            id="app.causes",
            tooltip="What many orders wait for together",
        ),
        Binding(
            "e",
            "workflow('export')",
            "Export",
            show=False,
            id="app.export",
            tooltip="Save table, order or screen in a file",
        ),
        Binding(
            "Y",
            "workflow('copied')",
            "Copied",
            show=False,
            id="app.copied",
            tooltip="Show what was copied, to select it",
        ),
        Binding("T", "theme", "Theme", show=False, id="app.theme", tooltip="The next theme: dark, light, ..."),
        Binding(
            "P", "workflow('profile')", "Profile", show=False, id="app.profile", tooltip="Go on with another profile"
        ),
        Binding(
            "A",
            "workflow('arm')",
            "Arm writes",
            show=False,
            id="app.arm",
            tooltip="Arm writes for 5 minutes, or lock them",
        ),
        Binding(
            "a",
            "workflow('menu')",
            "Actions",
            id="app.menu",
            tooltip="Enroll, approve, collect, renew, revoke, rotate ...",
        ),
        Binding(
            "colon",
            "command_palette",
            "Palette",
            key_display=": ^p",
            show=False,
            id="app.palette",
            tooltip="Every action, by name",
        ),
        Binding(
            "question_mark,f1",
            "workflow('help')",
            "Help",
            id="app.help",
            tooltip="What stands here means, and the keys of this view",
        ),
        Binding("q", "back", "Back", id="app.back", tooltip="Go back; from the first view, quit"),
    ]

    def __init__(
        self,
        engine: Engine,
        surroundings: Surroundings,
        *,
        glyphs: Glyphs,
        theme: str,
        refresh_seconds: float,
        defaults: Defaults,
        track: Sequence[int] = (),
        outside: Outside | None = None,
        connect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._outside = outside = outside or Outside()
        super().__init__(theme)
        keymap = _keymap(outside, type(self))
        self.set_keymap(keymap)
        self.key_names = KeyNames(keymap)
        self._copier = Clipboard(outside.environ, outside.run, lambda text: self._write(request(text, outside.environ)))
        use_shapes(self, glyphs)
        self._track = track
        self._left_behind = 0
        self._engine = engine
        self._published: Signal[Sequence[EngineEvent]] = Signal(self, "published")
        self._runner = runner = EngineRunner(
            self,
            engine,
            refresh_seconds,
            connect=connect,
            receive=self._receive,
            connected=self._reload,
            give_up=self._give_up,
        )
        now = RowContext(
            clock=engine.clock,
            glyphs=glyphs,
            refresh_seconds=refresh_seconds,
            is_polling=engine.scheduler.is_polling,
            is_paused=lambda: engine.rejection is not None,
            diagnoser=lambda: engine.diagnoser if runner.is_connected else None,
            hint=self.key_names.fill,
        )
        order_rows = OrderRows(engine)
        watchlist = Watchlist(order_rows)
        self._layout_saver = LayoutSaver(outside.keeper, self.set_timer, runner.report)
        self._layout_lost = self._layout_saver.load()
        self._layout_saver.attend(watchlist)
        errors = Errors()
        self._notifier = Notifier(watchlist, engine, errors, outside, write=self._write, perform=runner.perform)
        self._model = ViewModel(
            order_rows, now, self._published, surroundings, errors, runner.perform, self._layout_saver.layout, watchlist
        )
        self._defaults = defaults
        for name in VIEWS:
            self.add_mode(name, partial(make_view, name, self._model))

    @cached_property
    def workflows(self) -> MenuWorkflows:
        """What the keys of the program open."""
        from sectigo_tui.ui.workflows.menu import MenuWorkflows

        return MenuWorkflows(
            self,
            self._engine,
            self._model,
            self._outside,
            self._defaults,
            perform=self._runner.perform,
            show_message=self._show_copied,
            key_names=self.key_names,
            clipboard=self._copier,
            show_view=self.action_view,
        )

    @cached_property
    def drafts(self) -> dict[str, dict[str, str]]:
        """What was filled in and not sent, kept between runs; nothing secret is among it."""
        return self._model.layout.drafts

    def drafts_changed(self) -> None:
        """Have the drafts kept."""
        self._model.layout.changed()

    def on_mount(self) -> None:
        """Show the first view, then start the engine: what is on disk is seen before anything is asked for."""
        self._recall_theme()
        view = self._model.layout.view
        self.switch_mode(view if view in VIEWS else "pending")
        self._runner.listen()
        self.call_after_refresh(self._start)

    def _recall_theme(self) -> None:
        """Show the theme that was chosen live, unless another was configured since, or the terminal has few colours."""
        layout = self._model.layout
        is_current = layout.theme in PREFERENCES and layout.theme_instead_of == self._outside.theme
        if is_current and self._outside.recalls_theme and self.theme not in (MONO, SIXTEEN):
            self._show_theme(layout.theme)

    def _show_theme(self, preference: str) -> None:
        theme = PREFERENCES[preference]
        self.ansi_color = ansi_color_of(theme)
        self.theme = theme

    def on_unmount(self) -> None:
        """Keep how the screen is arranged."""
        self._layout_saver.save_now()

    def _start(self) -> None:
        if self._layout_lost is not None:
            self._runner.report("remember the screen", self._layout_lost)
        self._notifier.begin()
        self._runner.start()
        for ssl_id in self._track:
            self._runner.perform(f"track sslId {ssl_id}", self._engine.track(ssl_id))

    def _reload(self) -> None:
        if isinstance(self.screen, View):
            self.screen.reload()

    def _give_up(self, failure: Exception) -> None:
        # Whoever runs the application tells, as for whatever else ends it.
        self.fatal_error = failure
        self.exit()

    def _receive(self, received: Sequence[EngineEvent]) -> None:
        for event in received:
            self._model.errors.receive(event)
            if isinstance(event, PollingPaused):
                self.workflows.offer_rotation()
            if isinstance(event, AccountChanged) and event.ssl_id is None:
                self._hint_at_left_behind()
        self._notifier.receive(received)
        self._published.publish(received)

    def _hint_at_left_behind(self) -> None:
        """Say, once until there are more, that certctl has left orders behind: nothing else will ever poll them."""
        count = len(self._engine.certctl_orders.known())
        if count > self._left_behind and isinstance(self.screen, View):
            self._left_behind = count
            what = "An order was" if count == 1 else f"{count} orders were"
            self.screen.show_message(f"{what} left behind by certctl. {{app.menu}}: adopt tracks and collects.")

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of where the operator is in the palette."""
        for _, keys in grouped(active_keys(screen.active_bindings)):
            for key in keys:
                yield SystemCommand(
                    key.title,
                    f"{key.text} ({key.keys})" if key.keys else key.text,
                    lambda key=key: self.call_later(self.run_action, key.action, key.node),
                )

    async def action_view(self, name: str) -> None:
        """Show one of the views, its list on top."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        await self.switch_mode(name)
        self._model.layout.viewed(name)

    async def action_back(self) -> None:
        """Close what is open, go back to the first view, and from there quit."""
        screen = self.screen
        if isinstance(screen, View) and screen.has_open():
            screen.action_detail()
        elif len(self.screen_stack) > 1:
            self.pop_screen()
        elif isinstance(screen, View) and not screen.IS_TOP:
            await self.action_view("pending")
        else:
            self.exit()

    def action_workflow(self, name: str) -> None:
        """Do what a method of the workflows of this name does."""
        getattr(self.workflows, name)()

    def action_help_quit(self) -> None:
        """Say how this is left: whoever presses ctrl-c wants to."""
        names = self.key_names
        if isinstance(self.screen, ModalScreen):
            self._show_copied(
                names.fill("{dialog.cancel} closes this. Then {app.back} goes back, and quits from Pending.")
            )
        elif isinstance(self.screen, View):
            self.screen.show_message("{app.back} goes back, and quits from Pending.")
        else:
            self._show_copied(names.fill("{diagnose.leave} goes back. Then {app.back} quits from Pending."))

    def action_theme(self) -> None:
        """Show the next theme, and remember it."""
        show_message = self.screen.show_message if isinstance(self.screen, View) else self._show_copied
        if self.no_color:
            show_message("There is one theme without colours: NO_COLOR is set.")
            return
        names = list(PREFERENCES)
        shown = next((name for name in names if PREFERENCES[name] == self.theme), names[-1])
        following = names[(names.index(shown) + 1) % len(names)]
        self._show_theme(following)
        self._model.layout.themed(following, instead_of=self._outside.theme)
        show_message(f"Theme: {following}")

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text by every way there is."""
        self._clipboard = text
        self.run_worker(self._copier.copy(text), group="copy", exit_on_error=False)
        if self._copier.is_in_screen:
            sent = "Sent through GNU screen, which may not pass it on; {app.copied} shows it."
            self._show_copied(self.key_names.fill(sent))

    def _write(self, sequence: str) -> None:
        """Write to the terminal what is no picture: a bell, a notification."""
        if self._driver is not None:
            self._driver.write(sequence)

    def _show_copied(self, text: str) -> None:
        self.notify(printable(text, limit=400), markup=False)


def _keymap(outside: Outside, program: type[SectigoApp]) -> dict[str, str]:
    if not outside.keys:
        return {}
    from sectigo_tui.ui.keys.keymap import keymap_of

    return keymap_of(outside.keys, program, named_by=outside.keys_named_by)
