"""Build the program: batches of members on one or more processes, each written as a part."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ratebook.contracts import intake
from ratebook.simulate import behavioural, longterm_batch
from ratebook.simulate.block import NULL, month_start
from ratebook.simulate.delivery import UNPAID
from ratebook.simulate.records import facility_table, log_columns, program_cost_table, staff_log
from ratebook.simulate.setup import Setup, read_setup
from ratebook.simulate.truth import describe_truth, sample_truth
from ratebook.simulate.write import dates, decimals, empty_table, write_part, write_single

POPULATIONS = {"behavioural": behavioural.make_batch, "long_term": longterm_batch.make_batch}
TRUTH = "truth"
"""A third population, which is never written: the large sample from which the truth is computed."""
PER_BATCH = ("medical_claims", "pharmacy_claims")
"""Tables kept as folders of parts; the parts of every other table are joined into one file."""


@dataclass(frozen=True)
class Batch:
    """Members made together: nothing they get depends on any other batch, nor on the number of processes."""

    number: int
    population: str
    first: int
    members: int
    seed: np.random.SeedSequence


def build_program(study: dict, settings: dict, folder: str | Path, truth: str | Path, threads: int) -> None:
    """Write a synthetic program in the raw layout, and what was planted in it.

    Parameters
    ----------
    study : dict
        `window_start`, `window_end`, `extract_date` as ISO dates.
    settings : dict
        The section `simulate` of the config.
    folder : path
        Where the raw tables go: `<table>.parquet`, a folder of parts for claims, else one file.
    truth : path
        Where the JSON of what was planted goes; its keys are described in `truth.describe_truth`.
    threads : int
        Processes at most; changes no byte of the output.

    References
    ----------
    methods.md, G (synthetic-truth tests); design.md, 5.
    """
    folder, truth = Path(folder), Path(truth)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    setup = read_setup(study, settings)
    tasks = [(setup, batch, folder) for batch in plan_batches(settings)]
    total: Counter = Counter()
    faults: dict[str, list[str]] = {}
    stands: dict[str, list[str]] = {}
    owners: dict[str, str] = {}
    for tally, planted in _each(tasks, threads):
        total.update(tally)
        for found, ids_by_kind in zip((faults, stands), planted):
            for kind, ids in ids_by_kind.items():
                found.setdefault(kind, []).extend(ids)
        owners |= planted[2]
    _write_program_tables(setup, folder, total, len(tasks))
    for table, contract in intake.TABLES.items():
        path = folder / f"{table}.parquet"
        if not path.exists():
            write_single(empty_table(contract), contract, path)
        elif table not in PER_BATCH and path.is_dir():
            _join_parts(path)
    truth.write_text(json.dumps(describe_truth(setup, total, faults, stands, owners), indent=1, sort_keys=True) + "\n")


def plan_batches(settings: dict) -> list[Batch]:
    """Cut every population into batches of `members_per_batch`, each with a seed of its own.

    Of the truth's users only clients are billed, one in four: its batches are four times as large.
    """
    found = []
    for kind, population in enumerate((*POPULATIONS, TRUTH)):
        members = settings[f"{population}_members"]
        size = settings["members_per_batch"] * (4 if population == TRUTH else 1)
        starts = range(0, members, size)
        seeds = np.random.SeedSequence([settings["seed"], kind]).spawn(len(starts))
        for start, seed in zip(starts, seeds):
            first = kind * 10**7 + start
            found.append(Batch(len(found), population, first, min(size, members - start), seed))
    return found


def _each(tasks: list, threads: int):
    """Make the batches in order, on `threads` processes where the system can fork, else one after another."""
    if threads > 1 and len(tasks) > 1 and "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(min(threads, len(tasks)), maxtasksperchild=8) as pool:
            yield from pool.imap(_make, tasks)
    else:
        yield from map(_make, tasks)


def _make(task: tuple[Setup, Batch, Path]) -> tuple[Counter, tuple[dict, dict, dict]]:
    setup, batch, folder = task
    if batch.population == TRUTH:
        return sample_truth(setup, batch), ({}, {}, {})
    tables, tally, faults = POPULATIONS[batch.population](setup, batch)
    for table, columns in tables.items():
        write_part(columns, intake.TABLES[table], folder / f"{table}.parquet", f"part-{batch.number:05d}")
    return tally, faults


def _join_parts(path: Path) -> None:
    parts = sorted(path.glob("*.parquet"))
    whole = path.with_suffix(".joined")
    with pq.ParquetWriter(whole, pq.read_schema(parts[0]), compression="snappy", store_schema=False) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part))
    shutil.rmtree(path)
    whole.rename(path)


def _write_program_tables(setup: Setup, folder: Path, total: Counter, batches: int) -> None:
    """Write what belongs to no batch: facilities, program costs, staff time, and the supplier's control totals."""
    rng = np.random.default_rng([setup.settings["seed"], 11])
    log = log_columns(staff_log(rng, setup), np.zeros(1, np.int64), batches)
    write_part(log, intake.NavigatorLog, folder / "navigator_log.parquet", f"part-{batches:05d}")
    write_single(facility_table(setup), intake.Facilities, folder / "facilities.parquet")
    write_single(program_cost_table(setup), intake.ProgramCosts, folder / "program_costs.parquet")
    write_single(control_table(total), intake.ControlTotals, folder / "control_totals.parquet")


def control_table(total: Counter) -> pa.Table:
    """Give the supplier's totals: lines and line dollars sent, by file, month paid and claim type.

    Each record counts once, under the file it was first sent in: copies that a faulty load made, or that a later
    file repeats, are not in the totals. Dollars are those of the lines' `paid_amount` as sent, voids and all.
    """
    keys = sorted({key[1:4] for key in total if key[0] == "control"})
    amounts = [(total[("control", *key, "rows")], total[("control", *key, "cents")]) for key in keys]
    files, months, categories = (list(column) for column in zip(*keys)) if keys else ([], [], [])
    month = np.array(months, np.int64)
    return pa.table(
        {
            "source_file": pa.array(files, pa.string()),
            "paid_month": dates(np.where(month == UNPAID, NULL, month_start(month))),
            "category": pa.array(categories, pa.string()),
            "record_count": pa.array([rows for rows, _ in amounts], pa.int64()),
            "paid_amount": decimals(np.array([paid for _, paid in amounts], np.int64), pa.decimal128(14, 2)),
        }
    )
