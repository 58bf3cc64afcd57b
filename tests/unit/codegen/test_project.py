import dataclasses
import json

import pytest

from mcubnn.board import load_board
from mcubnn.codegen.project import project_files
from mcubnn.errors import InternalError, UsageError


def test_project_has_every_file_of_a_board() -> None:
    files = project_files(load_board("nucleo-f746"), "digits", "sram")
    assert set(files) == {
        "README.md",
        "boards/nucleo-f746.json",
        "linker.ld",
        "platformio.ini",
        "src/firmware_model.h",
    }


def test_linker_script_places_arena_and_stack_by_region() -> None:
    script = project_files(load_board("nucleo-f746"), "digits", "sram")["linker.ld"]
    assert "dtcm (rwx) : ORIGIN = 0x20000000, LENGTH = 0x10000" in script
    arena = script[script.index(".mcubnn_arena (NOLOAD)") :]
    assert arena[: arena.index("\n\n")].endswith("> sram")
    stack = script[script.index(".mcubnn_stack (") :]
    assert stack.startswith(".mcubnn_stack (ORIGIN(dtcm) + LENGTH(dtcm) - 4096)")
    assert script.index(".bss.digits_arena)") < script.index("*(.bss .bss.* COMMON)")


def test_hot_code_is_loaded_from_flash_and_runs_in_its_region() -> None:
    board = load_board("nucleo-f746")
    files = project_files(board, "digits", "sram")
    script = files["linker.ld"]
    assert "itcm (rwx) : ORIGIN = 0x00000000, LENGTH = 0x4000" in script
    assert script.count("*(.mcubnn_hot .mcubnn_hot.*)") == 1
    hot = script[script.index("    .mcubnn_hot :") :]
    assert hot[: hot.index("\n    mcubnn_ld_hot_load")].endswith("> itcm AT > flash")
    upload = json.loads(files["boards/nucleo-f746.json"])["upload"]
    assert upload["maximum_ram_size"] == (320 + 16) * 1024


def test_hot_code_stays_in_text_without_a_region_for_it() -> None:
    board = dataclasses.replace(load_board("nucleo-f746"), hot_code="")
    script = project_files(board, "digits", "sram")["linker.ld"]
    text = script[script.index(".text :") : script.index(".rodata :")]
    assert script.count("mcubnn_hot") == 2
    assert "*(.mcubnn_hot .mcubnn_hot.*)" in text


def test_board_manifest_carries_the_flags() -> None:
    files = project_files(load_board("nucleo-f746"), "digits", "dtcm")
    build = json.loads(files["boards/nucleo-f746.json"])["build"]
    assert build["machine_flags"][:2] == ["-mcpu=cortex-m7", "-mthumb"]
    assert "-Werror" in build["compile_flags"]
    assert ["MCUBNN_CORE_CLOCK_HZ", "216000000u"] in build["defines"]


def test_defines_of_the_board_reach_the_compiler() -> None:
    board = dataclasses.replace(load_board("nucleo-f746"), defines=(("PIN", "7u"),))
    build = json.loads(project_files(board, "digits", "dtcm")["boards/nucleo-f746.json"])["build"]
    assert ["PIN", "7u"] in build["defines"]


def test_host_needs_the_model_header_only() -> None:
    files = project_files(load_board("host"), "digits", "ram")
    assert list(files) == ["src/firmware_model.h"]
    assert "#define MODEL_HASH DIGITS_MODEL_HASH" in files["src/firmware_model.h"]
    assert "#define model_run_node digits_run_node" in files["src/firmware_model.h"]
    assert '#define MODEL_BOARD "host"' in files["src/firmware_model.h"]


def test_unknown_region_names_the_allowed_ones() -> None:
    with pytest.raises(UsageError, match="'flash' of nucleo-f746; allowed: dtcm, sram"):
        project_files(load_board("nucleo-f746"), "digits", "flash")


@pytest.mark.parametrize("prefix", ["", "a b", "a;b", "ünit", 'x"y'])
def test_prefix_that_is_no_c_identifier_is_refused(prefix: str) -> None:
    with pytest.raises(InternalError, match="prefix of C symbols"):
        project_files(load_board("nucleo-f746"), prefix, "dtcm")
