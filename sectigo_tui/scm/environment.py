"""What the environment says of the way to a server: the proxy, and the certificates that TLS trusts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import is_loopback

_SOCKS = ("socks5", "socks5h")
_KINDS = ("http", "https", *_SOCKS)
_SYSTEM = "the system's settings"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that carries requests.

    Args:
        url: Its URL, which may hold a password.
        named_by: The variable that names it, such as `HTTPS_PROXY`.
    """

    url: str = field(repr=False)
    named_by: str

    @property
    def shown(self) -> str:
        """Its URL as it may be shown: scheme, host and port."""
        return without_userinfo(self.url)

    def __str__(self) -> str:
        return f"the proxy {self.shown} ({self.named_by})"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for requests to `url`.

    Args:
        url: Where requests go.

    Returns:
        The proxy by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the system's settings, where it has
        any); None where requests go straight. A proxy is never asked for this machine itself.

    Raises:
        ConfigError: What names the proxy is no URL of one, or it is of a kind that cannot be used.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind) or ""
    if not proxy or is_loopback(host) or proxy_bypass(host):
        return None
    return _checked(proxy if "://" in proxy else f"http://{proxy}", _variable(f"{kind}_proxy"))


def without_userinfo(url: str) -> str:
    """Return a URL as it may be shown: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def _variable(name: str) -> str:
    """Return the variable that counts, which is the one in small letters where there are both."""
    return next((variable for variable in (name, name.upper()) if os.environ.get(variable)), _SYSTEM)


def _checked(url: str, variable: str) -> Proxy:
    def wrong(reason: str, remedy: str = "write http://host:port") -> ConfigError:
        return ConfigError(key=variable, source="environment", reason=reason, remedy=remedy)

    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise wrong(f"is no URL of a proxy ({_why(error)})") from None
    if scheme not in _KINDS:
        raise wrong(f"names a proxy of the kind {one_line(scheme, 20)}, which cannot be used")
    if not host or port == 0 or not host.isprintable() or any(character in " <>\\^`{|}%" for character in host):
        raise wrong("is no URL of a proxy: it names no host, or no usable port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong("is no URL of a proxy: something follows host and port")
    if scheme in _SOCKS and not _has_socks():
        raise wrong(
            f"names a SOCKS proxy, {without_userinfo(url)}, which is not supported without the extra `socks`",
            "pip install 'sectigo-tui[socks]', or name an http proxy",
        )
    return Proxy(url, variable)


def _why(error: ValueError) -> str:
    """Return what is wrong with a URL, unless it would quote what may be a password."""
    return "its port is no number from 1 to 65535" if "port" in str(error).casefold() else "its host is not valid"


def _has_socks() -> bool:
    from importlib.util import find_spec

    return find_spec("socksio") is not None


CA_FILE = "SSL_CERT_FILE"
CA_DIRECTORY = "SSL_CERT_DIR"


def check_trust() -> None:
    """Look at what `SSL_CERT_FILE`, or else `SSL_CERT_DIR`, names: TLS itself tells no name, or fails much later.

    Raises:
        ConfigError: It is not there, or cannot be read.
    """
    file, directory = os.environ.get(CA_FILE), os.environ.get(CA_DIRECTORY)
    if file:
        try:
            with Path(file).open("rb"):
                return
        except (OSError, ValueError) as error:
            raise _no_trust(CA_FILE, f"{file} cannot be read: {_words(error)}", "a file of trusted CAs (PEM)") from None
    if directory:
        try:
            os.scandir(directory).close()
        except (OSError, ValueError) as error:
            raise _no_trust(
                CA_DIRECTORY, f"{directory} cannot be read: {_words(error)}", "a directory of them"
            ) from None


def trust_named() -> str:
    """Return the variable, with its value, that names the trusted certificates; empty where none does."""
    for name in (CA_FILE, CA_DIRECTORY):
        if os.environ.get(name):
            return f"{name}={os.environ[name]}"
    return ""


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _no_trust(variable: str, reason: str, what: str) -> ConfigError:
    return ConfigError(
        key=variable, source="environment", reason=reason, remedy=f"name {what}, set ca_bundle, or unset {variable}"
    )
