"""What the application's keys open over a view: dialogs, other screens, and what many steps lead through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual.command import CommandPalette

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.presentation.rows import OrderRow, local_id
from sectigo_tui.presentation.text import LONGEST_LINE_CHARACTERS, printable
from sectigo_tui.ui.keys.active_keys import active_keys
from sectigo_tui.ui.keys.key_names import KeyNames
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.terminal.clipboard import Clipboard
from sectigo_tui.ui.terminal.terminal_app import TerminalApp
from sectigo_tui.ui.workflows.rotate import RotationPrompt
from sectigo_tui.ui.workflows.runner import WorkflowRunner
from sectigo_tui.ui.workflows.workflow import Defaults, Workflow

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.engine.diagnosis.evidence.known import Target
    from sectigo_tui.engine.diagnosis.verdict import Verdict
    from sectigo_tui.engine.engine import Engine
    from sectigo_tui.ui.dialogs.menu import MenuItem
    from sectigo_tui.ui.engine_runner import Perform
    from sectigo_tui.ui.keys.palette import Entry
    from sectigo_tui.ui.screens.view import ViewModel

STARTED_READ_ONLY = "locked: started with --read-only"


class MenuWorkflows:
    """Opens dialogs and screens for the orders that are marked, or under the cursor, on the screen that is shown.

    Args:
        app: The application.
        engine: Everything the program can do.
        model: What the views show.
        outside: What is reached besides the engine.
        defaults: What the configuration says of orders placed here.
        perform: Does what takes long, and reports how it fails.
        show_message: Says that something was done.
        key_names: The keys as the operator has them.
        clipboard: Knows what was copied last.
        show_view: Shows a view, by name.
    """

    def __init__(
        self,
        app: TerminalApp[str],
        engine: Engine,
        model: ViewModel,
        outside: Outside,
        defaults: Defaults,
        *,
        perform: Perform,
        show_message: Callable[[str], None],
        key_names: KeyNames,
        clipboard: Clipboard,
        show_view: Callable[[str], Awaitable[None]],
    ) -> None:
        runner = WorkflowRunner(app, self._workflow_ended)
        self.workflow = Workflow(
            engine,
            runner.ask,
            runner.during,
            show_message,
            app.copy_to_clipboard,
            model.surroundings,
            defaults,
            self._unmark,
            chosen=lambda form: model.layout.choices.get(form, {}),
            remember=model.layout.chose,
            show_order=self._show_order,
            outside=outside,
        )
        self._app = app
        self._engine = engine
        self._model = model
        self._outside = outside
        self._perform: Perform = lambda what, workflow: perform(what, runner.lead(workflow))
        self._show_message = show_message
        self._key_names = key_names
        self._clipboard = clipboard
        self._show_view = show_view
        self._offer = RotationPrompt(
            app, is_wanted=self._must_rotate, is_busy=lambda: runner.is_leading, offer=self._offer_rotation
        )

    def menu(self) -> None:
        """Offer what can be done with the marked orders, or the one under the cursor."""
        from sectigo_tui.ui.dialogs.menu import Menu

        rows = self._chosen()
        if rows is None:
            return
        items = self._menu_items(rows)

        def run_action(chosen: str | None) -> None:
            if chosen is not None:
                self._run_action(chosen, rows)

        # Pushed at once, not from a worker: keys typed after this one reach the menu, and not the list below it.
        self._app.push_screen(Menu(f"Actions: {_about(rows)}", items), run_action)

    def menu_entries(self) -> list[Entry]:
        """Return the actions of the menu for the palette, which stands over where they are meant."""
        from sectigo_tui.ui.keys.palette import entries_of_menu

        rows = self._chosen()
        if rows is None:
            return []
        items = self._menu_items(rows)
        return entries_of_menu(items, _about(rows), lambda chosen: self._run_action(chosen, rows), self._show_message)

    async def profile_entries(self) -> list[Entry]:
        """Return the other profiles for the palette."""
        from sectigo_tui.ui.keys.palette import entries_of_profiles
        from sectigo_tui.ui.workflows.profile import go_on_with

        def go_on(name: str) -> None:
            self._perform("switch the profile", go_on_with(self.workflow, self._outside, name, self._app.exit))

        try:
            profiles = await asyncio.to_thread(self._outside.profiles)
        except ConfigError:
            return []  # choosing a profile by its key tells what is wrong
        return entries_of_profiles(profiles, self._model.surroundings.profile, go_on)

    def diagnose(self) -> None:
        """Diagnose the order under the cursor."""
        from sectigo_tui.ui.screens.diagnose import Diagnose
        from sectigo_tui.ui.workflows.export import escalate

        row, diagnoser = self._row(), self._model.now.diagnoser()
        if diagnoser is not None and row is not None and row.target is not None:
            screen = Diagnose(self._model, row, diagnoser, lambda diagnosis: escalate(self.workflow, diagnosis))
            self._app.push_screen(screen)

    def escalate(self) -> None:
        """Hand over the facts of the order under the cursor, for the CA's support."""
        row = self._row()
        if row is not None and row.target is not None:
            self._perform("escalation pack", self._escalate(row.target))

    def handover(self) -> None:
        """Hand over all that is open, for the next shift."""
        from sectigo_tui.ui.workflows.export import hand_over

        self._perform("handover", hand_over(self.workflow, self._model.order_rows))

    def longer(self) -> None:
        """Poll the marked orders, or the one under the cursor, for as long as the operator chooses."""
        from sectigo_tui.ui.workflows.orders import poll_longer

        self._perform("poll longer", poll_longer(self.workflow, self._chosen() or ()))

    def message(self) -> None:
        """Write to whoever blocks the marked orders, or the one under the cursor."""
        from sectigo_tui.ui.workflows.message import write_message

        self._perform("message", write_message(self.workflow, self._chosen() or ()))

    def note(self) -> None:
        """Write a note on the marked orders, or the one under the cursor."""
        from sectigo_tui.ui.workflows.people import note

        self._perform("note", note(self.workflow, self._chosen() or ()))

    def own(self) -> None:
        """Take the marked orders or the one under the cursor, or give them to somebody."""
        from sectigo_tui.ui.workflows.people import own

        self._perform("owner", own(self.workflow, self._chosen() or ()))

    def causes(self) -> None:
        """Show what many orders wait for together, and list those of one cause."""
        self._perform("common causes", self._list_cause())

    def export(self) -> None:
        """Save the table, the order under the cursor, or a picture of the screen."""
        from sectigo_tui.ui.workflows.export import documents, export

        view = self._app.screen
        if isinstance(view, View):
            missing = view.table.row_count - len(view.table.loaded_ids)
            loads = self._key_names.fill("{view.load_all} loads all.")
            note = f"{missing:,} rows are not loaded, and left out: {loads}" if missing else ""
            choices = documents(view, self._model, self._app.export_screenshot)
            self._perform("export", export(self.workflow, choices, self._outside.write_file, note=note))

    def copied(self) -> None:
        """Show what was copied last, to select it where copying does not reach the clipboard."""
        from sectigo_tui.ui.dialogs.confirm import Reading

        lines = [printable(line, limit=LONGEST_LINE_CHARACTERS) for line in self._clipboard.last.splitlines()]
        note = "To select, where it did not reach the clipboard:" if lines else "Nothing was copied yet."
        self._app.push_screen(Reading("Copied", note, "\n".join(lines)))

    def offer_rotation(self) -> None:
        """Ask for new credentials, as soon as nothing else is being asked."""
        self._offer.refused()

    def profile(self) -> None:
        """Choose another profile; this one is left only when the other can be opened."""
        from sectigo_tui.ui.workflows.profile import switch_profile

        self._perform("switch the profile", switch_profile(self.workflow, self._outside, self._app.exit))

    def arm(self) -> None:
        """Arm writes for a limited time where the profile is read-only, or lock them again."""
        from sectigo_tui.ui.workflows.profile import arm_writes

        self._perform("arm writes", arm_writes(self.workflow))

    def help(self) -> None:
        """Show what stands under the cursor or the mouse means, and the keys of where the operator is."""
        from sectigo_tui.ui.dialogs.dialog import Dialog
        from sectigo_tui.ui.screens.help import Help

        screen = self._app.screen
        keys = active_keys(screen.active_bindings)
        meanings = screen.meanings() if isinstance(screen, View) else ()
        is_of_dialog = isinstance(screen, Dialog)
        self._app.push_screen(Help(keys, self._model.now.glyphs, is_of_dialog=is_of_dialog, meanings=meanings))

    def _menu_items(self, rows: Sequence[OrderRow]) -> Sequence[MenuItem]:
        from sectigo_tui.ui.workflows.actions import menu_items

        view = next((screen for screen in reversed(self._app.screen_stack) if isinstance(screen, View)), None)
        recommended = view.recommended([row.row_id for row in rows]) if view is not None else ("", "")
        return menu_items(rows, locked=self._locked(), verdicts=self._verdicts(rows), recommended=recommended)

    def _verdicts(self, rows: Sequence[OrderRow]) -> list[Verdict]:
        """Return who orders wait for, by what is known."""
        diagnoser = self._model.now.diagnoser()
        if diagnoser is None:
            return []
        return [diagnoser.cheap(row.target) for row in rows if row.is_open and row.target is not None]

    def _locked(self) -> str:
        """Return why nothing is changed at SCM now, and what unlocks it; empty when nothing is locked."""
        if not self._engine.is_read_only:
            return ""
        return (
            self._key_names.fill("locked: {app.arm} arms writes") if self._engine.options.may_arm else STARTED_READ_ONLY
        )

    def _workflow_ended(self) -> None:
        self._offer.check_soon()

    def _must_rotate(self) -> bool:
        return self._engine.rejection is not None

    def _offer_rotation(self) -> None:
        from sectigo_tui.ui.workflows.rotate import rotate

        self._perform("rotate the credentials", rotate(self.workflow, by_itself=True))

    def _run_action(self, action_id: str, rows: Sequence[OrderRow]) -> None:
        from sectigo_tui.ui.workflows.actions import action_of

        action = action_of(action_id)
        self._perform(action.title, action.run(self.workflow, rows))

    def _chosen(self) -> list[OrderRow] | None:
        """Return the marked orders, or the one under the cursor; None where there is no list of orders."""
        from sectigo_tui.ui.screens.diagnose import Diagnose

        screen = next((each for each in reversed(self._app.screen_stack) if not isinstance(each, CommandPalette)), None)
        if isinstance(screen, View):
            marked = [screen.order_row_of(row_id) for row_id in sorted(screen.table.marks)]
            return marked or ([screen.row] if screen.row is not None else [])
        return [screen.row] if isinstance(screen, Diagnose) else None

    def _unmark(self, done: Iterable[int | str]) -> None:
        """Take the marks of orders away for which it was done; what failed stays marked, to be tried again."""
        ids = set(done)
        for screen in self._app.screen_stack:
            if isinstance(screen, View):
                screen.unmark(
                    row_id
                    for row_id in screen.table.marks
                    if (row := screen.order_row_of(row_id)).ssl_id in ids
                    or (row.order is not None and row.order.id in ids)
                )

    async def _show_order(self, order: Order) -> None:
        """Put the cursor on an order: in the list that is shown, else among the pending ones."""
        row_id = local_id(order)
        view = self._app.screen
        if isinstance(view, View) and view.LISTS_ORDERS:
            view.reload()
        if not (isinstance(view, View) and view.table.move_to_id(row_id)):
            await self._show_view("pending")
            view = self._app.screen
            if isinstance(view, View):
                view.reload()
                view.table.move_to_id(row_id)

    async def _escalate(self, target: Target) -> None:
        from sectigo_tui.ui.workflows.export import escalate

        work = self._engine.diagnoser.diagnose(target)
        diagnosis = await self.workflow.during("Gathering the evidence ...", work, can_stop=True)
        if diagnosis is not None:
            await escalate(self.workflow, diagnosis)

    async def _list_cause(self) -> None:
        from sectigo_tui.ui.workflows.common_causes import choose_cause

        query = await choose_cause(self.workflow, self._model.order_rows)
        if query:
            await self._show_view("pending")
            view = self._app.screen
            if isinstance(view, View):
                view.use_filter(query)

    def _row(self) -> OrderRow | None:
        return self._app.screen.row if isinstance(self._app.screen, View) else None


def _about(rows: Sequence[OrderRow]) -> str:
    return f"{len(rows)} marked orders" if len(rows) > 1 else "".join(map(_named, rows)) or "no order"


def _named(row: OrderRow) -> str:
    return f"{row.ssl_id or '-'} {row.common_name}"
