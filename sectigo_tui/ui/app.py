"""The Textual application: it runs the engine, and shows its views."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ScreenStackError, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider
from textual.screen import Screen
from textual.signal import Signal

from sectigo_tui.domain.errors import ConfigError, InputError, SectigoTuiError
from sectigo_tui.domain.events import Announcement, FailureReported, PollingPaused
from sectigo_tui.engine.engine import Engine
from sectigo_tui.ui.attention import Attention
from sectigo_tui.ui.attention_alarm import Alarm
from sectigo_tui.ui.board import Board, Subject
from sectigo_tui.ui.clipboard import Clipboard
from sectigo_tui.ui.columns import Now
from sectigo_tui.ui.glyphs import Glyphs
from sectigo_tui.ui.key_names import KeyNames
from sectigo_tui.ui.keys import active_keys, grouped
from sectigo_tui.ui.memory_saving import MemorySaver
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.plain import use_shapes
from sectigo_tui.ui.screens.pending import PendingView
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.steady import SteadyApp
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.theme import MONO, PREFERENCES, SIXTEEN, THEMES, VARIABLE_DEFAULTS, ThemeChoice, choose_theme
from sectigo_tui.ui.troubles import Troubles
from sectigo_tui.ui.view_model import Surroundings, Use, ViewModel

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.knowledge import Target
    from sectigo_tui.ui.flows.flow import Defaults, Flow
    from sectigo_tui.ui.palette import Entry

# Dialogs, flows and the other views are imported when they are asked for: the first paint waits for none of them.

GATHER_SECONDS = 0.05
"""Announcements within this time reach the screens together."""
LONGEST_LINE = 4_000


def _more_commands() -> type[Provider]:
    from sectigo_tui.ui.palette import MoreCommands

    return MoreCommands


class SectigoApp(SteadyApp[str]):
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
    COMMANDS = SteadyApp.COMMANDS | {_more_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view('pending')", "Pending", id="app.pending", tooltip="Pending: what is not a certificate yet"),
        Binding("2", "view('local')", "Local", id="app.local", tooltip="Local: orders placed or adopted here"),
        Binding("3", "view('remote')", "Remote", id="app.remote", tooltip="Remote: the whole account"),
        Binding("4", "view('events')", "Events", id="app.events", tooltip="Events: what happened, and what failed"),
        Binding("5", "view('budget')", "Budget", id="app.budget", tooltip="Budget: what is polled next, and why then"),
        Binding("D", "diagnose", "Diagnose", id="app.diagnose", tooltip="Who it waits for, is that normal, what next"),
        Binding("E", "escalate", "Escalate", show=False, id="app.escalate", tooltip="Facts for the CA's support"),
        Binding("H", "handover", "Handover", show=False, id="app.handover", tooltip="What is open, for the next shift"),
        Binding("C", "causes", "Causes", show=False, id="app.causes", tooltip="What many orders wait for together"),
        Binding("e", "export", "Export", show=False, id="app.export", tooltip="Save table, order or screen in a file"),
        Binding("Y", "copied", "Copied", show=False, id="app.copied", tooltip="Show what was copied, to select it"),
        Binding("T", "theme", "Theme", show=False, id="app.theme", tooltip="The next theme: dark, light, ..."),
        Binding("P", "profile", "Profile", show=False, id="app.profile", tooltip="Go on with another profile"),
        Binding("A", "arm", "Arm writes", show=False, id="app.arm", tooltip="Arm writes for 5 minutes, or lock them"),
        Binding("a", "menu", "Actions", id="app.menu", tooltip="Enroll, approve, collect, renew, revoke, rotate ..."),
        Binding(
            "colon",
            "command_palette",
            "Palette",
            key_display=": ^p",
            show=False,
            id="app.palette",
            tooltip="Every action, by name",
        ),
        Binding("question_mark", "help", "Help", key_display="?", id="app.help", tooltip="The keys of this view"),
        Binding("q", "back", "Back", id="app.back", tooltip="Go back; from the first view, quit"),
    ]

    def __init__(
        self,
        engine: Engine,
        surroundings: Surroundings,
        *,
        glyphs: Glyphs,
        theme: ThemeChoice,
        refresh_seconds: float,
        defaults: Defaults,
        track: Sequence[int] = (),
        outside: Outside | None = None,
        connect: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._outside = outside = outside or Outside()
        super().__init__(ansi_color=theme.ansi_color)
        self._connect = connect
        self._connected = asyncio.Event()
        keymap = _keymap(outside, type(self))
        self.set_keymap(keymap)
        self.key_names = KeyNames(keymap)
        self._copier = Clipboard(outside.environ, outside.run, super().copy_to_clipboard)
        self.animation_level = "none"
        use_shapes(self, glyphs)
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme.name
        self._track = track
        self._engine = engine
        self._announced: Signal[Sequence[Announcement]] = Signal(self, "announced")
        self._heard: list[Announcement] = []
        self._refresh_seconds = refresh_seconds
        now = Now(
            clock=engine.context.clock,
            glyphs=glyphs,
            refresh_seconds=refresh_seconds,
            is_looking=engine.supervisor.is_looking,
            is_paused=lambda: engine.context.gate.refusal is not None,
            diagnoser=lambda: engine.diagnoser if self._connected.is_set() else None,
        )
        board = Board(engine)
        attention = Attention(board)
        self._memory = MemorySaver(outside.keeper, self.set_timer, self._report)
        self._memory_lost = self._memory.load()
        self._memory.attend(attention)
        self._alarm = Alarm(attention, engine, outside, self._write, self._perform)
        self._model = ViewModel(
            board, now, self._announced, surroundings, Troubles(), self._perform, self._memory.memory, attention
        )
        self._surroundings, self._defaults = surroundings, defaults
        for name, view in _VIEWS.items():
            self.add_mode(name, partial(view, self._model))

    @cached_property
    def _flow(self) -> Flow:
        from sectigo_tui.ui.flows.flow import Flow
        from sectigo_tui.ui.host import FlowHost

        host = FlowHost(self)
        return Flow(
            self._engine,
            host.ask,
            host.during,
            self._say_done,
            self.copy_to_clipboard,
            self._surroundings,
            self._defaults,
        )

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return readable values of this program's own variables, for themes that do not define them."""
        return VARIABLE_DEFAULTS

    def on_mount(self) -> None:
        """Show the first view, then start the engine: what is on disk is seen before anything is asked for."""
        self._recall_theme()
        view = self._model.memory.view
        self.switch_mode(view if view in _VIEWS else "pending")
        self._engine.announcer.subscribe(self._hear)
        self.call_after_refresh(self._start)

    def _recall_theme(self) -> None:
        """Show the theme that was chosen live, unless another was configured since, or the terminal has few colours."""
        memory = self._model.memory
        is_current = memory.theme in PREFERENCES and memory.theme_instead_of == self._outside.theme
        if is_current and self._outside.recalls_theme and self.theme not in (MONO, SIXTEEN):
            self._show_theme(memory.theme)

    def on_unmount(self) -> None:
        """Keep how the screen is arranged."""
        self._memory.save_now()

    def _start(self) -> None:
        if self._memory_lost is not None:
            self._report("remember the screen", self._memory_lost)
        self._alarm.begin()
        self.run_worker(self._run_engine(), group="engine", exit_on_error=False, name="engine")
        for ssl_id in self._track:
            self._perform(f"track sslId {ssl_id}", self._engine.track(ssl_id))

    async def _run_engine(self) -> None:
        """Run the engine; the boundary at which a defect of it is reported, for its workers would die unseen."""
        try:
            if self._connect is not None:
                await self._connect()
            self._connected.set()
            if isinstance(self.screen, View):
                self.screen.reload()
            await self._engine.run(self._refresh_seconds)
        except (ConfigError, InputError) as failure:
            # Whoever runs the application tells, as for whatever else ends it.
            self.defect = failure
            self.exit()
        except Exception as defect:  # noqa: BLE001 - the named boundary: a dead engine must not look like a quiet one
            self._report("the engine stopped, restart the program", defect)

    def _hear(self, announcement: Announcement) -> None:
        if not self._heard:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._tell)
        self._heard.append(announcement)

    def _tell(self) -> None:
        heard, self._heard = self._heard, []
        for announcement in heard:
            self._model.troubles.hear(announcement)
            if isinstance(announcement, PollingPaused):
                self._offer_rotation()
        self._alarm.hear(heard)
        self._announced.publish(heard)

    def _perform(self, what: str, use: Use) -> None:
        self.run_worker(self._use(what, use), group="use", exit_on_error=False, name=what)

    async def _use(self, what: str, use: Use) -> None:
        try:
            await self._connected.wait()
        except asyncio.CancelledError:
            use.close()
            raise
        try:
            await use
        except SectigoTuiError as failure:
            self._report(what, failure)
        except Exception as defect:  # noqa: BLE001 - the named boundary of a key's action: reported, never swallowed
            self._report(f"{what} (a defect of this program)", defect)

    def _report(self, what: str, failure: Exception) -> None:
        self._engine.announcer(FailureReported(self._engine.context.clock.now(), what, failure))

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
        self._model.memory.viewed(name)

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

    def action_menu(self) -> None:
        """Offer what can be done with the marked orders, or the one under the cursor."""
        from sectigo_tui.ui.actions import menu_items
        from sectigo_tui.ui.dialogs.menu import Menu

        subjects = self._chosen()
        if subjects is None:
            return
        items = menu_items(subjects, read_only=self._engine.context.is_read_only)

        def act(chosen: str | None) -> None:
            if chosen is not None:
                self._act(chosen, subjects)

        # Pushed at once, not from a worker: keys typed after this one reach the menu, and not the list below it.
        self.push_screen(Menu(f"Actions: {_about(subjects)}", items), act)

    def menu_entries(self) -> list[Entry]:
        """Return the actions of the menu for the palette, which stands over where they are meant."""
        from sectigo_tui.ui.actions import menu_items
        from sectigo_tui.ui.palette import entries_of_menu

        subjects = self._chosen()
        if subjects is None:
            return []
        items = menu_items(subjects, read_only=self._engine.context.is_read_only)
        return entries_of_menu(items, _about(subjects), lambda chosen: self._act(chosen, subjects), self._say_done)

    async def profile_entries(self) -> list[Entry]:
        """Return the other profiles for the palette."""
        from sectigo_tui.ui.flows.profile import go_on_with
        from sectigo_tui.ui.palette import entries_of_profiles

        def go_on(name: str) -> None:
            self._perform("switch the profile", go_on_with(self._flow, self._outside, name, self.exit))

        try:
            profiles = await asyncio.to_thread(self._outside.profiles)
        except ConfigError:
            return []  # choosing a profile by its key tells what is wrong
        return entries_of_profiles(profiles, self._surroundings.profile, go_on)

    def _act(self, action_id: str, subjects: Sequence[Subject]) -> None:
        from sectigo_tui.ui.actions import action_of

        action = action_of(action_id)
        self._perform(action.title, action.run(self._flow, subjects))

    def _chosen(self) -> list[Subject] | None:
        """Return the marked orders, or the one under the cursor; None where there is no list of orders."""
        from sectigo_tui.ui.screens.diagnose import Diagnose

        screen = next((each for each in reversed(self.screen_stack) if not isinstance(each, CommandPalette)), None)
        if isinstance(screen, View):
            marked = [screen.subject_of(row_id) for row_id in sorted(screen.table.marks)]
            return marked or ([screen.subject] if screen.subject is not None else [])
        return [screen.subject] if isinstance(screen, Diagnose) else None

    def action_diagnose(self) -> None:
        """Diagnose the order under the cursor."""
        from sectigo_tui.ui.flows.escalate import escalate
        from sectigo_tui.ui.screens.diagnose import Diagnose

        subject = self._subject() if self._connected.is_set() else None
        if subject is not None and subject.target is not None:
            screen = Diagnose(
                self._model, subject, self._engine.diagnoser, lambda diagnosis: escalate(self._flow, diagnosis)
            )
            self.push_screen(screen)

    def action_escalate(self) -> None:
        """Hand over the facts of the order under the cursor, for the CA's support."""
        subject = self._subject()
        if subject is not None and subject.target is not None:
            self._perform("escalation pack", self._escalate(subject.target))

    async def _escalate(self, target: Target) -> None:
        from sectigo_tui.ui.flows.escalate import escalate

        work = self._engine.diagnoser.diagnose(target)
        diagnosis = await self._flow.during("Gathering the evidence ...", work, can_stop=True)
        if diagnosis is not None:
            await escalate(self._flow, diagnosis)

    def action_handover(self) -> None:
        """Hand over all that is open, for the next shift."""
        from sectigo_tui.ui.flows.escalate import hand_over

        self._perform("handover", hand_over(self._flow, self._model.board))

    def action_causes(self) -> None:
        """Show what many orders wait for together, and list those of one cause."""
        self._perform("common causes", self._list_cause())

    async def _list_cause(self) -> None:
        from sectigo_tui.ui.flows.causes import choose_cause

        query = await choose_cause(self._flow, self._model.board)
        if query:
            await self.action_view("pending")
            view = self.screen
            if isinstance(view, View):
                view.use_filter(query)

    def action_export(self) -> None:
        """Save the table, the order under the cursor, or a picture of the screen."""
        from sectigo_tui.ui.export_documents import documents
        from sectigo_tui.ui.flows.export import export

        view = self.screen
        if isinstance(view, View):
            missing = view.table.row_count - len(view.table.loaded_ids)
            loads = self.key_names.fill("{view.load_all} loads all.")
            note = f"{missing:,} rows are not loaded, and left out: {loads}" if missing else ""
            choices = documents(view, self._model, self.export_screenshot)
            self._perform("export", export(self._flow, choices, self._outside.write_file, note=note))

    def action_copied(self) -> None:
        """Show what was copied last, to select it where copying does not reach the clipboard."""
        from sectigo_tui.ui.dialogs.reading import Reading

        lines = [printable(line, limit=LONGEST_LINE) for line in self._copier.last.splitlines()]
        note = "To select, where it did not reach the clipboard:" if lines else "Nothing was copied yet."
        self.push_screen(Reading("Copied", note, "\n".join(lines)))

    def action_theme(self) -> None:
        """Show the next theme, and remember it."""
        say = self.screen.say if isinstance(self.screen, View) else self._say_done
        if self.no_color:
            say("There is one theme without colours: NO_COLOR is set.")
            return
        names = list(PREFERENCES)
        shown = next((name for name in names if PREFERENCES[name] == self.theme), names[-1])
        following = names[(names.index(shown) + 1) % len(names)]
        self._show_theme(following)
        self._model.memory.themed(following, instead_of=self._outside.theme)
        say(f"Theme: {following}")

    def _show_theme(self, preference: str) -> None:
        self.ansi_color = choose_theme({}, preference).ansi_color
        self.theme = PREFERENCES[preference]

    def _subject(self) -> Subject | None:
        return self.screen.subject if isinstance(self.screen, View) else None

    def _offer_rotation(self) -> None:
        from sectigo_tui.ui.flows.rotate import rotate

        if len(self.screen_stack) == 1 and not self._engine.context.is_read_only:
            self._perform("rotate the credentials", rotate(self._flow, by_itself=True))

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text by every way there is."""
        self.run_worker(self._copier.copy(text), group="copy", exit_on_error=False)

    def _write(self, sequence: str) -> None:
        """Write to the terminal what is no picture: a bell, a notification."""
        if self._driver is not None:
            self._driver.write(sequence)

    def _say_done(self, text: str) -> None:
        self.notify(printable(text, limit=400), markup=False)

    async def on_event(self, event: events.Event) -> None:
        """Drop keys that were typed before the dialog they would answer could be seen."""
        if not (isinstance(event, events.Key) and self._is_early(event)):
            await super().on_event(event)

    def _is_early(self, key: events.Key) -> bool:
        from sectigo_tui.ui.dialogs.dialog import Dialog

        try:
            screen = self.screen
        except ScreenStackError:
            return False
        return isinstance(screen, Dialog) and screen.is_early(key)

    def action_profile(self) -> None:
        """Choose another profile; this one is left only when the other can be opened."""
        from sectigo_tui.ui.flows.profile import switch_profile

        self._perform("switch the profile", switch_profile(self._flow, self._outside, self.exit))

    def action_arm(self) -> None:
        """Arm writes for a limited time where the profile is read-only, or lock them again."""
        from sectigo_tui.ui.flows.profile import arm_writes

        self._perform("arm writes", arm_writes(self._flow))

    def action_help(self) -> None:
        """Show the keys of where the operator is."""
        from sectigo_tui.ui.screens.help import Help

        self.push_screen(Help(active_keys(self.screen.active_bindings), self._model.now.glyphs))


def _about(subjects: Sequence[Subject]) -> str:
    return f"{len(subjects)} marked orders" if len(subjects) > 1 else "".join(map(_named, subjects)) or "no order"


def _named(subject: Subject) -> str:
    return f"{subject.ssl_id or '-'} {subject.common_name}"


def _keymap(outside: Outside, program: type[SectigoApp]) -> dict[str, str]:
    if not outside.keys:
        return {}
    from sectigo_tui.ui.keymap import keymap_of

    return keymap_of(outside.keys, program, named_by=outside.keys_named_by)


def _local(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.local import LocalView

    return LocalView(model)


def _remote(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.remote import RemoteView

    return RemoteView(model)


def _events(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.events import EventsView

    return EventsView(model)


def _budget(model: ViewModel) -> View:
    from sectigo_tui.ui.screens.budget import BudgetView

    return BudgetView(model)


_VIEWS: dict[str, Callable[[ViewModel], View]] = {
    "pending": PendingView,
    "local": _local,
    "remote": _remote,
    "events": _events,
    "budget": _budget,
}
