"""Writing a set of files to a folder so that rebuilds stay small."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mcubnn.errors import InternalError, UsageError

_MANIFEST = ".mcubnn.json"


def write_folder(files: Mapping[str, str], folder: Path) -> bool:
    """Make `folder` hold exactly these files beside what tools put there.

    Only files whose text differs are replaced, so that the time stamps of the others and the
    objects built from them stay valid.

    Args:
        files: text by name, relative to the folder, with `/`.
        folder: must be absent, empty, or written by this function before, if only in part.

    Returns:
        Whether files that were there before are gone.

    Raises:
        UsageError: the folder holds something else.
    """
    for name in files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            msg = f"file name {name!r} leaves the output folder"
            raise InternalError(msg)
    written = _written(folder)
    gone = written - set(files)
    _write(folder / _MANIFEST, _manifest(written | set(files)))  # first: it says whose folder it is
    for name, text in files.items():
        if not _holds(folder / name, text):
            _write(folder / name, text)
    for name in gone:
        _delete(folder, name)
    _write(folder / _MANIFEST, _manifest(files))
    return bool(gone)


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over names and texts."""
    text = json.dumps(dict(sorted(files.items())))
    return hashlib.sha256(text.encode()).hexdigest()


def _written(folder: Path) -> set[str]:
    """The files an earlier call wrote."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return set()
    try:
        return set(json.loads((folder / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        msg = f"output folder {folder} exists and was not written by mcubnn"
        raise UsageError(msg, "choose another folder, or delete this one") from error


def _delete(folder: Path, name: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    path = folder / name
    path.unlink(missing_ok=True)
    for parent in path.relative_to(folder).parents[:-1]:
        if (folder / parent).is_dir() and not any((folder / parent).iterdir()):
            (folder / parent).rmdir()


def _manifest(files: Iterable[str]) -> str:
    return json.dumps(sorted(files), indent=0) + "\n"


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    """Replace the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(text.encode())
    partial.replace(path)
