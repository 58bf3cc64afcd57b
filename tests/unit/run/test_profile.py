"""Counting executed instructions: rounding, and machines that run code of known length."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcubnn.errors import TargetError
from mcubnn.run.host import HostRunner
from mcubnn.run.profile import measure, node_costs
from mcubnn.run.protocol import Frame, FrameType, NodeTicks
from mcubnn.run.qemu import QemuRunner
from mcubnn.run.runner import Deadlines
from mcubnn.run.serial_board import SerialRunner
from tests.unit.run.conftest import Behaviour, FakeModel

ROOT = Path(__file__).parents[3]
PORT = ROOT / "runtime_c" / "port"
COUNTING = Path(__file__).parent / "counting_firmware"
HASH = 0x0C0C0C0C
MACHINES = {
    "microbit": ("cortex-m0", "nrf51", 16_000_000),
    "mps2-an385": ("cortex-m3", "mps2", 25_000_000),
    "mps2-an386": ("cortex-m4", "mps2", 25_000_000),
    "mps2-an500": ("cortex-m7", "mps2", 25_000_000),
    "mps3-an547": ("cortex-m55", "mps3", 32_000_000),
}
LOOPS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 97, 98, 99, 100, 1000, 65_535, 1_000_000, 10_000_019)


@given(
    st.integers(0, 600_000_000),
    st.integers(0, 40),
    st.sampled_from([32_000_000, 25_000_000, 16_000_000]),
    st.integers(0, 10**12),
)
def test_a_count_is_exact_wherever_between_two_ticks_it_starts(
    instructions: int, empty: int, tick_hz: int, start_ns: int
) -> None:
    def ticks(count: int) -> int:
        read = [time_ns * tick_hz // 10**9 for time_ns in (start_ns, start_ns + 256 * count)]
        return read[1] - read[0]

    found = NodeTicks(tick_hz, ticks(empty), (ticks(instructions + empty),))
    assert node_costs(found, 256) == (instructions,)


def test_ticks_stay_ticks_on_a_board_and_never_become_negative() -> None:
    assert node_costs(NodeTicks(216_000_000, 7, (100, 7, 5)), 0) == (93, 0, 0)


def test_an_instruction_of_less_than_two_ticks_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="more than two ticks"):
        node_costs(NodeTicks(25_000_000, 0, (1,)), 64)


def test_a_device_without_a_counter_is_refused(host_firmware: Path, deadlines: Deadlines) -> None:
    images = np.zeros((1, 4, 4, 3), np.uint8)
    with (
        pytest.raises(TargetError, match="has no counter"),
        HostRunner(host_firmware, deadlines) as runner,
    ):
        measure(runner, images, 0x1234ABCD, 1)


@pytest.mark.parametrize(("clock_hz", "unit"), [(48_000_000, "cycles"), (1, "ticks")])
def test_a_board_reports_cycles_only_where_its_counter_runs_at_the_core_clock(
    tcp_device: Callable[[Behaviour], str],
    fake_model: FakeModel,
    deadlines: Deadlines,
    clock_hz: int,
    unit: str,
) -> None:
    images = np.zeros((3, 2, 2, 1), np.uint8)
    with SerialRunner(tcp_device(fake_model.serve), 115200, deadlines) as runner:
        found = measure(runner, images, fake_model.hello.model_hash, clock_hz)
    assert (found.unit, found.tick_hz) == (unit, 48_000_000)
    assert found.costs.tolist() == [[90]] * 3


def test_a_reply_with_too_few_nodes_is_refused(
    tcp_device: Callable[[Behaviour], str],
    fake_model: FakeModel,
    deadlines: Deadlines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = fake_model.answer

    def short(request: Frame) -> Frame:
        reply = known(request)
        if request.kind != FrameType.PROFILE:
            return reply
        return Frame(reply.kind, reply.sequence, reply.payload[:8])

    monkeypatch.setattr(fake_model, "answer", short)
    images = np.zeros((1, 2, 2, 1), np.uint8)
    with (
        SerialRunner(tcp_device(fake_model.serve), 115200, deadlines) as runner,
        pytest.raises(TargetError, match="ticks of 0 nodes arrived; its hello promised 1"),
    ):
        measure(runner, images, fake_model.hello.model_hash, 1)


@pytest.fixture(scope="module")
def counting_image(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds the firmware around the counting model for a machine."""
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None:
        pytest.skip("needs arm-none-eabi-gcc and qemu-system-arm")
    folder = tmp_path_factory.mktemp("counting")

    def build(machine: str) -> Path:
        cpu, port, clock_hz = MACHINES[machine]
        parts = ["include", "port", f"port/{port}", "firmware"]
        sources = [
            *sorted((ROOT / "runtime_c" / "firmware").glob("*.c")),
            *(PORT / port / f"{port}.c", PORT / "cortex_m/startup.c"),
            COUNTING / "counting_model.c",
        ]
        image = folder / f"{machine}.elf"
        command = [
            *("arm-none-eabi-gcc", "-std=gnu11", "-O2", "-mthumb", f"-mcpu={cpu}"),
            *(f"-DMCUBNN_CORE_CLOCK_HZ={clock_hz}", "-DMCUBNN_PORT_BAUD=115200"),
            *("-nostartfiles", "--specs=nano.specs", "-T", str(COUNTING / "board.ld")),
            *(f"-I{ROOT / 'runtime_c' / part}" for part in parts),
            *(f"-I{COUNTING}", *(str(source) for source in sources), "-o", str(image)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return image

    return build


@pytest.mark.target
@pytest.mark.parametrize("machine", MACHINES)
def test_the_emulator_counts_every_instruction(
    machine: str, counting_image: Callable[[str], Path]
) -> None:
    image = counting_image(machine)
    loops = np.array(LOOPS, "<u4")
    images = loops.view(np.uint8).reshape(-1, 1, 1, 4)
    runs = []
    for _ in range(2):
        with QemuRunner(machine, image, count_instructions=True) as runner:
            runs.append(measure(runner, images, HASH, 1))
    first, second = runs
    assert first.unit == "instructions"
    assert first.costs.tolist() == second.costs.tolist()
    rest, short, long = (first.costs - first.costs[0]).T
    assert rest.tolist() == [0] * len(loops)
    assert short.tolist() == [2 * (count - 1) for count in LOOPS]
    assert long.tolist() == [5 * (count - 1) for count in LOOPS]
    assert 0 < first.costs[0, 0] < 16  # the call of a node that does nothing


@pytest.mark.target
def test_reading_the_counter_costs_what_the_empty_measurement_says(
    counting_image: Callable[[str], Path],
) -> None:
    machine = "mps2-an386"
    with QemuRunner(machine, counting_image(machine), count_instructions=True) as runner:
        found = runner.profile(b"\x01\0\0\0")
    assert found.tick_hz == 25_000_000
    assert 1 <= found.empty_ticks / 6.4 < 10
