"""The dialogs that lead to one service call."""
