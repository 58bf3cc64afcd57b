"""Writing a set of files to a folder so that it is never half written and rebuilds stay small."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mcubnn.errors import InternalError, UsageError

_MANIFEST = ".mcubnn.json"


def write_folder(files: Mapping[str, str], folder: Path) -> bool:
    """Make `folder` hold exactly these files beside what tools put there.

    A new folder is written beside its place and renamed. In an existing one only files whose text
    differs are replaced, so that their time stamps and the objects built from them stay valid.

    Args:
        files: text by name, relative to the folder, with `/`.
        folder: must be absent, empty, or written by this function before.

    Returns:
        Whether files that were there before are gone.

    Raises:
        UsageError: the folder holds something else.
    """
    for name in files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            msg = f"file name {name!r} leaves the output folder"
            raise InternalError(msg)
    if folder.is_dir() and any(folder.iterdir()):
        return _update(files, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        for name, text in files.items():
            _write(partial / name, text)
        _write(partial / _MANIFEST, _manifest(files))
        partial.chmod(0o755)  # mkdtemp makes it private
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return False


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over names and texts."""
    text = json.dumps(dict(sorted(files.items())))
    return hashlib.sha256(text.encode()).hexdigest()


def _update(files: Mapping[str, str], folder: Path) -> bool:
    try:
        written = set(json.loads((folder / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        msg = f"output folder {folder} exists and was not written by mcubnn"
        raise UsageError(msg, "choose another folder, or delete this one") from error
    for name, text in files.items():
        if not _holds(folder / name, text):
            _write(folder / name, text)
    gone = written - set(files)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    _write(folder / _MANIFEST, _manifest(files))
    return bool(gone)


def _manifest(files: Mapping[str, str]) -> str:
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
