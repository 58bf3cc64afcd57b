"""`python -m tests.bench`: executed instructions of fixed layers and networks on four cores.

Fails if a row needs clearly more instructions than the committed baseline says.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from tests.bench.machines import boards
from tests.bench.measuring import geometry_rows, network_rows
from tests.bench.networks import networks
from tests.bench.rows import (
    Row,
    Skipped,
    read_baseline,
    regressions,
    table,
    unmeasured,
    write_baseline,
    write_json,
)

BASELINE = Path(__file__).parent / "baseline.json"
BUILDS = Path("build") / "bench"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--update-baseline", action="store_true", help="commit to these counts")
    parser.add_argument("--json", type=Path, default=BUILDS / "result.json", help="result file")
    parser.add_argument("--jobs", type=int, default=2, help="builds and runs at a time")
    parser.add_argument("--core", action="append", help="only this core, such as cortex-m4")
    parser.add_argument("--layers", action="store_true", help="only the single layers")
    return parser.parse_args(arguments)


def collect(options: argparse.Namespace) -> tuple[list[Row], list[Skipped], str]:
    """Measure everything; rows, what could not be measured, the compiler."""
    chosen = [board for board in boards() if not options.core or board.cpu in options.core]
    wanted = () if options.layers else networks()
    here = [network for network in wanted if not network.why_not]
    with ThreadPoolExecutor(options.jobs) as pool:
        layers = [pool.submit(geometry_rows, board, BUILDS / board.id) for board in chosen]
        wholes: list[Future[list[Row]]] = [
            pool.submit(network_rows, network, board, BUILDS / board.id)
            for network in here
            for board in chosen
        ]
        rows = [row for done in layers for row in done.result()[0]]
        rows += [row for done in wholes for row in done.result()]
        compiler = layers[0].result()[1] if layers else ""
    skipped = [Skipped(n.case, n.why_not) for n in wanted if n.why_not]
    return rows, skipped, compiler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, compare; 1 if something regressed."""
    options = _arguments(arguments)
    started = time.monotonic()
    rows, skipped, compiler = collect(options)
    baseline = read_baseline(BASELINE)
    write_json(options.json, rows, skipped, compiler)
    console = Console(width=110)
    console.print(table(rows, baseline))
    console.print("executed instructions per image, QEMU -icount; not cycles, not time")
    console.print(f"{compiler}; {time.monotonic() - started:.0f} s; {options.json}", style="dim")
    for skip in skipped:
        console.print(f"not measured: {skip.case}: {skip.why}", style="yellow")
    if options.update_baseline:
        write_baseline(BASELINE, rows, compiler, baseline)
        return 0
    if missing := unmeasured(rows, baseline):
        console.print(f"in the baseline only: {len(missing)} rows", style="yellow")
    worse = regressions(rows, baseline)
    for line in worse:
        console.print(f"regression: {line}", style="bold red")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
