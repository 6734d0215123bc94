"""The settings of a simulated program, and of one small enough for a test."""

from __future__ import annotations

import copy

import yaml

from conftest import ROOT

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
STUDY = {key: CONFIG["study"][key] for key in ("window_start", "window_end", "extract_date")}
SIZES = {"behavioural_members": 260, "long_term_members": 90, "members_per_batch": 130, "truth_members": 60}


def small(**changes) -> dict:
    """Give the settings of a small program, any of them changed."""
    return {**copy.deepcopy(CONFIG["simulate"]), **SIZES, **changes}
