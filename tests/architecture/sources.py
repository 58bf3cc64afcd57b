"""The files of the project, as git knows them."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Tracked files that match; without git (an unpacked source archive) all files that match."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", *patterns]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        folders = ("mcubnn", "runtime_c", "boards", "examples", "tests")
        found = [p for f in folders for pattern in patterns for p in (ROOT / f).rglob(pattern)]
    return sorted(path for path in found if path.is_file())
