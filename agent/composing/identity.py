"""Who may come in, and who the local user is."""

from __future__ import annotations

from functools import partial

from agent.composing.ground import Ground
from agent.core.identity.gate import Gate, local_caller
from agent.resources.issuer_keys import issuer_keys
from shared.errors import NotFound


async def open_gate(ground: Ground) -> Gate:
    """The accounts that the settings name are made where they are not yet."""
    settings = ground.settings
    user_id = await _local_user(ground)
    await ground.store.put_default_limits(settings.limits)
    keys_of = partial(issuer_keys, allowed=settings.allow_private_addresses)
    local = local_caller(settings.account, user_id, settings.owner)
    return Gate(ground.store, ground.clock, ground.ids, local, settings, keys_of)


async def _local_user(ground: Ground) -> str:
    settings, store = ground.settings, ground.store
    named = (settings.account, settings.anonymous_account, settings.definitions_account)
    accounts = {account for account in named if account}
    for account in sorted(accounts):
        try:
            await store.find_owner(account)
        except NotFound:
            await store.ensure_account(account, ground.ids(), settings.owner, ground.clock.now())
    return (await store.find_owner(settings.account))[0]
