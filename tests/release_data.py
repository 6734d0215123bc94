"""What a release starts from, as small as it can be: tables without a row, figures of a few bytes, the shipped settings."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import yaml

from conftest import ROOT
from ratebook.contracts.episodes import CohortFlow
from ratebook.contracts.released import RELEASED
from ratebook.tables import empty_frame

CONTENTS = yaml.safe_load((ROOT / "workflow/report/contents.yaml").read_text())
SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())


def no_rows():
    """Give every released table without a row, as real data without detox or long-term care leave them."""
    return {name: empty_frame(released.contract) for name, released in RELEASED.items()}


def small_figures(tmp_path):
    """Write a figure of every name, as small as a file can be; give their paths."""
    paths = [tmp_path / f"{name}.{kind}" for name in CONTENTS["figures"] for kind in ("svg", "png")]
    for path in paths:
        path.write_bytes(b"<svg/>")
    return [str(path) for path in paths]


def flow(persons):
    """Lay out a cohort's flow through rules that leave so many persons each."""
    steps = [(n, f"B5.{n}", f"rule {n}", 0, a, b) for n, (a, b) in enumerate(pairwise(persons), start=1)]
    return pd.DataFrame(steps, columns=list(CohortFlow.types()))
