"""A folder is changed wholly or not at all, at whatever moment a change ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mcubnn.errors import UsageError
from mcubnn.transaction import Transaction, replace_file


def _transaction(folder: Path) -> Transaction:
    return Transaction(folder, ("sub", "part"), "marker")


def _write(folder: Path, text: str) -> None:
    """A whole change, marker last."""
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub" / "file").write_text(text)
    replace_file(folder / "part", text.encode())
    replace_file(folder / "marker", text.encode())


def _contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def _made(folder: Path, text: str) -> dict[str, str]:
    with _transaction(folder).changing():
        _write(folder, text)
    return _contents(folder)


def _fail(folder: Path, written: str) -> None:
    """A change that ends early."""

    def change() -> None:
        with _transaction(folder).changing():
            (folder / written).write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change()


def _killed_at(folder: Path, step: int) -> bool:
    """Change the folder in a process that is killed at its n-th step; whether it got there."""
    pid = os.fork()
    if pid == 0:
        left = [step]

        def counted(function: Callable[..., object]) -> Callable[..., object]:
            def call(*words: object, **named: object) -> object:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*words, **named)

            return call

        for owner, name in (
            *((Path, n) for n in ("rename", "replace", "mkdir", "write_bytes", "write_text")),
            *((os, n) for n in ("unlink", "rmdir")),
            *((shutil, n) for n in ("copy2", "copytree")),
        ):
            setattr(owner, name, counted(getattr(owner, name)))
        try:
            _made(folder, "new")
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_every_moment_of_being_killed_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    step, found = 0, set()
    while True:
        folder = tmp_path / str(step)
        old = _made(folder, "old")
        was_killed = _killed_at(folder, step)
        _transaction(folder).settle()
        contents = _contents(folder)
        assert contents in (old, {name: "new" for name in old}), step
        found.add(contents["part"])
        if not was_killed:
            break
        step += 1
    assert step > 10
    assert found == {"old", "new"}


def test_every_moment_of_being_killed_leaves_a_new_folder_usable(tmp_path: Path) -> None:
    step = 0
    while True:
        folder = tmp_path / str(step)
        was_killed = _killed_at(folder, step)
        assert _made(folder, "again") == {
            name: "again" for name in ("sub/file", "part", "marker")
        }, step
        if not was_killed:
            break
        step += 1
    assert step > 5


def test_failed_change_brings_the_old_back_with_its_times(tmp_path: Path) -> None:
    old = _made(tmp_path, "old")
    (tmp_path / "notes").write_text("mine")
    before = (tmp_path / "sub/file").stat().st_mtime_ns
    _fail(tmp_path, "sub/file")
    assert _contents(tmp_path) == old | {"notes": "mine"}
    assert (tmp_path / "sub/file").stat().st_mtime_ns == before


def test_failed_change_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    _fail(tmp_path / "new", "part")
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("mine")
    with pytest.raises(UsageError, match="is not a build"), _transaction(tmp_path).changing():
        pytest.fail("it was entered")
    assert _contents(tmp_path) == {"part": "mine"}


def test_second_change_at_the_same_time_is_refused(tmp_path: Path) -> None:
    with _transaction(tmp_path).changing():
        second = _transaction(tmp_path)
        with pytest.raises(UsageError, match="another mcubnn"), second.changing():
            pytest.fail("it was entered")
        with pytest.raises(UsageError, match="another mcubnn"):
            second.settle()
        _write(tmp_path, "first")
    assert _contents(tmp_path)["part"] == "first"


def test_file_system_without_locks_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(handle: int, how: int) -> None:
        del handle, how
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert _made(tmp_path, "new")["part"] == "new"
