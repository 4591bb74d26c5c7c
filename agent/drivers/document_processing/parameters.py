"""What the processing of documents can be told."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.resources.datasets.places import check_relative
from shared.sizes import Size

Place = Annotated[str, Field(min_length=1, max_length=1000)]
Pattern = Annotated[str, Field(min_length=1, max_length=200)]

TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".log": "text/plain",
    ".rst": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
}
"""What can be read, by the ending of its name."""
ARCHIVES = frozenset((TYPES[".docx"], TYPES[".epub"]))
"""Those that are zip files."""


class DocumentParameters(BaseModel):
    """Parameters of `document_processing`."""

    model_config = ConfigDict(extra="forbid")

    files: Annotated[list[Place], Field(min_length=1, max_length=1000)] = Field(
        description="Folders, with all in them, and files: below the exports folder of the agent, or absolute and below "
        "one of the folders that its setting `file_roots` names",
        examples=[["handbook"]],
    )
    include: list[Pattern] | None = Field(
        None,
        max_length=100,
        description="Only files whose name matches one of these, as `*.pdf`; left out: all that can be read",
        examples=[["*.pdf", "*.md"]],
    )
    exclude: list[Pattern] = Field([], max_length=100, description="Not those whose name matches one of these")
    knowledge_base: str | None = Field(
        None, min_length=1, description="Where the chunks are made searchable", examples=["handbook_kb"]
    )
    output: Place | None = Field(
        None, description="Or the file for the chunks, one JSON object a line", examples=["chunks.jsonl"]
    )
    origin: str = Field(
        "documents",
        min_length=1,
        max_length=200,
        description="The name under which a knowledge base has them; jobs whose files are removed apart need their own",
    )
    remove_missing: bool = Field(
        False, description="What this origin has of files that are gone is removed from the knowledge base"
    )
    chunk_characters: int = Field(1000, ge=100, le=20_000, description="The most characters of a chunk")
    chunk_overlap: int = Field(100, ge=0, description="How many of them the next chunk begins with again")
    max_file_size: Size = Field(50_000_000, description="Larger files are not read", validate_default=True)
    max_memory: Size = Field(1_000_000_000, description="What reading one file may take", validate_default=True)
    max_seconds: float = Field(60, gt=0, le=3600, description="How long reading one file may take")
    max_characters: int = Field(5_000_000, ge=1, description="Files with more text are refused")
    max_files: int = Field(100_000, ge=1, le=1_000_000, description="The run fails if there are more")

    @field_validator("files", "output")
    @classmethod
    def _stays_below(cls, given: list[str] | str | None) -> list[str] | str | None:
        for place in [given] if isinstance(given, str) else given or []:
            check_relative(place)
        return given

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.knowledge_base is None) == (self.output is None):
            raise ValueError("write either knowledge_base or output")
        if self.output is not None and self.remove_missing:
            raise ValueError("output is made anew each time: leave remove_missing out")
        if self.chunk_overlap >= self.chunk_characters:
            raise ValueError("chunk_overlap must be less than chunk_characters")
        return self
