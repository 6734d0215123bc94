"""The chance that a plan loses: against simulated plans, and at its limits."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from ratebook.programs.risk import DESIGN, Margins, loss_chance, plan_spread, safety_margin, sum_margins

KEY = {"program": "p", "state": "s", "area": "all", "era": "all"}


def years_of(margins: np.ndarray, months: int = 12, replicates: int = 4) -> pd.DataFrame:
    """One cell whose rate is 1,000 USD a month, and a year of every person that leaves these margins."""
    persons = np.arange(len(margins))
    return pd.DataFrame(
        {
            "program": "p", "frame": "all", "person_id": persons.astype(str), "replicate": persons % replicates,
            "year": 2015, "cell": "all", "member_months": months, "plan_usd": (1000 * months - margins).round(2),
            "was_low_cost": None,
        }
    ).astype({"was_low_cost": "boolean"})  # fmt: skip


def moments_of(years: pd.DataFrame, replicates: int = 4) -> dict[str, np.ndarray]:
    rates = pd.DataFrame([{**KEY, "frame": "all", "cell": cell, "rate_usd": usd} for cell, usd in RATES.items()])
    return Margins(sum_margins(ibis.memtable(years), rates).to_pandas(), replicates).of(KEY)


RATES = {"all": 1000.0, "home": 400.0}


def test_the_moments_are_those_of_the_margins_and_of_all_but_each_replicate():
    margins = np.random.default_rng(1).normal(300, 4000, 400).round(2)
    found = moments_of(years_of(margins))
    for place, kept in enumerate([margins, *(margins[np.arange(400) % 4 != r] for r in range(4))]):
        mean, sd, skewness = (part[place] for part in plan_spread(found, 100))
        assert mean == pytest.approx(kept.mean() / 12, abs=0.005)
        assert sd == pytest.approx(kept.std() / 12 / 10, rel=1e-3)
        assert skewness == pytest.approx(((kept - kept.mean()) ** 3).mean() / kept.std() ** 3 / 10, abs=1e-3)


def test_the_chance_of_loss_is_that_of_simulated_plans_of_skewed_margins():
    """Few members cost much: margins lean to the left, and the normal curve alone would be off."""
    rng = np.random.default_rng(2)
    margins = 900 - rng.gamma(0.08, 10_000, 20_000)
    mean, sd, skewness = (part[0] for part in plan_spread(moments_of(years_of(margins)), 500))
    plans = rng.choice(margins, (20_000, 500)).mean(axis=1) / 12
    chance = (plans < 0).mean()
    corrected, plain = loss_chance(mean, sd, skewness), loss_chance(mean, sd, 0.0)
    assert skewness < -0.2
    assert corrected == pytest.approx(chance, abs=0.01)
    assert abs(corrected - chance) < abs(plain - chance)
    needed = safety_margin(sd, skewness)
    assert (plans + needed < plans.mean()).mean() == pytest.approx(0.05, abs=0.006)


def test_a_plan_of_a_hundred_times_the_members_strays_a_tenth_as_far():
    found = moments_of(years_of(np.random.default_rng(3).normal(0, 5000, 1000)))
    small, large = plan_spread(found, 500), plan_spread(found, 50_000)
    assert small[1] == pytest.approx(10 * large[1])
    assert small[0] == pytest.approx(large[0])


def test_members_of_half_a_year_count_half():
    whole = np.random.default_rng(4).normal(100, 3000, 500)
    once = plan_spread(moments_of(years_of(whole)), 1000)
    halves = plan_spread(moments_of(years_of(whole / 2, months=6)), 1000)
    assert halves[0] == pytest.approx(once[0], abs=0.01)
    assert halves[1] == pytest.approx(once[1] / np.sqrt(2), rel=1e-3), "twice as many independent people"


def test_a_mean_of_nothing_loses_every_other_year_and_certainty_is_held_to_its_limits():
    assert loss_chance(0.0, 1.0, 0.0) == 0.5
    assert loss_chance(50.0, 1.0, -3.0) == 0.0
    assert loss_chance(-50.0, 1.0, 3.0) == 1.0
    assert loss_chance(-1.0, 1.0, 0.0, shift=1.0) == 0.5
    assert [float(loss_chance(mean, 0.0, np.nan)) for mean in (-1.0, 0.0, 1.0)] == [1, 0, 0], "without spread"


def test_a_year_in_two_cells_is_one_margin_and_a_cell_without_a_rate_is_left_out():
    years = pd.concat([years_of(np.zeros(4), months=5), years_of(np.zeros(4), months=7).assign(cell="home")])
    years.loc[years.cell == "home", "plan_usd"] = 7 * 400 - 250.0
    found = moments_of(years)
    assert found["years"][0] == 4 and found["months"][0] == 48
    assert found["margin"][0] == pytest.approx(1000)
    lost = moments_of(years.assign(cell=years.cell.replace("all", "unpriced")))
    assert lost["months"][0] == 28


def test_what_those_of_low_cost_leave_over():
    years = years_of(np.array([-600.0, -600.0, 1200.0, 1200.0, 5000.0]))
    years["was_low_cost"] = pd.array([False, False, True, True, None], dtype="boolean")
    rates = pd.DataFrame([{**KEY, "frame": "all", "cell": "all", "rate_usd": 1000.0}])
    margins = Margins(sum_margins(ibis.memtable(years), rates).to_pandas(), 4)
    assert margins.low_cost_gain(KEY)[0] == pytest.approx((1200 - 300) / 12), "who has no year before is not compared"
    assert np.isnan(margins.low_cost_gain({name: "elsewhere" for name in DESIGN})).all()
