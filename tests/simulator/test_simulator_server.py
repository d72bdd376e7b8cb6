"""The simulator as a program: a port, the lines that reach it, and its end."""

from __future__ import annotations

import builtins
import io
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from simulated import new_world

from sectigo_tui.simulator.server import MissingExtraError, run_simulator, running, served

PROGRAM = """
import sys
from sectigo_tui.simulator.server import run_simulator
sys.exit(run_simulator(port=0, scenario="demo", faults=["rate-limit path=customFields"], out=sys.stdout))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_how_to_reach_it_and_ends_when_it_is_told_to(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(6)]
        exported = dict(line.removeprefix("export CERTCTL_SECTIGO_").split("=", 1) for line in lines)
        assert set(exported) == {"CUSTOMER_URI", "LOGIN", "PASSWORD", "ORG_ID", "CERT_TYPE", "BASE_URL"}
        headers = {
            "customerUri": exported["CUSTOMER_URI"],
            "login": exported["LOGIN"],
            "password": exported["PASSWORD"],
        }
        with httpx.Client(base_url=exported["BASE_URL"], headers=headers) as scm:
            assert int(exported["CERT_TYPE"]) in [one["id"] for one in scm.get("/ssl/v1/types").json()]
            assert int(exported["ORG_ID"]) in [one["id"] for one in scm.get("/organization/v1").json()]
            assert scm.get("/ssl/v1/customFields").status_code == 429
            process.send_signal(number)
            assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("wrong", [{"scenario": "nonsense"}, {"faults": ["earthquake"]}])
def test_what_the_program_does_not_know_is_refused_before_it_serves(wrong: dict[str, object]) -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match=r"no (scenario|fault) is called"):
        run_simulator(out=out, **wrong)  # type: ignore[arg-type] # one of the two at a time
    assert out.getvalue() == ""


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"in use"):
        async with running(new_world(), port=taken.getsockname()[1]):
            pass


def test_a_world_is_served_to_callers_without_an_event_loop() -> None:
    with served(new_world()) as base_url:
        assert httpx.get(f"{base_url}/ssl/v1/types").status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base_url}/ssl/v1/types")


async def test_an_answer_that_takes_long_does_not_hold_up_the_end() -> None:
    world = new_world()
    world.faults.add("latency", seconds=600)
    async with running(world) as base_url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{base_url}/ssl/v1/types", timeout=0.05)
    assert world.traffic.in_flight == 0


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_uvicorn(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] == "uvicorn":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    with pytest.raises(MissingExtraError, match=r"pip install 'sectigo-tui\[demo\]'"), served(new_world()):
        pass


def test_importing_the_world_needs_neither_server_nor_cryptography() -> None:
    heavy = "{'starlette', 'uvicorn', 'cryptography', 'httpx', 'pydantic'}"
    program = f"import sys, sectigo_tui.simulator.server; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
