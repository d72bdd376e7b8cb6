"""`sectigo-tui track`: remote orders become local."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence

from sectigo_tui.cli.common import settings_from
from sectigo_tui.cli.exit_codes import FINE, exit_code
from sectigo_tui.cli.output import complain, say
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.errors import CredentialsRefused, ScmFailure
from sectigo_tui.wiring import opened


def run(options: Namespace) -> int:
    """Track each sslId; those that fail are told, and the others are tracked nevertheless."""
    return asyncio.run(_track(settings_from(options), options.ssl_ids))


async def _track(settings: Settings, ssl_ids: Sequence[int]) -> int:
    worst = FINE
    async with opened(settings) as engine:
        for ssl_id in ssl_ids:
            try:
                order = await engine.tracking.track(ssl_id)
            except ScmFailure as failure:
                complain(f"sslId {ssl_id}: {failure.description or failure.problem}")
                worst = max(worst, exit_code(failure))
                if isinstance(failure, CredentialsRefused):
                    break
            else:
                say(f"{ssl_id}  {order.state}  {order.scm_status}  {order.common_name}")
    return worst
