"""The keys that work in every view."""

from __future__ import annotations

from textual.binding import Binding

APP_KEYS = (
    Binding("1", "view('pending')", "Pending", id="app.pending", tooltip="Pending: orders that are still pending"),
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
)
