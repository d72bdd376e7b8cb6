"""Every failure this program knows by name.

::

    SectigoTuiError
    ├── ConfigError              a setting is wrong: key, source, reason, remedy
    │   └── PasswordCommandFailed  password_command returned no password
    ├── InputError               what the operator gave cannot be used: reason, remedy
    │   ├── NoRoom               a file cannot be written, since the disk is full or fails
    │   ├── ReadOnly             a write was asked for in read-only mode
    │   ├── OrderBusy            the order is being written to already
    │   ├── CutBundle            a collected bundle ends too early
    │   └── OtherNames           a collected certificate is for other names than the order's
    ├── StoreError               the data directory cannot be read or written
    │   ├── StoreOffline         the team's database cannot be reached; it is tried again by itself
    │   ├── DoneUnsaved          SCM has done it, and that could not be written
    │   ├── RevisionConflict     somebody else changed the order first
    │   └── DuplicateOrder       the sslId is already a local order
    ├── CertctlFailure           one call to certctl-server did not do what it should
    ├── DnsFailure               a name could not be looked up; that there is no record is an answer, not a failure
    └── ScmFailure               one call to SCM did not do what it should
        ├── Unreachable          no answer came (DNS, connection, TLS, time-out)
        ├── Unreadable           an answer came that is not the API's (HTML, torn, too large, a field missing), also
        │   │                    under 4xx: a gateway's page says nothing of SCM behind it
        │   └── UnusableRows     a listing in which some rows cannot be used; the others are
        ├── ServerFailure        5xx
        ├── RateLimited          429
        ├── CredentialsRefused   401, or calls not sent since one was seen
        │   └── RefusedBefore    not sent: SCM rejected exactly these credentials, to whichever process
        ├── NotFound             404 in SCM's own words
        └── Refused              any other 4xx, with SCM's own code
            ├── RefusedAlone     a call rejected as if the credentials were wrong, which SCM accepts elsewhere
            └── NotReady         collect: issued or approved, not retrievable yet

An order's result (issued, rejected, deadline passed) is a value, never an exception.
"""

from __future__ import annotations

import errno
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sectigo_tui.domain.orders import Order


class SectigoTuiError(Exception):
    """The root of all failures that this program raises on purpose."""


class ConfigError(SectigoTuiError):
    """A setting cannot be used.

    Args:
        key: The setting as the operator writes it, such as `sectigo.term`.
        source: Where the value came from, such as `environment CERTCTL_SECTIGO_TERM`.
        reason: What is wrong with it; never holds a secret value.
        remedy: What to write instead.
    """

    def __init__(self, *, key: str, source: str, reason: str, remedy: str) -> None:
        super().__init__(f"{key} ({source}): {reason}; {remedy}")
        self.key = key
        self.source = source
        self.reason = reason
        self.remedy = remedy


class PasswordCommandFailed(ConfigError):
    """`password_command`, or another command that prints a secret, returned none.

    Args:
        source: Where the command was configured.
        reason: What went wrong; never holds a secret value.
        may_pass: Whether it may tell one later: it failed, took too long or printed nothing. Otherwise it is a wrong
            setting: there is no such command, or what it prints can be no password.
        key: The setting that names the command.
    """

    def __init__(self, *, source: str, reason: str, may_pass: bool, key: str = "password_command") -> None:
        what = "password" if key == "password_command" else "secret"
        remedy = f"run the command by hand: it must print the {what} alone on its first line"
        super().__init__(key=key, source=source, reason=reason, remedy=remedy)
        self.may_pass = may_pass


class InputError(SectigoTuiError):
    """What the operator gave cannot be used, and nothing was done.

    Args:
        reason: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


class NoRoom(InputError):
    """A file cannot be written, since the disk is full or fails: nothing is wrong with what the operator gave."""


def missing_extra(what: str, extra: str) -> InputError:
    """Return the failure to report where packages are needed that only an extra installs.

    Args:
        what: What needs them, at the start of a sentence's rest, such as `metrics`.
        extra: The extra.
    """
    return InputError(f"{what} needs packages of the extra '{extra}'", f"pip install 'sectigo-tui[{extra}]'")


def unwritable(path: object, error: OSError, elsewhere: str) -> InputError:
    """Return the failure to report for a file that the operator asked for and that cannot be written.

    Args:
        path: The file.
        error: Why.
        elsewhere: What to do where it is the place that cannot be written to.
    """
    remedies = {
        errno.ENOSPC: "free space on its file system",
        errno.EDQUOT: "free space in your quota",
        errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
        errno.EIO: "check the disk (dmesg names it)",
    }
    remedy = remedies.get(error.errno or 0)
    if remedy is not None:
        return NoRoom(f"{path} cannot be written: {error.strerror}", f"{remedy}, then do it again")
    return InputError(f"{path} cannot be written: {error.strerror}", elsewhere)


class ReadOnly(InputError):
    """A write was asked for while writes are locked.

    Args:
        what: The write, such as `ordering`.
        remedy: How it is unlocked.
    """

    def __init__(self, what: str, remedy: str = "start without --read-only to change anything at SCM") -> None:
        super().__init__(f"{what} is locked in read-only mode", remedy)


class OrderBusy(InputError):
    """Something is being written to the order already, here or by another process; nothing was done."""


class CutBundle(InputError):
    """A collected bundle is cut off, and not used."""


class OtherNames(InputError):
    """A collected certificate is for other names than the order's, and no CSR tells that it is the one ordered."""


class StoreError(SectigoTuiError):
    """The data directory cannot be read or written.

    Args:
        path: The file concerned.
        reason: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        super().__init__(f"{path}: {reason}; {remedy}")
        self.path = path
        self.reason = reason
        self.remedy = remedy


class StoreOffline(StoreError):
    """The team's database cannot be reached, and is tried again by itself; what is known stays shown.

    Args:
        path: The database, without its password.
        reason: Why.
        since: Since when.
    """

    def __init__(self, path: str, reason: str, since: datetime) -> None:
        super().__init__(
            path, reason, "nothing is ordered, changed or polled until it is back; it is tried again by itself"
        )
        self.since = since


class DoneUnsaved(StoreError):
    """SCM has done it, but the outcome could not be saved.

    Args:
        order: The order as it is at SCM.
        error: Why it could not be written down.
    """

    def __init__(self, order: Order, error: StoreError) -> None:
        super().__init__(error.path, error.reason, error.remedy)
        self.order = order


class RevisionConflict(StoreError):
    """An order was changed by another process since it was read."""


class DuplicateOrder(StoreError):
    """The sslId is a local order already.

    Args:
        path: The store concerned.
        order_id: The local order that has the sslId.
        ssl_id: The sslId.
    """

    def __init__(self, path: str, order_id: str, ssl_id: int) -> None:
        super().__init__(path, f"sslId {ssl_id} is already local order {order_id}", "use that one")
        self.order_id = order_id
        self.ssl_id = ssl_id


class CertctlFailure(SectigoTuiError):
    """One call to certctl-server failed; nothing at SCM or here depends on it.

    Args:
        step: What was being done, such as `reading the issuer`.
        reason: What is wrong; untrusted text inside it is shown as text, and no secret is in it.
        remedy: What to do about it.
        http_status: The HTTP status, when an answer came.
        sent: Whether the request may have reached certctl-server; False only when that is certain.
    """

    def __init__(
        self, step: str, reason: str, remedy: str, *, http_status: int | None = None, sent: bool = True
    ) -> None:
        super().__init__(f"{step}: {reason}; {remedy}")
        self.step = step
        self.reason = reason
        self.remedy = remedy
        self.http_status = http_status
        self.sent = sent


class DnsFailure(SectigoTuiError):
    """A name could not be looked up, so nothing is known of its records.

    Args:
        name: The name.
        reason: What the resolver came to.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"DNS {name}: {reason}")
        self.name = name
        self.reason = reason


class ScmFailure(SectigoTuiError):
    """One call to SCM failed.

    Args:
        call: The call by name, such as `details` or `enroll`.
        reason: One line for a person; untrusted text inside it is shown as text.
        http_status: The HTTP status, when an answer came.
        code: SCM's own error code (negative, or 0), when the answer had one.
        description: SCM's own words, when the answer had them.
        sent: Whether the request may have reached SCM; False only when that is certain.
        retry_after_seconds: How long the answer asks to wait (Retry-After), never negative; None when it named
            nothing usable.
    """

    def __init__(
        self,
        call: str,
        reason: str,
        *,
        http_status: int | None = None,
        code: int | None = None,
        description: str = "",
        sent: bool = True,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{call}: {reason}")
        self.call = call
        self.reason = reason
        self.http_status = http_status
        self.code = code
        self.description = description
        self.sent = sent
        self.retry_after_seconds = retry_after_seconds


class Unreachable(ScmFailure):
    """No answer came: DNS, connection, TLS or a time-out. `sent` says whether the request may have arrived."""


class Unreadable(ScmFailure):
    """An answer came that is not the API's: HTML, empty, torn, too large, or without a field it must have."""


class UnusableRows(Unreadable):
    """Rows of a listing that cannot be used were left out of it; all others were taken."""


class ServerFailure(ScmFailure):
    """SCM, or a gateway before it, answered 5xx."""


class RateLimited(ScmFailure):
    """SCM answered 429.

    Args:
        call: The call by name.
        reason: One line for a person.
        retry_after_seconds: What the answer asked for, never negative; None when it named nothing usable.
        code: SCM's own error code, when the answer had one.
        description: SCM's own words, when the answer had them.
        sent: Whether it was sent; it is not while an earlier answer's Retry-After lasts.
    """

    def __init__(
        self,
        call: str,
        reason: str,
        *,
        retry_after_seconds: float | None = None,
        code: int | None = None,
        description: str = "",
        sent: bool = True,
    ) -> None:
        super().__init__(
            call,
            reason,
            http_status=429 if sent else None,
            code=code,
            description=description,
            sent=sent,
            retry_after_seconds=retry_after_seconds,
        )


class CredentialsRefused(ScmFailure):
    """SCM answered 401, or the call was not sent because one was seen (`sent` is False then)."""


class RefusedBefore(CredentialsRefused):
    """Nothing was sent, since SCM has rejected exactly these credentials before: another try could lock the account.

    Args:
        call: The call by name.
        at: When SCM rejected them.
        code: SCM's code then, where it told one.
    """

    def __init__(self, call: str, at: datetime, code: int | None) -> None:
        super().__init__(
            call, f"not sent: SCM refused exactly these credentials at {at:%Y-%m-%d %H:%MZ}", code=code, sent=False
        )
        self.at = at


class NotFound(ScmFailure):
    """SCM itself answered 404, with a code of its own."""


class Refused(ScmFailure):
    """SCM rejected the call with a code of its own, HTTP 400 or 403."""


class RefusedAlone(Refused):
    """SCM rejected this call as if the credentials were wrong, though it accepts them elsewhere."""


class NotReady(Refused):
    """Collect: the certificate cannot be retrieved yet. HTTP 400 with one of several codes, or an empty 200."""
