import sys
from pathlib import Path

import pytest

from mcubnn.build.process import run_logged
from mcubnn.errors import BuildError


def test_failure_shows_command_last_lines_and_log(tmp_path: Path) -> None:
    script = "for i in range(50): print('line', i)\nraise SystemExit(3)"
    log = tmp_path / "build.log"
    with pytest.raises(BuildError) as caught:
        run_logged([sys.executable, "-c", script], log, 30)
    message = caught.value.message
    assert "exit status 3" in message
    assert "line 49" in message
    assert "line 30" in message
    assert "line 29" not in message
    assert str(log) in message
    assert "line 0" in log.read_text()


def test_deadline_stops_the_command(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"not done after 0\.2 s"):
        run_logged([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log", 0.2)


def test_missing_command_is_a_build_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot run `no-such-tool`: No such file"):
        run_logged(["no-such-tool"], tmp_path / "log", 5)
