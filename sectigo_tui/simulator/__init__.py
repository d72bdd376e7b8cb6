"""The SCM API as an ASGI app with order lives and faults; shares nothing with the client in `scm`.

The parts, from the inside out: `account` (organizations, domains, profiles), `orders` (what happens to an order, as a
pure function of time), `world` (all of it together, with a clock of its own), `ca` (real certificates),
`app` (the API over a world), `faults` (what goes wrong on demand), `server` (a real port) and `scenarios` (worlds
worth seeing).
"""
