from pathlib import Path

import pytest

from mcubnn.board import Access, Region, list_boards, load_board, read_board
from mcubnn.errors import UsageError

VALID = """\
title = "Test"
cpu = "cortex-m4"
clock_hz = 1000
stack_bytes = 2048
port = "mps2"
runner = "serial"

[[regions]]
name = "rom"
kind = "flash"
origin = 0
size_bytes = 0x10000
speed_rank = 0

[[regions]]
name = "slow"
kind = "ram"
origin = 0x20000000
size_bytes = 0x10000
speed_rank = 1

[[regions]]
name = "fast"
kind = "ram"
origin = 0x30000000
size_bytes = 0x8000
speed_rank = 0
"""

ITCM = """
[[regions]]
name = "itcm"
kind = "code"
origin = 0x10000000
size_bytes = 0x4000
speed_rank = 0
"""


def problems(text: str, folder: Path) -> str:
    path = folder / "test.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_board(path)
    return caught.value.message


def test_every_board_file_is_valid() -> None:
    boards = {board.id: board for board in list_boards()}
    assert {"host", "nucleo-f746", "qemu-mps2-an385"} <= set(boards)
    nucleo = boards["nucleo-f746"]
    assert [region.name for region in nucleo.ram] == ["dtcm", "sram"]
    assert nucleo.flash[0].size_bytes == 1 << 20


def test_regions_are_ordered_by_speed_and_defaults_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / "my-board.toml").write_text(VALID + '\n[defines]\nPIN = "7u"\n')
    board = read_board(tmp_path / "my-board.toml")
    assert board.id == "my-board"
    assert [region.name for region in board.ram] == ["fast", "slow"]
    assert (board.fpu, board.float_abi, board.baud) == ("", "soft", 115200)
    assert board.defines == (("PIN", "7u"),)
    assert board.hot_region is None
    assert board.static_ram == board.ram


def test_hot_code_has_a_region_of_its_own_that_holds_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "my-board.toml"
    path.write_text('hot_code = "itcm"\n' + VALID + ITCM)
    board = read_board(path)
    assert {region.kind for region in board.regions} == set(Access)
    assert board.hot_region == Region("itcm", Access.CODE, 0x10000000, 0x4000, 0)
    assert [region.name for region in board.ram] == ["fast", "slow"]
    assert [region.name for region in board.static_ram] == ["fast", "slow", "itcm"]
    path.write_text(VALID + ITCM)
    assert read_board(path).static_ram == board.ram


@pytest.mark.parametrize(
    ("hot_code", "regions", "message"),
    [
        ("fast", ITCM, "hot_code: found 'fast', a region of kind ram; allowed: itcm"),
        ("rom", "", "'rom', a region of kind flash; allowed: no region has kind code"),
        ("dtcm", ITCM, "hot_code: found 'dtcm', no region; allowed: itcm"),
        ("ITCM", ITCM, "hot_code: found 'ITCM'; allowed: a region of kind code, or empty"),
    ],
)
def test_hot_code_names_a_code_region(
    hot_code: str, regions: str, message: str, tmp_path: Path
) -> None:
    assert message in problems(f'hot_code = "{hot_code}"\n{VALID}{regions}', tmp_path)


def test_hot_code_is_nothing_for_this_computer(tmp_path: Path) -> None:
    text = f'hot_code = "itcm"\n{VALID}{ITCM}'.replace('"serial"', '"host"')
    assert "hot_code: found 'itcm' with runner 'host'" in problems(text, tmp_path)


def test_cortex_m55_has_mve(tmp_path: Path) -> None:
    text = VALID.replace('"cortex-m4"', '"cortex-m55"')
    assert "fpu: found '' with float_abi soft and cortex-m55" in problems(text, tmp_path)
    (tmp_path / "test.toml").write_text(f'fpu = "auto"\nfloat_abi = "hard"\n{text}')
    assert read_board(tmp_path / "test.toml").fpu == "auto"


def test_code_region_is_no_ram(tmp_path: Path) -> None:
    text = VALID.replace('kind = "ram"', 'kind = "code"')
    assert "regions: no region of kind ram" in problems(text, tmp_path)


def test_unknown_board_offers_the_nearest_names() -> None:
    with pytest.raises(UsageError, match="no such board; allowed: host, nucleo-f746") as caught:
        load_board("nucleof746")
    assert "nucleo-f746" in caught.value.hint


@pytest.mark.parametrize("board_id", ["../boards/host", "", "/etc/passwd"])
def test_board_id_is_never_a_path(board_id: str) -> None:
    with pytest.raises(UsageError, match="no such board"):
        load_board(board_id)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clock_hz = 1000", "clock = 1000", "test.toml: clock: unknown key; allowed: title, cpu"),
        ("clock_hz = 1000", "", "test.toml: clock_hz: missing"),
        ("clock_hz = 1000", 'clock_hz = "fast"', "clock_hz: found 'fast'; allowed: a positive"),
        ("clock_hz = 1000", "clock_hz = true", "clock_hz: found True"),
        ('"cortex-m4"', '"cortex-m4 -fplugin=x"', "cpu: found 'cortex-m4 -fplugin=x'"),
        ('"serial"', '"qemu"', "qemu_machine: found '' with runner 'qemu'"),
        ('"serial"', '"host"', "cpu: found 'cortex-m4' with runner 'host'"),
        ("stack_bytes = 2048", "stack_bytes = 0x8000", "stack_bytes: found 32768; allowed: less"),
        ('kind = "flash"', 'kind = "ram"', "regions: no region of kind flash"),
        ('kind = "flash"', 'kind = "rom"', "regions[0].kind: found 'rom'; allowed: flash, ram"),
        ('name = "slow"', 'name = "fast"', "regions: name fast is used twice"),
        ("origin = 0x30000000", "origin = 0x20008000", "regions: slow (0x20000000, 65536 bytes) o"),
        ("origin = 0x30000000", "origin = 0xFFFFFF00", "fast ends at 0x100007f00"),
    ],
)
def test_broken_rule_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert message in problems(VALID.replace(old, new), tmp_path)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = VALID.replace("clock_hz = 1000", "colour = 1").replace('"flash"', '"rom"')
    message = problems(text + '[defines]\nlower = "a b"\n', tmp_path)
    assert "colour: unknown" in message
    assert "clock_hz: missing" in message
    assert "regions[0].kind" in message
    assert "defines.lower: allowed" in message
    assert "defines.lower: found 'a b'" in message


def test_syntax_error_names_the_file(tmp_path: Path) -> None:
    assert "test.toml: not a readable TOML file" in problems("title = ", tmp_path)
