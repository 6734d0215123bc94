"""Reference numbers of R's survival, and the data made by one formula in R and here."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from conftest import ROOT

PERSONS = 300
OVARIAN = """\
59 1 72.3315 1|115 1 74.4932 1|156 1 66.4658 2|421 0 53.3644 1|431 1 50.3397 1|448 0 56.4301 2|464 1 56.9370 2
475 1 59.8548 2|477 0 64.1753 1|563 1 55.1781 2|638 1 56.7562 2|744 0 50.1096 1|769 0 59.6301 2|770 0 57.0521 1
803 0 39.2712 1|855 0 43.1233 2|1040 0 38.8932 2|1106 0 44.6000 1|1129 0 53.9068 1|1206 0 44.2055 1
1227 0 59.5890 2|268 1 74.5041 2|329 1 43.1370 1|353 1 63.2192 2|365 1 64.4247 1|377 0 58.3096 1"""
"""Ovarian cancer, Edmonson and others 1979, as in R's survival: futime, fustat, age, ecog.ps."""


def reference() -> dict[str, dict[str, float]]:
    """Give what R found: heading to item to value (`tests/reference/survival.R` makes the file)."""
    table = pd.read_csv(ROOT / "tests/reference/survival_r.csv", comment="#", keep_default_na=False)
    return {what: dict(zip(part["item"], part["value"])) for what, part in table.groupby("what")}


def ovarian() -> pd.DataFrame:
    """Give the 26 women, in order of R's rows."""
    rows = [row.split() for row in OVARIAN.replace("\n", "|").split("|")]
    return pd.DataFrame(rows, columns=["futime", "fustat", "age", "ecog.ps"]).astype(float)


def made() -> pd.DataFrame:
    """Draw the persons of `survival.R`, by the same generator and in the same order."""
    state = 20260901

    def draw():
        nonlocal state
        state = 16807 * state % 2147483647
        return state / 2147483647

    rows = []
    for person in range(PERSONS):
        provider = person % 20
        arm = float(provider < 10)
        x = draw()
        scale = 100 * math.exp(0.7 * arm - 0.5 * x + 0.6 * math.sin(provider))
        time, seen = math.ceil(-math.log(draw()) * scale), math.ceil(-math.log(draw()) * 300)
        cause = 1 + (draw() < 0.3)
        row = {"provider": provider, "arm": arm, "x": x, "time": min(time, seen), "cause": cause * (time <= seen)}
        row["weight"] = 1 + math.floor(3 * draw())
        row["late"] = math.floor(0.5 * draw() * row["time"])
        row["region"] = math.floor(3 * draw())
        row["start2"] = row["time"] + math.ceil(40 * draw())
        again, watched = math.ceil(-math.log(draw()) * 60 * math.exp(0.4 * arm)), math.ceil(-math.log(draw()) * 90)
        rows.append({**row, "time2": min(again, watched), "event2": float(again <= watched)})
    return pd.DataFrame(rows).assign(ended=lambda t: t.cause > 0, own=lambda t: t.cause == 1)


def made_spells() -> pd.DataFrame:
    """Give the made persons' spells, one row each, as `survival.R` stacks them."""
    first = made()
    second = first[first.ended].assign(
        spell=2, start=first.start2, stop=first.start2 + first.time2, event=first.event2
    )
    first = first.assign(spell=1, start=0.0, stop=first.time, event=first.ended.astype(float))
    return pd.concat([first, second], ignore_index=True)


def times(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Read '9 13+ 18': times, and whether each ended (no plus)."""
    marks = text.split()
    return np.array([float(m.rstrip("+")) for m in marks]), np.array([not m.endswith("+") for m in marks])
