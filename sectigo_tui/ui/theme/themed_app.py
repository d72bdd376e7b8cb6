"""What every application of this program does about its themes."""

from __future__ import annotations

from typing import TypeVar

from textual.app import App

from sectigo_tui.ui.terminal.terminal_app import TerminalApp
from sectigo_tui.ui.theme.choice import PREFERENCES, ThemeChoice, choose_theme
from sectigo_tui.ui.theme.colours import THEMES, VARIABLE_DEFAULTS

R = TypeVar("R")


class ThemedApp(TerminalApp[R]):
    """An application in this program's themes, without animations.

    Args:
        theme: The theme to start with.
    """

    def __init__(self, theme: ThemeChoice) -> None:
        super().__init__(ansi_color=theme.ansi_color)
        self.animation_level = "none"
        for each in THEMES:
            self.register_theme(each)
        if self.available_themes[theme.name].dark:
            # From the start: set as one is later, it has the style sheet read once more.
            self.set_reactive(App.theme, theme.name)
            self.stylesheet.set_variables(self.get_css_variables())
        else:
            # Textual sets its filters and classes for a dark theme as it starts.
            self.theme = theme.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return readable values of this program's own variables, for themes that do not define them."""
        return VARIABLE_DEFAULTS

    def show_theme(self, preference: str) -> None:
        """Show another theme.

        Args:
            preference: A name of `PREFERENCES`.
        """
        self.ansi_color = choose_theme({}, preference).ansi_color
        self.theme = PREFERENCES[preference]

    def show_next_theme(self) -> str:
        """Show the theme after the present one, and return what it is chosen by."""
        names = list(PREFERENCES)
        shown = next((name for name in names if PREFERENCES[name] == self.theme), names[-1])
        following = names[(names.index(shown) + 1) % len(names)]
        self.show_theme(following)
        return following
