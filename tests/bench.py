"""`make bench`: speed and memory of the long steps, each beside a plain yardstick in the same run.

Absolute seconds depend on the machine, so every figure stands beside a ratio. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))


def measured(call, *arguments) -> dict:
    """Run a call in a process of its own; give its seconds, and the peak memory of it and of its workers."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, call, arguments))
    process.start()
    found = ours.recv()
    process.join()
    return found


def _run(pipe, call, arguments) -> None:
    start = time.perf_counter()
    call(*arguments)
    seconds = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    pipe.send({"seconds": round(seconds, 1), "peak_gb": round((own + 2 * worker) / 2**20, 2)})


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


def main() -> None:
    """Print one line of JSON per benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000, help="medical claim lines to simulate")
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps({"simulate": bench_simulate(lines, Path(scratch))}), flush=True)


if __name__ == "__main__":
    main()
