"""A first run's account, tried and then written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sectigo_tui.wiring.clients import debug_log_of, logins_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sectigo_tui.config.settings import Settings


async def accept_account(settings: Settings, answers: Mapping[str, str]) -> str:
    """Try a first run's answers with one request, then write config.toml and credentials.toml.

    Args:
        settings: The settings so far: where the files go.
        answers: Text by key of `[sectigo]`; the password is among it.

    Returns:
        Where they were written.

    Raises:
        ConfigError: An answer is wrong, or a file is there already.
        ScmFailure: SCM refused them, or could not be reached; nothing was written.
        StoreError: A file could not be written.
    """
    from sectigo_tui.config.credentials import write_credentials
    from sectigo_tui.config.save import check_answers, write_first_config
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.domain.errors import StoreError
    from sectigo_tui.domain.ports import Credentials, SecretText
    from sectigo_tui.scm.client import ScmClient

    section = check_answers(answers)
    password = section.password.get_secret_value() if section.password is not None else ""
    credentials = Credentials(section.customer_uri or "", section.login or "", SecretText(password))
    clock = SystemClock()
    log = debug_log_of(settings, section.base_url, clock)
    logins = logins_of(settings, section.base_url, credentials.customer_uri, clock)
    client = ScmClient(section.base_url, credentials, clock, ca_bundle=section.ca_bundle, log=log, logins=logins)
    try:
        await client.types()
    finally:
        await client.aclose()
    paths = settings.paths
    try:
        write_first_config(paths.config_file, section)
        if section.password is not None:
            write_credentials(paths.credentials_file, None, login=section.login or "", password=section.password)
    except OSError as error:
        raise StoreError(str(paths.config_file), error.strerror or str(error), "make room, or name another") from error
    return str(paths.config_file)
