"""Who bears the risk of a flat payment: margins by length of stay, and panels of clients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from case_rate_data import SETTINGS, engaged_months, staffing_log, stays_of
from ratebook.rates.case_rates import derive_case_rates
from ratebook.rates.provider_risk import derive_panel_loss, derive_provider_risk, known_stays

SIZES = [10, 25, 50, 100]


@pytest.fixture(scope="module")
def engaged():
    return engaged_months(clients=240)


@pytest.fixture(scope="module")
def found(engaged):
    stays = stays_of(engaged)
    rates = derive_case_rates(stays, staffing_log(), SETTINGS)
    return rates, derive_provider_risk(stays, rates), derive_panel_loss(stays, rates, SIZES, seed=1)


def test_a_longer_stay_costs_the_provider_of_a_flat_episode_more(found):
    _, risk, _ = found
    flat = risk[risk.form == "per_episode"]
    assert (flat.groupby("arm").margin_usd.diff().dropna() <= 1e-9).all()
    assert (risk.margin_usd == risk.revenue_usd - risk.cost_usd).all()


def test_the_margin_weighted_by_who_stays_is_the_load(engaged, found):
    """Each further month's margin, times the share that has it, adds up to what the load leaves of the rate."""
    rates, risk, _ = found
    for arm, stays in stays_of(engaged).items():
        rate = rates[(rates.arm == arm) & (rates.basis == "actuarial")].set_index("form")
        for form in ("per_episode", "per_month", "per_day", "hybrid"):
            margin = risk[(risk.arm == arm) & (risk.form == form)].sort_values("stay_months").margin_usd.to_numpy()
            expected = (np.diff(margin, prepend=0.0) * stays.still).sum()
            assert expected == pytest.approx(rate.loaded_usd["per_episode"] - rate.value_usd["per_episode"])


def test_the_limits_of_a_margin_hold_it(found):
    _, risk, panels = found
    for table in (risk, panels):
        assert ((table.lower <= table.margin_usd) & (table.margin_usd <= table.upper)).all()


def test_after_overhead_a_fair_rate_breaks_even(found):
    """Exactly where everyone is seen to the end; where some are lost two estimates of one cost meet, and are near."""
    _, _, panels = found
    after = panels[panels.is_after_overhead]
    assert ((after.lower < 0) & (after.upper > 0)).all()
    assert after.probability_of_loss.between(0.25, 0.75).all()
    stays = stays_of(engaged_months(lost_share=0.0))
    rates = derive_case_rates(stays, staffing_log(), SETTINGS)
    exact = derive_panel_loss(stays, rates, [10], seed=1)
    assert exact.margin_usd[exact.is_after_overhead].abs().max() < 1e-9
    before = panels[~panels.is_after_overhead]
    assert (
        before.probability_of_loss.to_numpy() <= panels[panels.is_after_overhead].probability_of_loss.to_numpy()
    ).all()


def test_a_larger_panel_varies_less_and_loses_less_often_where_the_margin_is_positive(found):
    _, _, panels = found
    for _, rows in panels[~panels.is_after_overhead].groupby(["arm", "form"]):
        rows = rows.sort_values("panel_clients")
        width = (rows.margin_p95_usd - rows.margin_p05_usd).to_numpy()
        assert width[0] / width[-1] == pytest.approx(10**0.5, rel=0.12)
        assert rows.probability_of_loss.is_monotonic_decreasing


def test_the_probability_of_loss_of_a_large_panel_is_near_the_normal_one(engaged, found):
    rates, _, panels = found
    stays = stays_of(engaged)["RSN"]
    known = known_stays(stays, 12.0)
    rate = rates[(rates.arm == "RSN") & (rates.basis == "actuarial") & (rates.form == "per_episode")].iloc[0]
    margin = rate.loaded_usd - known.cost
    mean = np.average(margin, weights=known.weight)
    deviation = np.sqrt(np.average((margin - mean) ** 2, weights=known.weight))
    row = panels.query(
        "arm == 'RSN' and form == 'per_episode' and panel_clients == 100 and not is_after_overhead"
    ).iloc[0]
    assert row.margin_usd == pytest.approx(mean)
    assert row.probability_of_loss == pytest.approx(norm.cdf(-mean / deviation * 10), abs=0.03)
    assert row.probability_lower <= row.probability_of_loss <= row.probability_upper


def test_stays_cut_off_are_stood_for_by_those_seen_out():
    """A third lost at random: weights restore the mean stay of everyone; the stays seen out alone are too short."""
    draw = np.random.default_rng(4)
    true = np.minimum(draw.geometric(0.2, 4000), 12)
    lost = draw.geometric(0.12, 4000)
    rows = [
        (f"p{client:05d}", month, month == stay and stay < limit and stay < 12, month == stay)
        for client, (stay, limit) in enumerate(zip(true, lost))
        for month in range(1, min(stay, limit) + 1)
    ]
    engaged = pd.DataFrame(rows, columns=["person_id", "engaged_month", "is_event", "is_last"])
    last = engaged.groupby("person_id").engaged_month.transform("max")
    engaged["is_last"] = (engaged.engaged_month == last) & ((last < 12) | engaged.is_event)
    engaged = engaged.assign(arm="RSN", provider_id=engaged.person_id.str[-1], n12=2, units=1.0)
    known = known_stays(stays_of(engaged)["RSN"], 1.0)
    naive, weighted = known.stay_months.mean(), np.average(known.stay_months, weights=known.weight)
    assert weighted == pytest.approx(true.mean(), rel=0.04)
    assert naive < 0.9 * true.mean()


def test_clients_who_all_end_alike_make_panels_that_do_not_differ():
    rows = [
        {"person_id": f"p{n}", "arm": "RSN", "engaged_month": m, "provider_id": str(n % 3), "n12": 2, "is_event": m == 2,
         "is_last": m == 2, "contacts": 2, "minutes": 60, "units": 4.0, "paid_usd": 0.0}
        for n in range(12) for m in (1, 2)
    ]  # fmt: skip
    stays = stays_of(pd.DataFrame(rows))
    panels = derive_panel_loss(stays, derive_case_rates(stays, staffing_log(), SETTINGS), [10], seed=1)
    assert (panels.probability_of_loss == 0).all() and panels.probability_lower.isna().all()
    assert panels.reason.str.contains("alike").all()
    assert (panels.margin_usd[panels.is_after_overhead].abs() < 1e-9).all()


def test_without_a_rate_there_is_no_risk_to_show(engaged, found):
    rates, _, _ = found
    stays, none = stays_of(engaged), rates.iloc[:0]
    assert derive_provider_risk(stays, none).empty
    assert derive_panel_loss(stays, none, SIZES, seed=1).empty
