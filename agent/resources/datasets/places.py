"""Files outside of the data folder: only below the configured roots, and through no link on the way.

Each folder on the way is opened by itself, relative to the one before, and never followed: what was checked is what is
used, whoever changes names meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from agent.core.driving import DriverError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def open_folder(roots: Sequence[str], folder: str, *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder: relative ones lie below the first root, which is the account's own and made where it
    is asked for. `make`: so are missing ones below. DriverError(kind='path') for what is outside, leads through a link,
    or is no folder."""
    root, parts = _place(roots, folder)
    if root == Path(roots[0]):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = _open_root(root)
    try:
        for part in parts:
            if make:
                _make(handle, part)
            below = _descend(handle, part, folder)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


@contextmanager
def open_file(roots: Sequence[str], path: str) -> Iterator[int]:
    """A descriptor of a plain file, to be read. DriverError(kind='path', 'no_file')."""
    place = PurePosixPath(path)
    with open_folder(roots, str(place.parent)) as folder:
        try:
            handle = os.open(place.name, _FILE, dir_fd=folder)
        except FileNotFoundError:
            raise DriverError("no_file", f"there is no file '{path}'") from None
        except OSError as error:
            raise _refused(path, error) from None
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise DriverError("path", f"'{path}' is no plain file")
            yield handle
        finally:
            os.close(handle)


def check_relative(path: str) -> str:
    """ValueError for what can be seen to be wrong before the roots are known."""
    if "\0" in path or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} leads out of its folder; name one below the exports folder or a configured root")
    return path


def _place(roots: Sequence[str], folder: str) -> tuple[Path, tuple[str, ...]]:
    """The root, and the way down from it."""
    try:
        asked = PurePosixPath(check_relative(folder))
    except ValueError as error:
        raise DriverError("path", str(error)) from None
    if not roots:
        raise DriverError("path", "no folder for files is configured")
    if not asked.is_absolute():
        return Path(roots[0]), asked.parts
    for root in roots:
        if asked.is_relative_to(root):
            return Path(root), asked.relative_to(root).parts
    raise DriverError(
        "path", f"'{folder}' is outside of the folders that files may be in: {', '.join(roots)} (setting `file_roots`)"
    )


def _open_root(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise DriverError("path", f"the folder '{root}' cannot be opened: {error.strerror}") from None


def _make(handle: int, part: str) -> None:
    try:
        os.mkdir(part, 0o755, dir_fd=handle)
    except FileExistsError:
        pass
    except OSError as error:
        raise DriverError("path", f"the folder '{part}' cannot be made: {error.strerror}") from None


def _descend(handle: int, part: str, folder: str) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=handle)
    except OSError as error:
        raise _refused(folder, error) from None


def _refused(path: str, error: OSError) -> DriverError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return DriverError(
            "path", f"'{path}' leads through a link or something that is no folder; links are not followed"
        )
    return DriverError("path", f"'{path}' cannot be opened: {error.strerror}")
