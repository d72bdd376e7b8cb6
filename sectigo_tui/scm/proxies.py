"""Which proxy the environment asks for: decided in one place, so that what is shown is what is used."""

from __future__ import annotations

from urllib.parse import urlsplit

from sectigo_tui.domain.http import is_loopback


def proxy_for(url: str) -> str:
    """Return the proxy's URL, which may hold a password, for requests to `url`.

    Args:
        url: Where requests go.

    Returns:
        The URL by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the system's settings, where it has
        any); empty where requests go straight. A proxy is never asked for this machine itself.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or is_loopback(host) or proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def without_userinfo(url: str) -> str:
    """Return a URL as it may be shown: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
