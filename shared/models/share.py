"""Who else may do what with a resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.models.base import Input, Instant, Resource

AccessLevel = Literal["reader", "runner", "editor", "manager"]
"""Each may what those before it may: see; run and use; change; delete and share."""
Visibility = Literal["account", "private"]
"""`account`: all of the account may see and use it. `private`: its owner, and whom it is shared with."""


class Share(Resource):
    """`principal_id` is a user's id, or `everyone`: all of the account."""

    principal_id: str
    principal_name: str
    access_level: AccessLevel
    granted_by: str
    """The handle of who shared it."""
    granted_at: Instant


class ShareInput(Input):
    """`principal_id` may be a user's id or handle, or `everyone`."""

    principal_id: Annotated[str, Field(min_length=1, max_length=200)]
    access_level: AccessLevel = "reader"


class LevelInput(Input):
    access_level: AccessLevel


class VisibilityInput(Input):
    visibility: Visibility


class OwnerInput(Input):
    """A user's id or handle."""

    owner_id: Annotated[str, Field(min_length=1, max_length=200)]


class JobPermissions(Resource):
    """What the caller may do with a job."""

    edit: bool
    write: bool
    delete: bool
    share: bool
