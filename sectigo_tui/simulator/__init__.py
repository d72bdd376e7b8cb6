"""The SCM API as an ASGI app with order lives and faults; shares nothing with the client in `scm`."""
