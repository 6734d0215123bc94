"""`make check`: a fresh run in an empty folder reproduces the committed release, byte for byte."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "results/release"


def main() -> int:
    """Copy the tracked files without results, run, compare; give the count of differing files."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for name in filter(None, tracked):
            if not name.startswith("results/"):
                target = Path(scratch, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        subprocess.run([sys.executable, "-m", "snakemake", "--cores", "all"], cwd=scratch, check=True)
        committed = {name for name in tracked if name.startswith(f"{RELEASE}/")}
        made = {p.relative_to(scratch).as_posix() for p in Path(scratch, RELEASE).rglob("*") if p.is_file()}
        same = {n for n in committed & made if filecmp.cmp(ROOT / n, Path(scratch, n), shallow=False)}
    for name in sorted((committed | made) - same):
        print("differs" if name in committed & made else "only here" if name in committed else "only made", name)
    print(f"{len(same)} of {len(committed | made)} released files reproduce")
    return len((committed | made) - same)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
