"""GETs of an order's details by bare httpx, one after another: what a poll is measured against."""

from __future__ import annotations

import asyncio
import sys

import httpx


async def main(base_url: str, ssl_ids: list[str], every_seconds: float) -> None:
    """Ask for each order, and for the first of them before that, so that the connection is there."""
    headers = {"customerUri": "acme", "login": "certctl-api", "password": "Simulated-1-Secret"}
    async with httpx.AsyncClient(headers=headers) as client:
        await client.get(f"{base_url}/ssl/v1/{ssl_ids[0]}")
        print("ready", flush=True)
        await asyncio.sleep(3)
        for ssl_id in ssl_ids:
            await asyncio.sleep(every_seconds)
            (await client.get(f"{base_url}/ssl/v1/{ssl_id}")).raise_for_status()
        print("done", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[3:], float(sys.argv[2])))
