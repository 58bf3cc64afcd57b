"""Runners that start a process: the host executable and QEMU."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcubnn.artifacts import Firmware
from mcubnn.errors import TargetError
from mcubnn.run.host import HostRunner
from mcubnn.run.line_runner import LineRunner
from mcubnn.run.qemu import QemuRunner
from mcubnn.run.runner import Deadlines
from mcubnn.run.session import make_runner, stream

Script = Callable[[str], Path]
HASH = 0x1234ABCD
IMAGES = np.random.default_rng(3).integers(0, 255, (20, 4, 4, 3), dtype=np.uint8)
QEMU_START = """
if "--version" in sys.argv:
    sys.exit("no version")
address = sys.argv[sys.argv.index("-serial") + 1].split(",")[0].split(":")
"""
QEMU_CONNECT = QEMU_START + "line = socket.create_connection((address[1], int(address[2])))\n"


def failure(runner: LineRunner) -> TargetError:
    with pytest.raises(TargetError) as caught, runner:
        stream(runner, IMAGES, HASH)
    assert caught.value.exit_code == 6
    assert caught.value.hint
    assert len(caught.value.message.splitlines()) < 25
    return caught.value


def process_id(runner: HostRunner | QemuRunner) -> int:
    assert runner._child is not None
    return runner._child.process.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


def check_scores(runner: LineRunner) -> None:
    with runner:
        result = stream(runner, IMAGES, HASH)
        assert runner.trace(0, IMAGES[0].tobytes()) == (IMAGES[0] + 1).tobytes()
        assert runner.retries == 0
    expected = IMAGES.reshape(20, -1).astype(np.int32).sum(axis=1) + 48
    assert result.scores[:, 0].tolist() == expected.tolist()


def test_host_executable_computes_the_scores(host_firmware: Path) -> None:
    runner = make_runner(Firmware(host_firmware, "host", "gcc"), None)
    check_scores(runner)
    assert runner.description == "host"


def test_missing_host_executable_is_reported(tmp_path: Path, deadlines: Deadlines) -> None:
    assert "does not exist" in failure(HostRunner(tmp_path / "none", deadlines)).message


def test_a_file_that_is_no_executable_is_reported(tmp_path: Path, deadlines: Deadlines) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"\0\1\2\3")
    path.chmod(0o755)
    assert "cannot start" in failure(HostRunner(path, deadlines)).message


def test_a_crash_shows_both_ends_of_stderr(executable: Script, deadlines: Deadlines) -> None:
    program = executable(
        "print('ERROR: AddressSanitizer: overflow', file=sys.stderr)\n"
        "print('frame\\n' * 100, file=sys.stderr)\n"
        "print('ABORTING', file=sys.stderr, flush=True)\n"
        "sys.stdin.buffer.read(1)\n"
        "os.abort()"
    )
    error = failure(HostRunner(program, deadlines))
    assert "the line to host executable program was closed" in error.message
    assert "was killed by SIGABRT" in error.message
    assert "AddressSanitizer: overflow" in error.message
    assert "ABORTING" in error.message


def test_a_hanging_process_is_reported_and_ended(executable: Script, deadlines: Deadlines) -> None:
    runner = HostRunner(executable("time.sleep(60)"), deadlines)
    with runner:
        pid = process_id(runner)
        with pytest.raises(TargetError) as caught:
            runner.hello()
    assert "does not answer HELLO" in caught.value.message
    assert "is still running; its stderr is empty" in caught.value.message
    assert not is_alive(pid)


def test_an_interrupt_leaves_no_process(host_firmware: Path) -> None:
    seen = []

    def use(runner: HostRunner) -> None:
        with runner:
            seen.append(process_id(runner))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use(HostRunner(host_firmware))
    assert not is_alive(seen[0])


def test_missing_qemu_is_reported(tmp_path: Path, deadlines: Deadlines) -> None:
    error = failure(QemuRunner("mps2-an385", tmp_path, deadlines, program="qemu-nowhere"))
    assert "qemu-nowhere is not on the PATH" in error.message
    assert "mcubnn setup" in error.hint


def test_missing_image_is_reported(
    executable: Script, tmp_path: Path, deadlines: Deadlines
) -> None:
    program = str(executable(QEMU_START))
    error = failure(QemuRunner("m", tmp_path / "no.elf", deadlines, program))
    assert "no.elf does not exist" in error.message


def test_qemu_that_dies_at_start_shows_its_stderr(executable: Script, deadlines: Deadlines) -> None:
    program = executable(QEMU_START + "sys.exit('unsupported machine type')")
    error = failure(QemuRunner("mps2-an385", program, deadlines, str(program)))
    assert "did not start" in error.message
    assert "exited with status 1" in error.message
    assert "unsupported machine type" in error.message


def test_qemu_that_never_connects_is_ended(executable: Script, deadlines: Deadlines) -> None:
    program = executable(QEMU_START + "time.sleep(60)")
    quick = Deadlines(open_s=1.0, stop_s=deadlines.stop_s)
    error = failure(QemuRunner("mps2-an385", program, quick, str(program)))
    assert "did not start within 1 s: the process is still running" in error.message


def test_qemu_that_dies_in_mid_run_shows_its_stderr(
    executable: Script, deadlines: Deadlines
) -> None:
    program = executable(QEMU_CONNECT + "line.recv(5)\nsys.exit('qemu: fatal: Lockup')")
    error = failure(QemuRunner("mps2-an385", program, deadlines, str(program)))
    assert "was closed" in error.message
    assert "qemu: fatal: Lockup" in error.message


def test_qemu_that_stays_silent_is_reported(executable: Script, deadlines: Deadlines) -> None:
    program = executable(QEMU_CONNECT + "time.sleep(60)")
    error = failure(QemuRunner("mps2-an385", program, deadlines, str(program)))
    assert "QEMU, mps2-an385 does not answer HELLO" in error.message
    assert "another machine than mps2-an385" in error.hint


@pytest.mark.target
def test_emulated_board_computes_the_scores(mps2_firmware: Path) -> None:
    runner = QemuRunner("mps2-an385", mps2_firmware)
    check_scores(runner)
    assert re.fullmatch(r"QEMU [\d.]+, mps2-an385", runner.description)


@pytest.mark.target
def test_unknown_machine_is_reported_in_qemus_words(
    mps2_firmware: Path, deadlines: Deadlines
) -> None:
    error = failure(QemuRunner("no-such-machine", mps2_firmware, deadlines))
    assert "unsupported machine type" in error.message


@pytest.mark.target
def test_killed_emulator_is_reported(mps2_firmware: Path, deadlines: Deadlines) -> None:
    runner = QemuRunner("mps2-an385", mps2_firmware, Deadlines(stop_s=deadlines.stop_s))
    with runner:
        runner.hello()
        os.kill(process_id(runner), signal.SIGKILL)
        with pytest.raises(TargetError) as caught:
            runner.infer(IMAGES[0].tobytes())
    assert "was killed by SIGKILL" in caught.value.message


@pytest.mark.target
def test_emulator_dies_with_a_killed_parent(mps2_firmware: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from mcubnn.run.qemu import QemuRunner\n"
        "with QemuRunner('mps2-an385', pathlib.Path(sys.argv[1])) as runner:\n"
        "    print(runner._child.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(mps2_firmware)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)
