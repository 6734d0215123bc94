"""What every benchmark is measured with: a call, or rules of the pipeline, in processes of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]


def measured(call, *arguments) -> dict:
    """Run a call in a process of its own, what others wrote being on disk; give its seconds, and peak memory with workers."""
    os.sync()
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


def project_in(folder: Path, own: dict) -> Path:
    """Lay out the project in a folder of its own, with settings over those of config.yaml."""
    project = folder / "project"
    project.mkdir()
    for name in ("Snakefile", "workflow", "scripts", "environment.yml", "config.yaml", "requirements.txt"):
        (project / name).symlink_to(ROOT / name)
    (project / "bench.yaml").write_text(yaml.safe_dump(own))
    return project


def watched(project: Path, targets: list[str]) -> dict:
    """Make targets with Snakemake on two cores; give the seconds, and the peak memory of all its processes together."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "bench.yaml", "--quiet", "all", "--"]
    os.sync()
    start, peak = time.perf_counter(), 0
    with open(project / "bench.log", "a") as log:
        process = psutil.Popen([*command, *targets], cwd=project, stdout=log, stderr=log)
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                running = [process, *process.children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in running))
            time.sleep(0.2)
    if process.returncode:
        raise SystemExit((project / "bench.log").read_text()[-3000:])
    return {"seconds": round(time.perf_counter() - start, 1), "peak_gb": round(peak / 2**30, 2)}
