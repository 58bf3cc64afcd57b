import errno
from pathlib import Path

import pytest

from mcubnn.build.folder import write_folder
from mcubnn.errors import InternalError, UsageError


def test_new_folder_holds_exactly_the_files_and_no_partial_remains(tmp_path: Path) -> None:
    assert not write_folder({"a.c": "a\n", "sub/b.h": "b\n"}, tmp_path / "out")
    assert (tmp_path / "out/sub/b.h").read_bytes() == b"b\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_unchanged_file_keeps_its_time_stamp(tmp_path: Path) -> None:
    write_folder({"a.c": "a\n", "b.c": "b\n"}, tmp_path / "out")
    before = (tmp_path / "out/a.c").stat().st_mtime_ns
    write_folder({"a.c": "a\n", "b.c": "new\n"}, tmp_path / "out")
    assert (tmp_path / "out/a.c").stat().st_mtime_ns == before
    assert (tmp_path / "out/b.c").read_text() == "new\n"


def test_file_that_left_the_set_is_removed_and_foreign_files_stay(tmp_path: Path) -> None:
    write_folder({"a.c": "a\n", "b.c": "b\n"}, tmp_path / "out")
    (tmp_path / "out/notes.txt").write_text("mine")
    assert write_folder({"a.c": "a\n"}, tmp_path / "out")
    assert not (tmp_path / "out/b.c").exists()
    assert (tmp_path / "out/notes.txt").read_text() == "mine"


def test_folder_that_lost_its_last_file_goes_too(tmp_path: Path) -> None:
    write_folder({"a.c": "a\n", "lib/old/src/b.c": "b\n", "lib/both/c.c": "c\n"}, tmp_path)
    (tmp_path / "lib/both/notes.txt").write_text("mine")
    assert write_folder({"a.c": "a\n"}, tmp_path)
    assert [path.name for path in (tmp_path / "lib").iterdir()] == ["both"]


def test_folder_that_was_half_written_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        if path.name == "b.c.partial":
            raise OSError(errno.ENOSPC, "No space left on device")
        return path.write_text(data.decode())

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_folder({"a.c": "a\n", "b.c": "b\n"}, tmp_path)
    monkeypatch.undo()
    write_folder({"c.c": "c\n"}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mcubnn.json", "c.c"]


def test_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="was not written by mcubnn"):
        write_folder({"a.c": "a\n"}, tmp_path)


@pytest.mark.parametrize("name", ["../a.c", "/a.c", "sub/../../a.c"])
def test_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="leaves the output folder"):
        write_folder({name: "a\n"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
