"""Lives of the program that are cut short: forked one after another from a process that has everything loaded.

Waiting is short in them, and a life's clock may run behind the one before, as a host's that was set back.

Reads a job a line (JSON) and answers each with how its life ended: `killed`, or `done`, or what went wrong. A life
first recovers what the one before left behind, as the program does at its start, and then does its own work. It is
killed with SIGKILL before or after the N-th call of a port (SCM, the store, the credentials file), or by the clock.
"""

from __future__ import annotations

import asyncio
import dataclasses
import faulthandler
import gc
import importlib
import inspect
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sectigo_tui.config.credentials import CredentialsFile
from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.errors import CredentialsRefused, InputError, SectigoTuiError
from sectigo_tui.domain.events import EngineEvent, OrderChanged, StoreStateChanged
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine, EventSource
from sectigo_tui.engine.orders.enroll import prepared
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import Priority, RequestLimiter
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.scm.http import tls_context
from sectigo_tui.wiring.clients import credentials_of
from sectigo_tui.wiring.settings import settings_of
from sectigo_tui.wiring.store import open_store

SPEED = 20_000.0
"""Five hours of the poll schedule pass in a second."""

LOADED_FIRST = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "cryptography.hazmat.backends.openssl.backend",
    "httpcore",
    "httpcore._backends.anyio",
    "sectigo_tui.config.load",
    "sectigo_tui.engine.credentials.service",
    "sectigo_tui.engine.orders.enroll",
    "sectigo_tui.engine.orders.pending_writes",
    "sectigo_tui.engine.orders.recover",
    "sectigo_tui.engine.orders.renew",
    "sectigo_tui.engine.orders.revoke",
    "sectigo_tui.engine.orders.track",
    "sectigo_tui.pki.facts",
    "sectigo_tui.scm.http",
    "sectigo_tui.scm.http_failures",
    "sectigo_tui.store.local.journal_store",
    "sectigo_tui.store.local.snapshot",
    "sectigo_tui.store.postgres.team_store",
    "sniffio",
    "tinydb",
    "tomli_w",
)
"""What a life would load when it first needs it, once for all of them."""

LONGEST_LIFE_SECONDS = 30
"""A life that hangs ends by itself, and says where."""

KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One life.

    Args:
        number: Its number; each life begins ten minutes after the one before.
        home: Where configuration, data and the log of what was shown are.
        kind: What it does after recovering: `enroll`, `renew`, `revoke`, `change` or `nothing`.
        common_name: For which name.
        ssl_id: Which certificate.
        password: What the operator types to rotate; empty where nobody knows it.
        step: Before or after which port call it is killed; 0 for never.
        from_start: Whether calls count while it recovers, too.
        after_milliseconds: When it is killed by the clock; 0 for never.
        twin: 0 for a life alone; of two that are lived together, 1 or 2. The first is the one that is killed.
    """

    number: int
    home: str
    kind: str
    common_name: str = ""
    ssl_id: int = 0
    password: str = ""
    step: int = 0
    from_start: bool = False
    after_milliseconds: float = 0.0
    twin: int = 0


class HastyClock:
    """A clock on which waiting is short."""

    def __init__(self, number: int) -> None:
        self._base = datetime.now(UTC) + timedelta(minutes=10 * number)
        self._start = time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self.monotonic())

    def wall(self) -> datetime:
        return self.now()

    def monotonic(self) -> float:
        return (time.monotonic() - self._start) * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / SPEED)


class Fuse:
    """Kills this process at a step."""

    def __init__(self, step: int) -> None:
        self.is_armed = False
        self._left = step

    def burn(self) -> None:
        """Take one step."""
        if self.is_armed:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A port each of whose calls burns the fuse, before and after."""

    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name == "use_credentials":
            return self._around(member)
        return self._around_async(member) if inspect.iscoroutinefunction(member) else member

    def _around(self, call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: Any) -> object:
            self._fuse.burn()
            result = call(*arguments)
            self._fuse.burn()
            return result

        return step

    def _around_async(self, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def step(*arguments: Any, **named: Any) -> object:
            self._fuse.burn()
            try:
                return await call(*arguments, **named)
            finally:
                self._fuse.burn()

        return step


async def live(job: Job) -> None:
    """Live one life."""
    home, clock, event_source, fuse = Path(job.home), HastyClock(job.number), EventSource(), Fuse(job.step)
    settings = settings_of(config=home / "config.toml", data_dir=home / "data", environ={})
    shown = os.open(home / "shown.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def show(event: EngineEvent) -> None:
        match event:
            case OrderChanged(order, entry) if entry is not None:
                os.write(shown, f"{order.id} {order.revision} {order.state}\n".encode())
            case _:
                pass

    event_source.subscribe(show)
    credentials = credentials_of(settings)
    client = ScmClient(settings.sectigo.base_url, credentials, clock, observe=event_source)
    store = await open_store(settings, clock)
    store.report_errors_to(lambda error: event_source(StoreStateChanged(clock.now(), error)))
    scm = cast("Any", Deadly(client, fuse))
    context = Context(
        client=lambda: scm,
        limiter=RequestLimiter(4),
        repository=OrderRepository(cast("Any", Deadly(store, fuse)), clock, event_source),
        clock=clock,
        random=Random(f"{job.number} {job.twin}"),
        read_certificate=read_certificate,
        options=EngineOptions(),
    )
    keeper = cast("Any", Deadly(CredentialsFile(settings, clock), fuse))
    access = Access(in_use=credentials, keeper=keeper)
    engine = Engine(context, event_source, PkiTools, lambda: access)
    fuse.is_armed = job.from_start
    if not job.twin:
        # What a twin leaves is in doubt only once it has ended.
        await recover(engine, job)
    fuse.is_armed = True
    await work(engine, job)
    fuse.is_armed = False
    await store.close()
    await client.aclose()


async def recover(engine: Engine, job: Job) -> None:
    """Do what a start does, and then what an operator is asked for."""
    try:
        await engine.credentials.settle()
    except InputError:
        # Both passwords were being tried when the life before ended: the operator has them tried once more.
        await engine.credentials.settle(again=True)
    try:
        await engine.context.limiter.run(Priority.WRITE, engine.context.scm.types)
    except CredentialsRefused:
        if not job.password:
            raise
        await engine.credentials.rotate("", SecretText(job.password))
    in_doubt = (OrderState.INTENT, OrderState.UNCONFIRMED, OrderState.REVOKING)
    for order in engine.context.repository.store.orders():
        if order.state in in_doubt:
            await engine.pending_writes.until_settled(order.id)
    for order in engine.recovery.undecided():
        if job.number % 2:
            await engine.recovery.order_again(order.id)
        else:
            await engine.recovery.give_up(order.id)


async def work(engine: Engine, job: Job) -> None:
    """Do this life's own work to its end."""
    order_id = ""
    try:
        if job.kind == "enroll if alone":
            order_id = await enroll_if_alone(engine, a_request(job.common_name))
        elif job.kind == "enroll":
            order_id = (await engine.enrolling.enroll(a_request(job.common_name))).order.id
        elif job.kind == "renew":
            order_id = (await engine.renewing.renew(job.ssl_id)).order.id
        elif job.kind == "revoke":
            order_id = (await engine.revoking.revoke(job.ssl_id, 1, "leaked", job.common_name)).id
        elif job.kind == "change":
            await engine.credentials.change()
    except SectigoTuiError as failure:
        sys.stderr.write(f"{job.kind}: {failure}\n")
    if order_id:
        await engine.pending_writes.until_settled(order_id)


async def enroll_if_alone(engine: Engine, wanted: EnrollRequest) -> str:
    """Order what nobody has ordered, as a command does without `--allow-duplicate`; return the order's id."""
    found = await engine.enrolling.duplicates(wanted)
    return (await engine.enrolling.enroll(wanted, since=found)).order.id if found.is_clear else ""


def a_request(common_name: str) -> EnrollRequest:
    """Return what is ordered."""
    pem = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .sign(KEY, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    tools = PkiTools()
    request = EnrollRequest(organization_id=1001, profile_id=502, term_days=199)
    return prepared(request, tools.read_csr(pem), tools)


def lives_of(job: Job) -> str:
    """Live one life, or two together, and return how the first ended; the second is to come to its end."""
    if not job.twin:
        return ended(job, begun(job))
    first, second = begun(job), begun(dataclasses.replace(job, twin=2, step=0))
    second_ended = ended(dataclasses.replace(job, twin=2), second)
    first_ended = ended(job, first)
    return first_ended if second_ended == "done" else second_ended


def begun(job: Job) -> int:
    """Fork, live in the child, and return the child."""
    child = os.fork()
    if child == 0:
        try:
            faulthandler.dump_traceback_later(LONGEST_LIFE_SECONDS, exit=True)
            asyncio.run(live(job))
        except BaseException:  # noqa: BLE001 - the test is told what went wrong, and this process ends here
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def ended(job: Job, child: int) -> str:
    """Wait for the end of a life, and return how it ended."""
    if job.after_milliseconds:
        signal.sigtimedwait({signal.SIGCHLD}, job.after_milliseconds / 1000)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    signal.sigtimedwait({signal.SIGCHLD}, 0)
    code = os.waitstatus_to_exitcode(status)
    return {0: "done", -signal.SIGKILL: "killed"}.get(code, f"ended with {code}")


if __name__ == "__main__":
    for module in LOADED_FIRST:
        importlib.import_module(module)
    tls_context(None)
    gc.freeze()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    for line in sys.stdin:
        sys.stdout.write(lives_of(Job(**json.loads(line))) + "\n")
        sys.stdout.flush()
