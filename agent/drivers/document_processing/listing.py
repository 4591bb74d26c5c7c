"""Which files there are: below the roots, through no link, in the same order each time."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from agent.core.driving import DriverError
from agent.drivers.document_processing.parameters import TYPES, DocumentParameters
from agent.resources.datasets.places import open_folder

DEEPEST = 100
"""So deep folders may be nested; each level costs an open file while they are walked through."""


@dataclass(slots=True)
class Listing:
    """`names` as the job would write them; `links` were left alone."""

    names: list[str] = field(default_factory=list)
    links: int = 0


def list_files(roots: Sequence[str], parameters: DocumentParameters, between: Callable[[], None]) -> Listing:
    """Every readable file that was asked for, once. DriverError: `path` for what is outside of the roots, `no_file`
    for what is not there, `type` for what cannot be read, `too_many_files`. `between` is called often."""
    listing = Listing()
    found: set[str] = set()
    for place in parameters.files:
        for name in _under(roots, place, listing):
            between()
            if _wanted(PurePosixPath(name).name, parameters):
                found.add(name)
                if len(found) > parameters.max_files:
                    raise DriverError(
                        "too_many_files", f"there are more than {parameters.max_files} files; raise max_files"
                    )
    listing.names = sorted(found)
    return listing


def type_of(name: str) -> str:
    """What a file of that name is taken for."""
    return TYPES[PurePosixPath(name).suffix.lower()]


def _under(roots: Sequence[str], place: str, listing: Listing) -> Iterator[str]:
    path = PurePosixPath(place)
    if path.name and _is_file(roots, path):
        if path.suffix.lower() not in TYPES:
            raise DriverError("type", f"'{path}' cannot be read; its name ends with none of {', '.join(TYPES)}")
        yield str(path)
        return
    with open_folder(roots, place) as folder:
        for at, folders, files, handle in os.fwalk(".", dir_fd=folder, onerror=_refuse(path), follow_symlinks=False):
            if at.count("/") > DEEPEST:
                raise DriverError("path", f"folders in '{place}' are nested more than {DEEPEST} deep")
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in files:
                if _is_link(name, handle):
                    listing.links += 1
                elif not name.startswith("."):
                    yield str(path / at / name)


def _refuse(place: PurePosixPath) -> Callable[[OSError], None]:
    """A folder that cannot be looked into is not an empty one."""

    def refuse(error: OSError) -> None:
        raise DriverError("path", f"'{place / str(error.filename)}' cannot be opened: {error.strerror}")

    return refuse


def _is_file(roots: Sequence[str], path: PurePosixPath) -> bool:
    if str(path) in roots:
        return False
    with open_folder(roots, str(path.parent)) as folder:
        try:
            mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            raise DriverError("no_file", f"there is no file or folder '{path}'") from None
    if stat.S_ISLNK(mode):
        raise DriverError("path", f"'{path}' is a link; links are not followed")
    return not stat.S_ISDIR(mode)


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _wanted(name: str, parameters: DocumentParameters) -> bool:
    if PurePosixPath(name).suffix.lower() not in TYPES:
        return False
    folded = name.lower()
    kept = parameters.include is None or _matches(folded, parameters.include)
    return kept and not _matches(folded, parameters.exclude)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
