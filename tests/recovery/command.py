"""A study of recovery as a command: draw programs on every core asked for, judge what was found, print and keep it."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = ("kept", "open", "broken", "not judged")


def draw(one_program: Callable, programs: dict[str, int], first_seed: int, processes: int) -> Iterator[pd.DataFrame]:
    """Draw so many programs of each part; the same rows, in the same order, on any number of processes."""
    tasks = [(name, first_seed + number) for name, count in programs.items() for number in range(count)]
    if processes == 1:
        yield from map(one_program, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(one_program, tasks, chunksize=4)


def study(about: str, parts: dict, one_program: Callable, judge: Callable, printed: Callable, name: str) -> None:
    """Run the study from the command line; the exit is not zero if a number breaks its limit.

    Parameters
    ----------
    about : str
        What the command does, for its help.
    parts : dict
        Part to what it is; each has so many `programs`.
    one_program : callable
        Draws one program of (part, seed) and gives what was found, a data frame.
    judge, printed : callable
        What was found to a table with a `verdict`; that table to text.
    name : str
        File of the table, without its ending.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the programs of each part")
    parser.add_argument("--only", choices=list(parts), nargs="+", default=list(parts))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--into", type=Path, default=ROOT / "results" / "recovery")
    asked = parser.parse_args()
    programs = {part: max(round(parts[part].programs * asked.share), 2) for part in asked.only}
    total, start, found = sum(programs.values()), time.perf_counter(), []
    for number, rows in enumerate(draw(one_program, programs, asked.first_seed, asked.processes), start=1):
        found.append(rows)
        if number % 200 == 0 or number == total:
            print(f"{number} of {total} programs, {time.perf_counter() - start:.0f} s", flush=True)
    table = judge(pd.concat(found, ignore_index=True))
    asked.into.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.into / f"{name}.csv", index=False)
    print(printed(table))
    verdicts = table.verdict.str.split(":").str[0].value_counts()
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS if verdict in verdicts)
    print(f"\n{counts}; {time.perf_counter() - start:.0f} s")
    sys.exit(bool(verdicts.get("broken", 0)))
