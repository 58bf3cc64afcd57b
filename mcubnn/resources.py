"""Where the files live that are data, not Python: boards, C runtime, PlatformIO platform, examples.

In a checkout (or an editable install) they are folders of the repository, so that there is one
copy to edit; in a wheel they are under `mcubnn/_data`.
"""

from __future__ import annotations

from pathlib import Path

from mcubnn.errors import InternalError

_PACKAGE = Path(__file__).resolve().parent


def boards_dir() -> Path:
    """Folder of the `<board id>.toml` files."""
    return _folder("boards")


def runtime_dir() -> Path:
    """Folder of the C runtime: include, src, port, firmware."""
    return _folder("runtime_c")


def platform_dir() -> Path:
    """The bundled PlatformIO platform."""
    return boards_dir() / "platformio"


def examples_dir() -> Path:
    """Folder of the trained examples."""
    return _folder("examples")


def _folder(name: str) -> Path:
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    msg = f"the installation is incomplete: folder `{name}` is missing"
    raise InternalError(msg, "reinstall: pip install --force-reinstall mcubnn")
