"""Connections and the passwords that came in their URLs: none opens, or goes with, what it was not given for."""

from __future__ import annotations

import pytest

from shared.errors import Conflict, InvalidInput
from shared.models import Connection, ConnectionInput, SecretInput
from tests.functional.agent.stage import Stage


def leads_to(host: str, name: str, password: str = "") -> ConnectionInput:
    return ConnectionInput(name=name, url=f"postgresql://shop{password and ':' + password}@{host}.example/orders")


async def password_of(stage: Stage, connection: Connection) -> str | None:
    _, password = await stage.core.world._granting.connection(
        await stage.core.world.get_connection(stage.me, connection.id)
    )
    return str(password) if password is not None else None


async def secrets(stage: Stage) -> list[str]:
    return [secret.name for secret in await stage.core.secrets.list(stage.me)]


async def test_a_renamed_connection_takes_its_password_along(stage: Stage) -> None:
    world = stage.core.world
    old = await world.create_connection(stage.me, leads_to("one", "prod", "first"))
    old = await world.replace_connection(stage.me, old.id, leads_to("one", "archive"))
    new = await world.create_connection(stage.me, leads_to("two", "prod", "second"))
    assert (await password_of(stage, old), await password_of(stage, new)) == ("first", "second")
    await world.delete_connection(stage.me, new.id)
    assert await password_of(stage, old) == "first"
    await world.delete_connection(stage.me, old.id)
    assert await secrets(stage) == []


async def test_a_renamed_connection_with_a_new_password_leaves_none_behind(stage: Stage) -> None:
    world = stage.core.world
    made = await world.create_connection(stage.me, leads_to("one", "prod", "first"))
    await world.replace_connection(stage.me, made.id, leads_to("one", "archive", "second"))
    assert (await password_of(stage, made), await secrets(stage)) == ("second", ["connection-archive"])


async def test_a_renamed_connection_leaves_a_secret_that_was_named_for_it_alone(stage: Stage) -> None:
    world = stage.core.world
    await stage.core.secrets.put(stage.me, "shop", SecretInput(value="first"))
    named = leads_to("one", "prod").model_copy(update={"secret_name": "shop"})
    made = await world.create_connection(stage.me, named)
    renamed = await world.replace_connection(stage.me, made.id, leads_to("one", "archive"))
    assert (renamed.secret_name, await secrets(stage)) == ("shop", ["shop"])


async def test_a_password_does_not_replace_a_secret_that_another_connection_uses(stage: Stage) -> None:
    world = stage.core.world
    await stage.core.secrets.put(stage.me, "connection-prod", SecretInput(value="mine"))
    named = leads_to("one", "other").model_copy(update={"secret_name": "connection-prod"})
    other = await world.create_connection(stage.me, named)
    with pytest.raises(Conflict, match="connection-prod"):
        await world.create_connection(stage.me, leads_to("two", "prod", "second"))
    assert await password_of(stage, other) == "mine"


async def test_a_run_whose_connection_lost_its_password_says_so(stage: Stage) -> None:
    made = await stage.core.world.create_connection(stage.me, leads_to("one", "prod", "first"))
    connection = await stage.agent.sql.get_connection(stage.me.account_id, made.id)
    await stage.agent.sql.replace_connection(connection.model_copy(update={"secret_name": None}), stage.clock.now())
    await stage.core.secrets.delete(stage.me, "connection-prod")
    await stage.agent.sql.replace_connection(connection, stage.clock.now())
    data = {"source_table": "prod.orders", "knowledge_base": "none", "content_columns": ["product"]}
    with pytest.raises(InvalidInput) as refused:
        await stage.job(type="kb-sync", data={**data, "filter_column": "updated_at"})
    assert "no secret 'connection-prod'" in refused.value.faults[0].message
