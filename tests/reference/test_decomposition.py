"""GT-17 of methods.md D9: Shapley effects by hand, and the published examples of Das Gupta's method.

The two published cases are the worked outputs shown in the README of the R package DasGuptR.
"""

from __future__ import annotations

import numpy as np
import pytest

from cost_data import paradox_tables, random_tables
from ratebook.cost.censored import Sample, mean_cost
from ratebook.cost.decomposition import decompose, shapley
from ratebook.cost.drawn import draw_panels
from ratebook.cost.intervals import interval_days
from ratebook.cost.panels import build_panels


@pytest.mark.parametrize(
    ("before", "after", "effects", "tolerance"),
    [
        pytest.param((2, 30, 12), (6, 10, 20), (1226.666667, -1333.333333, 586.666667), 1e-6, id="CSP to RSN"),
        pytest.param((0.6, 0.5), (0.3, 0.45), (-0.1425, -0.0225), 1e-12, id="Das Gupta, two factors"),
        pytest.param(
            (51.78746, 0.45919, 0.52638),
            (84.90502, 0.75756, 0.51065),
            (10.4340333, 10.5608476, -0.6670084),
            1e-6,
            id="Das Gupta, Austria to Chile",
        ),
    ],
)
def test_effects(before, after, effects, tolerance):
    found = shapley([np.array([v]) for v in before], [np.array([v]) for v in after])
    assert [f[0] for f in found] == pytest.approx(effects, abs=tolerance)
    assert sum(f[0] for f in found) == pytest.approx(np.prod(after) - np.prod(before), rel=1e-12)


def test_duration_intensity_and_price_of_the_paradox():
    panels = build_panels(*paradox_tables(), interval_days(365, 12))
    rows = decompose(draw_panels(panels, 20, 1)).set_index(["category", "factor"])
    effects = [rows.effect_usd["NAVIGATOR", factor] for factor in ("duration", "intensity", "price")]
    assert effects == pytest.approx((1226.666667, -1333.333333, 586.666667), abs=1e-6)
    assert rows.rsn_value["NAVIGATOR", "price"] == pytest.approx(20)


def test_nothing_is_left_over_under_censoring():
    panels = build_panels(*random_tables(), interval_days(365, 12))
    parts = decompose(draw_panels(panels, 20, 1))
    means = {arm: mean_cost(Sample(panel), "total_sud", "partitioned")[0] for arm, panel in panels.items()}
    assert parts.effect_usd.sum() == pytest.approx(means["RSN"] - means["CSP"], abs=1e-9)
