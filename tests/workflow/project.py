"""A copy of the project in an empty folder, and Snakemake run in it as a user would."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

PARTS = ("Snakefile", "config.yaml", "environment.yml", "requirements.in", "workflow", "scripts", "tests/config")


class Project:
    """A copy of the workflow without its results."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            source, target = ROOT / part, folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Snakemake here and give what it printed."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=1500)

    def rules_to_run(self, *arguments: str) -> set[str]:
        """Name the rules that a dry run would start."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return set(re.findall(r"^rule (\w+):", done.stdout + done.stderr, re.MULTILINE)) - {"all"}
