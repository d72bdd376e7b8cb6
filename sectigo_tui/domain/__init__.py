"""Orders, states, events, failures and ports: what every other layer speaks, in the standard library and msgspec."""
