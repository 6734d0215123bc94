"""`make bench`: speed and memory of the long steps, each beside a plain yardstick in the same run.

Absolute seconds depend on the machine, so every figure stands beside a ratio. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from bench_rates import bench_programs, bench_rates
from bench_tools import ROOT, measured, project_in, watched

MEDICAL_SHARE = 0.785
"""Of the simulated lines, those of medical claims; the others are dispensings."""


def bench_simulate(lines: int, folder: Path) -> dict:
    """Write a program of about so many medical claim lines; the yardstick is a copy of the same files."""
    from ratebook.simulate.build import build_program

    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    settings = config["simulate"]
    build_program(config["study"], settings, folder / "raw", folder / "truth.json", 2)
    factor = lines / count_lines(folder / "raw")
    for population in ("behavioural_members", "long_term_members"):
        settings[population] = int(settings[population] * factor)
    found = measured(build_program, config["study"], settings, folder / "raw", folder / "truth.json", 2)
    found["lines"] = count_lines(folder / "raw")
    copy = measured(copy_lines, folder / "raw" / "medical_claims.parquet", folder / "copy.parquet")
    return {**found, "copy_seconds": copy["seconds"], "ratio_to_copy": round(found["seconds"] / copy["seconds"], 2)}


def count_lines(raw: Path) -> int:
    """Count the medical claim lines of a raw folder."""
    return sum(pq.read_metadata(part).num_rows for part in (raw / "medical_claims.parquet").glob("*.parquet"))


def copy_lines(source: Path, target: Path) -> None:
    """Read every medical line and write it again: the least that any writer of claims must do."""
    import duckdb

    duckdb.sql("set threads = 2")
    duckdb.sql(f"copy (from read_parquet('{source}/*.parquet')) to '{target}' (format parquet)")


CLEANED = [
    "results/clean/attrition.parquet",
    "results/clean/cash_ledger.parquet",
    "results/exposure/exposure_qa.parquet",
    "results/exposure/monthly_services.parquet",
]
"""What makes the pipeline run all of clean but contacts and figures, and all of exposure but figures."""
KEEP_LAST = """
    copy (from read_parquet('{source}/*.parquet') qualify row_number() over (
        partition by claim_id, claim_line_number order by paid_date desc, load_sequence desc) = 1)
    to '{target}' (format parquet, compression zstd)
"""


def bench_clean(raw: Path, folder: Path) -> dict:
    """Clean a program and count its exposure, as the pipeline does, on two cores.

    The yardstick is one hand-written query a file of claims: it reads the same tables of intake, keeps the last
    record of each line of a claim and writes it back, with the same memory.
    """
    own = {"intake": {"source": str(raw)}, "engine": {"scratch": str(folder / "scratch")}}
    project = project_in(folder, own)
    intake = watched(project, ["results/intake/source_manifest.parquet"])
    tables = [project / "results" / "intake" / f"{name}.parquet" for name in ("medical_claims", "pharmacy_claims")]
    lines = sum(pq.read_metadata(part).num_rows for table in tables for part in table.glob("*.parquet"))
    found = watched(project, CLEANED)
    yard = [measured(keep_last, table, folder) for table in tables]
    seconds = sum(one["seconds"] for one in yard)
    return {
        "lines": lines,
        "intake_seconds": intake["seconds"],
        **found,
        "seconds_by_rule": seconds_by_rule(project),
        "yardstick_seconds": round(seconds, 1),
        "yardstick_peak_gb": max(one["peak_gb"] for one in yard),
        "ratio_to_yardstick": round(found["seconds"] / seconds, 2),
    }


def seconds_by_rule(project: Path) -> dict[str, float]:
    """Give the seconds of each rule of clean and exposure, as Snakemake writes them down."""
    files = [path for stage in ("clean", "exposure") for path in (project / "benchmarks" / stage).glob("*.tsv")]
    return {path.stem: round(float(path.read_text().splitlines()[1].split("\t")[0]), 1) for path in sorted(files)}


def keep_last(source: Path, folder: Path) -> None:
    """Keep the last record of each line of a claim."""
    import duckdb

    limits = {"threads": 2, "memory_limit": "4GB", "temp_directory": str(folder / "scratch")}
    duckdb.connect(config=limits).sql(KEEP_LAST.format(source=source, target=folder / "last.parquet"))


def bench_engagement(persons: int, replicates: int) -> dict:
    """Estimate every headline of engagement with its replicates, on two cores: two doors, side by side.

    The yardstick is what those errors cost without sharing any work: one Kaplan-Meier curve of a library for each
    arm, times the replicates.
    """
    from recovery.world import World, tables

    cohort, spells = tables(World(persons=persons, providers=(30, 30)), 1)
    cohort = with_covariates(cohort)
    found = {name: measured(estimate_engagement, name, cohort, spells, replicates) for name in ("survival", "trial")}
    both = measured(side_by_side, cohort, spells, replicates)
    one = measured(library_curve, cohort, spells)
    plain = one["seconds"] / LIBRARY_CURVES * 2 * replicates
    return {
        "persons": len(cohort),
        "replicates": replicates,
        **both,
        "seconds_by_door": {name: part["seconds"] for name, part in found.items()},
        "yardstick_seconds": round(plain, 1),
        "ratio_to_yardstick": round(both["seconds"] / plain, 2),
    }


def with_covariates(cohort):
    """Vary what the recovery study leaves alike, so that every covariate of the default config enters a model."""
    import numpy as np

    rng, persons = np.random.default_rng(2), len(cohort)
    levels = {"race": ["a", "b", "c", "d"], "region": ["e", "n", "s", "w"], "dx_class": ["alcohol", "opioid", "other"]}
    flags = ("is_ama", "is_moud_before", "is_mental_before", "is_prior_program")
    return cohort.assign(
        **{name: rng.choice(values, persons) for name, values in levels.items()},
        **{name: rng.random(persons) < 0.3 for name in flags},
        los_days=rng.integers(1, 20, persons),
        total_cost_before_usd=rng.gamma(2.0, 5000.0, persons),
    )


def estimate_engagement(name: str, cohort, spells, replicates: int) -> None:
    """Run what a door of engagement runs, with the covariates of the default config and two landmarks and graces."""
    from recovery import estimators

    estimators.REPLICATES = replicates
    covariates = yaml.safe_load((ROOT / "config.yaml").read_text())["engagement"]["covariates"]
    more = {"more_days": (20,)} if name == "trial" else {}
    getattr(estimators, name)(cohort, spells, 1, covariates, **more)


def at_once(*works) -> None:
    """Run all these at once, a core each."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work) for work in works]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("an estimate failed")


def side_by_side(cohort, spells, replicates: int) -> None:
    """Run both doors at once, a core each, as the pipeline does."""
    at_once(*(partial(estimate_engagement, name, cohort, spells, replicates) for name in ("survival", "trial")))


LIBRARY_CURVES = 20
"""Curves the yardstick draws."""


def library_curve(cohort, spells) -> None:
    """Draw the curve of half the spells, again and again, with lifelines."""
    from lifelines import KaplanMeierFitter

    half = spells[spells.program == "RSN"]
    for _ in range(LIBRARY_CURVES):
        KaplanMeierFitter().fit(half.length_days, half.is_event)


def bench_cost(persons: int, replicates: int) -> dict:
    """Estimate the four exhibits of cost with their replicates, on two cores: two doors, side by side, as they run.

    The yardstick is one cost of both arms, estimated anew on plainly redrawn members, times the replicates.
    """
    from recovery.cost_world import CostWorld, tables

    people = tables(CostWorld(persons=persons, providers=(30, 30)), 1)
    found = {name: measured(exhibit, people, replicates) for name, exhibit in COST_DOORS.items()}
    both = measured(doors_side_by_side, people, replicates)
    plain = measured(redraw_plainly, people)["seconds"] / PLAIN_REDRAWS * replicates
    return {
        "persons": persons,
        "replicates": replicates,
        **both,
        "seconds_by_door": {name: part["seconds"] for name, part in found.items()},
        "yardstick_seconds": round(plain, 1),
        "ratio_to_yardstick": round(both["seconds"] / plain, 2),
    }


def cost_settings(replicates: int) -> dict:
    """Give the settings of the default config, with so many replicates."""
    own = yaml.safe_load((ROOT / "config.yaml").read_text())["cost"]
    named = ("horizon_days", "intervals", "min_observed_share", "month_values_usd")
    hybrid = own["payment_forms"]["hybrid"]["value"]
    return {name: own[name] for name in named} | {"boot_reps": replicates, "seed": 1, "hybrid": hybrid}


def price_and_total(people, replicates: int) -> None:
    """Run the doors of total cost and PMPM, one of which needs the other."""
    from ratebook.contracts.cost import PopulationCosts, PopulationMonths
    from ratebook.cost.pmpm import price_pmpm
    from ratebook.cost.total_cost import estimate_total_cost
    from ratebook.tables import empty_frame

    total = estimate_total_cost(*people, cost_settings(replicates))["total_cost"]
    nobody = empty_frame(PopulationCosts), empty_frame(PopulationMonths)
    price_pmpm(*people, total, *nobody, "fractional", replicates, 1)


def compare(people, replicates: int) -> None:
    """Run the door of decomposition, break-even and increments."""
    from ratebook.cost.arms import compare_arms
    from ratebook.cost.drawn import draw_arms

    settings = cost_settings(replicates)
    compare_arms(draw_arms(*people, settings), settings)


COST_DOORS = {"total_cost, pmpm": price_and_total, "decomposition, break-even": compare}
PLAIN_REDRAWS = 10
"""Replicates the yardstick of cost draws."""


def doors_side_by_side(people, replicates: int) -> None:
    """Run the doors of cost at once, a core each."""
    at_once(*(partial(door, people, replicates) for door in COST_DOORS.values()))


def redraw_plainly(people) -> None:
    """Draw members with replacement, lay them out and estimate total SUD cost, again and again."""
    from dataclasses import replace

    import numpy as np

    from ratebook.cost.censored import Sample, mean_cost
    from ratebook.cost.panels import build_panels
    from recovery.cost_world import EDGES

    rng, panels = np.random.default_rng(1), build_panels(*people, EDGES)
    for _ in range(PLAIN_REDRAWS):
        for panel in panels.values():
            at = rng.integers(0, panel.persons, panel.persons)
            drawn = {name: getattr(panel, name)[at] for name in ("followed_days", "is_complete", "cluster")}
            amounts = {"total_sud": panel.amounts["total_sud"][at]}
            mean_cost(Sample(replace(panel, **drawn, amounts=amounts)), "total_sud", "partitioned")


BENCHES = ("simulate", "clean", "engagement", "cost", "rates", "programs")


def main() -> None:
    """Print one line of JSON per benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=int, default=10_000_000, help="medical claim lines to simulate")
    parser.add_argument("--cleaned", type=int, default=30_000_000, help="lines to clean, medical and pharmacy")
    parser.add_argument("--persons", type=int, default=20_000, help="members of the cohort")
    parser.add_argument("--replicates", type=int, default=1_000, help="of every estimate")
    parser.add_argument("--members", type=int, default=100_000, help="of long-term care, each of 48 months")
    parser.add_argument("--only", choices=BENCHES, help="one benchmark")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if asked.only in (None, "simulate"):
            print(json.dumps({"simulate": bench_simulate(asked.simulated, folder)}), flush=True)
        if asked.only in (None, "clean"):
            bench_simulate(int(asked.cleaned * MEDICAL_SHARE), folder)
            print(json.dumps({"clean": bench_clean(folder / "raw", folder)}), flush=True)
        if asked.only in (None, "engagement"):
            print(json.dumps({"engagement": bench_engagement(asked.persons, asked.replicates)}), flush=True)
        if asked.only in (None, "cost"):
            print(json.dumps({"cost": bench_cost(asked.persons, asked.replicates)}), flush=True)
        if asked.only in (None, "rates"):
            print(json.dumps({"rates": bench_rates(500, 12)}), flush=True)
        if asked.only in (None, "programs"):
            (folder / "programs").mkdir()
            print(json.dumps({"programs": bench_programs(asked.members, folder / "programs")}), flush=True)


if __name__ == "__main__":
    main()
