"""The database's schema: numbered SQL files, each run once, under a lock, by whoever may."""

from __future__ import annotations

import re
from importlib.resources import files

import psycopg
from psycopg import errors

from sectigo_tui.domain.errors import StoreError

_NUMBERED = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_LOCK = 7_325_461_901
"""The advisory lock under which the schema is made."""


def migrations() -> dict[int, str]:
    """Return the SQL of each version, oldest first."""
    found = {}
    for file in files("sectigo_tui.store.postgres").joinpath("migrations").iterdir():
        if named := _NUMBERED.fullmatch(file.name):
            found[int(named[1])] = file.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def grants() -> str:
    """Return the SQL that gives the documented roles their rights."""
    return files("sectigo_tui.store.postgres").joinpath("migrations", "grants.sql").read_text(encoding="utf-8")


NEWEST = 1
"""The schema that this program knows; a test holds it to the files."""


async def version_of(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> int:
    """Return the database's version of the schema; 0 without one."""
    try:
        cursor = await connection.execute("select coalesce(max(version), 0) from sectigo_tui.schema_versions")
    except (errors.InvalidSchemaName, errors.UndefinedTable):
        return 0
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0


async def bring_up_to_date(connection: psycopg.AsyncConnection[tuple[object, ...]], name: str) -> int:
    """Make the schema, or bring it to the newest version; nothing is done where it is.

    Args:
        connection: In autocommit.
        name: The database for a person.

    Returns:
        The version it was before.

    Raises:
        StoreError: A newer program has made it, which is not touched; or this login may not change it.
    """
    before = await version_of(connection)
    if before > NEWEST:
        raise StoreError(
            name,
            f"written by a newer sectigo-tui (schema {before}; this one knows up to {NEWEST})",
            "install that version; nothing was changed",
        )
    if before == NEWEST:
        return before
    try:
        await _migrate(connection, name)
    except errors.InsufficientPrivilege as error:
        has = f"has schema {before}, and {NEWEST} is needed" if before else "has no schema of sectigo-tui yet"
        raise StoreError(
            name,
            f"{has}; this login may not make it",
            "run `sectigo-tui store status` once as its owner (docs/team.md)",
        ) from error
    return before


async def _migrate(connection: psycopg.AsyncConnection[tuple[object, ...]], name: str) -> None:
    cursor = await connection.execute("select pg_catalog.getdatabaseencoding()")
    row = await cursor.fetchone()
    if row is not None and row[0] != "UTF8":
        raise StoreError(name, f"its encoding is {row[0]}", "make the database with encoding UTF8")
    async with connection.transaction():
        await connection.execute(f"select pg_advisory_xact_lock({_LOCK})".encode())
        await connection.execute("create schema if not exists sectigo_tui")
        await connection.execute("set local search_path = sectigo_tui")
        await connection.execute(
            "create table if not exists schema_versions (version integer primary key, "
            "applied_at timestamptz not null default now(), applied_by text not null default current_user)"
        )
        present = await version_of(connection)
        for version, statements in migrations().items():
            if version > present:
                await connection.execute(statements.encode())
                await connection.execute("insert into schema_versions (version) values (%s)", (version,))
        await connection.execute(grants().encode())
