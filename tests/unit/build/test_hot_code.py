"""Code in .mcubnn_hot: linked to run in a code region, loaded from flash, counted in both."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from mcubnn.artifacts import HOT_SECTION, CProgram, Firmware
from mcubnn.board import Board, load_board, read_board
from mcubnn.build.firmware import build_firmware
from mcubnn.build.toolchain import ARM_GCC, QEMU
from mcubnn.codegen.generate import generate
from mcubnn.codegen.project import project_files
from mcubnn.errors import BudgetError, BuildError
from mcubnn.example import builtin_example
from mcubnn.ops.evaluate import evaluate_output
from mcubnn.pipeline import CompileOptions, compile_model
from mcubnn.plan.limits import Budget, check_built
from mcubnn.plan.planner import make_plan
from mcubnn.plan.select import SelectionOptions, select_kernels
from mcubnn.report.report import make_report
from mcubnn.resources import boards_dir
from mcubnn.run.session import make_runner, stream
from mcubnn.validate.dataset import load_dataset

pytestmark = [
    pytest.mark.target,
    pytest.mark.skipif(shutil.which(ARM_GCC) is None, reason=f"no {ARM_GCC} in PATH"),
]

IN_HOT = '__attribute__((noinline, section(".mcubnn_hot.test"))) '
RUN_NODE = "mcubnn_status {}_run_node(uint32_t node) {{"
CODE_RAM = """
[[regions]]
name = "code"
kind = "code"
origin = 0x203F_8000
size_bytes = 0x8000
speed_rank = 0
"""
_IMAGES = 20


def heat(program: CProgram) -> CProgram:
    """The program with its function that runs a node in hot code."""
    name, start = f"{program.prefix}.c", RUN_NODE.format(program.prefix)
    text = program.files[name]
    assert text.count(start) == 1
    changed = text.replace(start, IN_HOT + start)
    return dataclasses.replace(program, files=dict(program.files) | {name: changed})


def build(program: CProgram, board: Board, folder: Path) -> Firmware:
    project = project_files(board, program.prefix, board.ram[0].name)
    return build_firmware(program, project, board, folder / "out")


def carved_board(folder: Path) -> Board:
    """The emulated Cortex-M4 with the last 32 KiB of its RAM for hot code."""
    text = (boards_dir() / "qemu-mps2-an386.toml").read_text(encoding="utf-8")
    ram = text.index('kind = "ram"')
    text = text[:ram] + text[ram:].replace("0x0040_0000", "0x003F_8000") + CODE_RAM
    path = folder / "carved.toml"
    path.write_text(f'hot_code = "code"\n{text}', encoding="utf-8")
    return read_board(path)


def disassemble(image: Path) -> str:
    command = ["arm-none-eabi-objdump", "-d", str(image)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_hot_code_lies_in_the_itcm_and_is_stored_in_flash(
    program: CProgram, tmp_path: Path
) -> None:
    firmware = build(heat(program), load_board("nucleo-f746"), tmp_path)
    with firmware.image.open("rb") as file:
        elf = ELFFile(file)
        section = elf.get_section_by_name(HOT_SECTION)
        assert section is not None
        (segment,) = (s for s in elf.iter_segments() if s.section_in_segment(section))
        assert section["sh_addr"] == segment["p_vaddr"] == 0
        assert 0 < section["sh_size"] == firmware.hot_bytes <= segment["p_filesz"]
        assert 0x0800_0000 < segment["p_paddr"] < 0x0810_0000


def test_calls_to_and_from_the_itcm_reach(program: CProgram, tmp_path: Path) -> None:
    start = RUN_NODE.format("dummy")
    local = "volatile uint32_t deep[128];"
    deep = f"{start}\n    {local}\n    deep[node % 128u] = node;\n    node = deep[node % 128u];"
    text = program.files["dummy.c"].replace(start, deep)
    deepest = dataclasses.replace(program, files=dict(program.files) | {"dummy.c": text})
    firmware = build(heat(deepest), load_board("nucleo-f746"), tmp_path)
    flash, itcm = disassemble(firmware.image).split(f"section {HOT_SECTION}:")
    assert "<__dummy_run_node_veneer>:" in flash
    assert "<____aeabi_ldivmod_veneer>:" in itcm
    assert firmware.stack is not None
    assert firmware.stack.path[:2] == ("Reset_Handler", "main")
    assert "dummy_run_node" in firmware.stack.path


def test_hot_code_without_a_region_is_ordinary_code(program: CProgram, tmp_path: Path) -> None:
    firmware = build(heat(program), load_board("qemu-mps2-an385"), tmp_path)
    sections = {symbol.name: symbol.section for symbol in firmware.symbols}
    assert sections["dummy_run_node"] == ".text"
    assert firmware.hot_bytes == 0


def test_weights_in_hot_code_are_refused(program: CProgram, tmp_path: Path) -> None:
    table = "static const int32_t dummy_weights[8]"
    attribute = f'__attribute__((section("{HOT_SECTION}"))) '
    text = program.files["dummy.c"].replace(table, attribute + table)
    wrong = dataclasses.replace(program, files=dict(program.files) | {"dummy.c": text})
    with pytest.raises(BuildError, match=r"dummy_weights: 32 bytes in \.mcubnn_hot"):
        build(wrong, load_board("nucleo-f746"), tmp_path)


def test_hot_code_that_does_not_fit_names_its_region(program: CProgram, tmp_path: Path) -> None:
    board = load_board("nucleo-f746")
    small = tuple(
        dataclasses.replace(r, size_bytes=16) if r.name == board.hot_code else r
        for r in board.regions
    )
    with pytest.raises(BuildError, match="region `itcm' overflowed"):
        build(heat(program), dataclasses.replace(board, regions=small), tmp_path)


def test_hot_code_counts_in_the_ram_budget(program: CProgram, tmp_path: Path) -> None:
    board = load_board("nucleo-f746")
    firmware = build(heat(program), board, tmp_path)
    assert firmware.stack is not None
    needed = firmware.static_ram_bytes + firmware.stack.worst_case_bytes
    check_built(firmware, board, Budget(ram_bytes=needed))
    with pytest.raises(BudgetError, match=r"RAM: (.|\n)*dummy_run_node"):
        check_built(firmware, board, Budget(ram_bytes=needed - 1))


@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"no {QEMU} in PATH")
def test_digits_with_hot_code_are_exact_on_the_emulator(tmp_path: Path) -> None:
    board, example = carved_board(tmp_path), builtin_example()
    model = compile_model(example.model, CompileOptions(example.input))
    selected = select_kernels(model.graph, board, SelectionOptions(), Budget())
    plan = make_plan(selected.graph, board, Budget())
    assert plan.arena_region == "sram"
    program = heat(generate(selected.graph, plan))
    firmware = build(program, board, tmp_path)
    graph = selected.graph
    outputs = graph.tensors[graph.output].elements
    data = load_dataset(example.data, graph.tensors[graph.input], _IMAGES, outputs=outputs)
    with make_runner(firmware, board) as runner:
        result = stream(runner, data.images, program.model_hash)
    expected = evaluate_output(graph, data.images).reshape(_IMAGES, -1)
    np.testing.assert_array_equal(result.scores, expected)
    report = make_report(selected, plan, program, firmware, board)
    hot = report.figure("hot code (.mcubnn_hot)")
    assert 0 < hot.value <= (hot.limit or 0) == 0x8000
    assert report.figure("total RAM with stack").limit == 0x40_0000
    sections = {symbol.name: symbol.section for symbol in firmware.symbols}
    assert sections["digits_run_node"] == HOT_SECTION
