"""The list of contents of a backup: what made it, and size and SHA-256 of every file in it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from agent.upkeep.layout import is_kept
from shared.errors import InvalidInput

MANIFEST_FILE = "manifest.json"
LARGEST_MANIFEST = 1024**3
"""Bytes; some 150 for each file of the backup."""
CHUNK = 1024 * 1024


class KeptFile(BaseModel):
    model_config = ConfigDict(frozen=True)

    path: str
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        if not is_kept(value):
            raise ValueError("a backup has no file of that name")
        return value


class Manifest(BaseModel):
    format: Literal[1] = 1
    jobdeck: str
    """The version that made the backup."""
    store_schema: str
    store_id: str
    knowledge_schema: int
    made_at: datetime
    with_key: bool
    files: list[KeptFile]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def parse_manifest(content: bytes, where: str) -> Manifest:
    """InvalidInput on `backup` if this is no manifest of ours, or names a file twice or outside of the backup."""
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise InvalidInput.one("backup", f"{MANIFEST_FILE} of {where} is not sound: {place}: {fault['msg']}") from None
    if len({file.path for file in manifest.files}) != len(manifest.files):
        raise InvalidInput.one("backup", f"{MANIFEST_FILE} of {where} names a file twice")
    return manifest


def pour(source: BinaryIO, target: BinaryIO, size: int) -> KeptFile:
    """Copy at most `size` bytes; how many there were and their hash, under an empty path."""
    digest, left = hashlib.sha256(), size
    while left and (part := source.read(min(CHUNK, left))):
        digest.update(part)
        target.write(part)
        left -= len(part)
    return KeptFile.model_construct(path="", size=size - left, sha256=digest.hexdigest())
