import dataclasses
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection

from mcubnn.artifacts import CProgram
from mcubnn.board import load_board
from mcubnn.build.firmware import build_firmware, build_host
from mcubnn.build.platformio import build_project, project_texts
from mcubnn.build.toolchain import ARM_GCC, QEMU, require_arm_gcc
from mcubnn.codegen.project import project_files
from mcubnn.errors import BudgetError, BuildError, UsageError

needs_arm_gcc = pytest.mark.skipif(shutil.which(ARM_GCC) is None, reason=f"no {ARM_GCC} in PATH")
needs_qemu = pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"no {QEMU} in PATH")
QEMU_BOARDS = [
    *("qemu-mps2-an385", "qemu-mps2-an386", "qemu-mps2-an500"),
    *("qemu-mps3-an547", "qemu-microbit"),
]
ECHO_MAIN = """\
#include "firmware_model.h"
#include "port.h"
int main(void);
static uint8_t step = 1u; /* in .data: proves that the reset handler copies it */
int main(void) {
    mcubnn_port_init();
    const uint32_t start = mcubnn_port_ticks();
    for (;;) {
        const uint8_t echo = (uint8_t)((uint32_t)mcubnn_port_read() + step);
        step = (mcubnn_port_ticks() != start) ? 1u : 100u; /* the counter counts */
        mcubnn_port_write(&echo, 1u);
    }
}
"""


@pytest.mark.target
@needs_arm_gcc
@pytest.mark.parametrize("board_id", ["nucleo-f746", *QEMU_BOARDS])
def test_firmware_is_measured_for_every_board(
    board_id: str, program: CProgram, tmp_path: Path
) -> None:
    board = load_board(board_id)
    project = project_files(board, program.prefix, board.ram[-1].name)
    firmware = build_firmware(program, project, board, tmp_path / "out")
    assert firmware.image.is_file()
    assert firmware.stack_reserved_bytes == board.stack_bytes
    assert firmware.stack is not None
    assert firmware.stack.path[:2] == ("Reset_Handler", "main")
    assert 0 < firmware.stack.worst_case_bytes <= board.stack_bytes
    assert 1000 < firmware.flash_bytes < 20_000
    sections = {symbol.name: symbol.section for symbol in firmware.symbols}
    assert sections["dummy_weights"] == ".rodata"
    assert sections["dummy_arena"] == ".mcubnn_arena"


@pytest.mark.target
@needs_arm_gcc
def test_second_build_does_nothing_and_a_change_is_built(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an385")
    project = project_files(board, program.prefix, "sram")
    image = build_firmware(program, project, board, tmp_path / "out").image
    built = image.stat().st_mtime_ns
    build_firmware(program, project, board, tmp_path / "out")
    assert image.stat().st_mtime_ns == built
    text = program.files["dummy.c"].replace("-88", "-99")
    changed = dataclasses.replace(program, files=dict(program.files) | {"dummy.c": text})
    build_firmware(changed, project, board, tmp_path / "out")
    assert image.stat().st_mtime_ns > built


@pytest.mark.target
@needs_arm_gcc
def test_image_does_not_depend_on_the_folder(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an386")
    project = project_files(board, program.prefix, "sram")
    first = build_firmware(program, project, board, tmp_path / "one").image
    second = build_firmware(program, project, board, tmp_path / "two").image
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.target
@needs_arm_gcc
def test_pio_run_by_hand_works_after_the_folder_moved(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an385")
    project = project_files(board, program.prefix, "sram")
    build_firmware(program, project, board, tmp_path / "old")
    folder = (tmp_path / "old").rename(tmp_path / "new")
    shutil.rmtree(folder / ".pio")
    command = [sys.executable, "-m", "platformio", "run"]
    result = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout.decode()
    assert (folder / ".pio/build/qemu-mps2-an385/firmware.elf").is_file()


@pytest.mark.target
@needs_arm_gcc
@needs_qemu
@pytest.mark.parametrize("board_id", QEMU_BOARDS)
def test_port_starts_and_talks_on_the_emulator(
    board_id: str, program: CProgram, tmp_path: Path
) -> None:
    board = load_board(board_id)
    texts = project_texts(program, project_files(board, program.prefix, board.ram[0].name), board)
    texts = {n: t for n, t in texts.items() if not n.startswith("src/") or "/port/" in n}
    texts["src/main.c"] = ECHO_MAIN
    texts |= {"src/firmware_model.h": '#include "dummy.h"\n'}
    image = build_project(texts, board_id, tmp_path / "out", require_arm_gcc())
    assert _exchange(board.qemu_machine, image, b"HAL") == b"IBM"


@pytest.mark.target
@needs_arm_gcc
def test_all_code_for_the_microbit_is_armv6m(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-microbit")
    project = project_files(board, program.prefix, "ram")
    firmware = build_firmware(program, project, board, tmp_path / "out")
    with firmware.image.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".ARM.attributes")
        assert isinstance(section, ARMAttributesSection)
        # The linker keeps the newest architecture of all objects, libraries included.
        tags = {a.tag: a.value for a in section.subsections[0].subsubsections[0].attributes}
    assert tags["TAG_CPU_ARCH"] in (11, 12)  # v6-M, v6S-M


@pytest.mark.target
@needs_arm_gcc
def test_weights_in_ram_are_refused(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an385")
    text = program.files["dummy.c"].replace("static const int32_t", "static int32_t")
    text = text.replace("return MCUBNN_SUCCESS;", "dummy_weights[0]++; return MCUBNN_SUCCESS;")
    wrong = dataclasses.replace(program, files=dict(program.files) | {"dummy.c": text})
    project = project_files(board, program.prefix, "sram")
    with pytest.raises(BuildError, match=r"dummy_weights: 32 bytes in \.data"):
        build_firmware(wrong, project, board, tmp_path / "out")


@pytest.mark.target
@needs_arm_gcc
def test_stack_beyond_the_reserve_is_refused(program: CProgram, tmp_path: Path) -> None:
    board = dataclasses.replace(load_board("qemu-mps2-an385"), stack_bytes=64)
    project = project_files(board, program.prefix, "sram")
    with pytest.raises(BudgetError, match="64 are reserved; path: Reset_Handler -> main"):
        build_firmware(program, project, board, tmp_path / "out")


@pytest.mark.target
@needs_arm_gcc
def test_compiler_error_names_command_file_and_log(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an385")
    wrong = dataclasses.replace(
        program, files=dict(program.files) | {"dummy.c": '#include "dummy.h"\nint x = y;\n'}
    )
    project = project_files(board, program.prefix, "sram")
    with pytest.raises(BuildError, match=r"platformio run(.|\n)*dummy\.c:2(.|\n)*build\.log"):
        build_firmware(wrong, project, board, tmp_path / "out")


@pytest.mark.target
@needs_arm_gcc
def test_arena_that_meets_the_stack_is_refused(program: CProgram, tmp_path: Path) -> None:
    board = load_board("nucleo-f746")
    text = program.files["dummy.c"].replace("dummy_arena[16]", "dummy_arena[15872]")
    large = dataclasses.replace(program, files=dict(program.files) | {"dummy.c": text})
    with pytest.raises(BuildError, match="dtcm: variables do not leave 4096 bytes for the stack"):
        build_firmware(large, project_files(board, "dummy", "dtcm"), board, tmp_path / "dtcm")
    firmware = build_firmware(large, project_files(board, "dummy", "sram"), board, tmp_path / "s")
    assert 63_488 <= firmware.bss_bytes < 65_536


@needs_arm_gcc
def test_foreign_folder_is_left_alone(program: CProgram, tmp_path: Path) -> None:
    board = load_board("qemu-mps2-an385")
    (tmp_path / "thesis.tex").write_text("mine")
    project = project_files(board, program.prefix, "sram")
    with pytest.raises(UsageError, match="not written by mcubnn"):
        build_firmware(program, project, board, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("sanitize", [False, True])
def test_host_program_ends_at_the_end_of_input(
    sanitize: bool, program: CProgram, tmp_path: Path
) -> None:
    project = project_files(load_board("host"), program.prefix, "ram")
    firmware = build_host(program, project, tmp_path / "host", sanitize=sanitize)
    result = subprocess.run(
        [firmware.image], input=b"", capture_output=True, timeout=30, check=False
    )
    assert result.returncode == 0
    assert result.stderr == b""


def test_host_objects_are_shared_between_builds(program: CProgram, tmp_path: Path) -> None:
    project = project_files(load_board("host"), program.prefix, "ram")
    build_host(program, project, tmp_path / "one", cache=tmp_path / "cache")
    before = sorted(path.name for path in (tmp_path / "cache").iterdir())
    build_host(program, project, tmp_path / "two", cache=tmp_path / "cache")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == before


def _exchange(machine: str, image: Path, message: bytes) -> bytes:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serial = f"tcp:127.0.0.1:{port},server=on,wait=off"
    command = [QEMU, "-M", machine, "-nographic", "-monitor", "none", "-serial", serial]
    process = subprocess.Popen([*command, "-kernel", str(image)])
    try:
        with _connect(port) as line:
            line.settimeout(10)
            line.sendall(message)
            answer = b""
            while len(answer) < len(message):
                answer += line.recv(16)
            return answer
    finally:
        process.kill()
        process.wait()


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
