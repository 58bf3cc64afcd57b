"""Changing a folder wholly or not at all, even where the process is killed in between.

While a folder is changed it holds `.mcubnn-unfinished`, which keeps what was there before. The
marker is the file whose presence means complete. It leaves and comes back last, in one step, so:

marker in the folder               complete; what is kept can go
marker among what is kept          half changed; what is kept is complete
no marker, but the kept folder     half written where nothing was before
neither                            empty, or somebody else's
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcubnn.errors import UsageError

_KEPT = ".mcubnn-unfinished"


@dataclass(frozen=True)
class Transaction:
    """A folder that is changed as a whole.

    Attributes:
        parts: files and folders in it that change, without the marker.
        marker: the file that a change writes last.
    """

    folder: Path
    parts: tuple[str, ...]
    marker: str

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Guard a change: without its marker at the end the folder is as it was before.

        Raises:
            UsageError: the folder holds something else, or another process is changing it.
        """
        is_new = not self.folder.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._locked():
                self._settle()
                self._require_own()
                try:
                    self._keep()
                    yield
                finally:
                    self._settle()
        finally:
            if is_new and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def settle(self) -> None:
        """Undo a change that was ended by force.

        Raises:
            UsageError: another process is changing the folder.
        """
        if (self.folder / _KEPT).is_dir():
            with self._locked():
                self._settle()

    def _require_own(self) -> None:
        if not self._is_complete(self.folder) and any(self.folder.iterdir()):
            raise UsageError(
                f"--out {self.folder}: exists and is not a build of mcubnn",
                "choose another folder, or delete this one",
            )

    def _keep(self) -> None:
        kept = self.folder / _KEPT
        kept.mkdir()
        if not self._is_complete(self.folder):
            return
        for part in self.parts:
            path = self.folder / part
            if path.is_dir():  # with its times, which builds go by
                shutil.copytree(path, kept / part, symlinks=True)
            elif path.is_file():
                shutil.copy2(path, kept / part)
        (self.folder / self.marker).rename(kept / self.marker)

    def _settle(self) -> None:
        kept = self.folder / _KEPT
        if not kept.is_dir():
            return
        if self._is_complete(kept) and not self._is_complete(self.folder):
            for part in (*self.parts, self.marker):
                if (kept / part).exists():  # else it is back already
                    _remove(self.folder / part)
                    (kept / part).rename(self.folder / part)
        elif not self._is_complete(self.folder):
            for part in self.parts:
                _remove(self.folder / part)
        for part in (*self.parts, self.marker):
            _remove(_partial(self.folder / part))
        shutil.rmtree(kept)

    def _is_complete(self, folder: Path) -> bool:
        return (folder / self.marker).is_file()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes out; the lock ends with the process, however that ends."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"{self.folder}: another mcubnn is building there",
                "wait for it, or choose another folder with --out",
            ) from error
        except OSError:
            pass  # a file system without locks


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in one step; nothing else remains, except where the process is killed."""
    partial = _partial(path)
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
