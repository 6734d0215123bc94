"""Designs on the same people: what is paid adds up, incentives follow from cells and windows, and buyers break even."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from ltc_population import draw_months
from ltc_world import NAMES, groups, program, reduced_groups
from ratebook.contracts.programs import LtcMemberMonths, MemberYears
from ratebook.programs.benefits import break_even_share, derive_buy_in
from ratebook.programs.comparison import compare_programs, price_designs, respond
from ratebook.programs.incentives import GRID, derive_incentives, derive_mix_sensitivity
from ratebook.programs.orders import derive_rate_orders, derive_rate_scales
from ratebook.programs.replicates import estimate_share
from ratebook.programs.risk import Margins, estimate_plan_risk, rates_by_cell, sum_margins
from ratebook.tables import open_table, write_table

SIZES = [500, 5000]


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("designs")
    programs = [program(name) for name in NAMES]
    write_table(draw_months(80, 30, 3), folder / "m.parquet", LtcMemberMonths)
    found = price_designs(
        reduced_groups(open_table(folder / "m.parquet", LtcMemberMonths), programs, folder), programs, 365, 2
    )
    years = open_table(folder / "years.parquet", MemberYears)
    return found, Margins(sum_margins(years, rates_by_cell(found)).to_pandas(), 2)


@pytest.fixture(scope="module")
def comparison(designs):
    return compare_programs(designs[0], 0.25)


def test_the_rate_and_the_remainder_and_the_saving_are_what_the_state_pays_today(comparison):
    parts = comparison.rate_pmpm_usd + comparison.state_remainder_pmpm_usd + comparison.state_saving_pmpm_usd
    assert len(comparison) == 54 and parts.notna().all()
    assert (comparison.unpriced_share == 0).all()
    assert parts.tolist() == pytest.approx(comparison.state_ffs_pmpm_usd.tolist(), abs=1e-6)
    kept = comparison.rate_pmpm_usd - comparison.plan_cost_pmpm_usd
    assert kept.tolist() == pytest.approx(comparison.plan_margin_pmpm_usd.tolist(), abs=1e-6)


def test_the_margins_of_members_years_add_up_to_the_designs_margin(designs, comparison):
    as_is = comparison[comparison.scenario == "as_is"].set_index(["program", "state", "area", "era"])
    for design in designs[0]:
        found = designs[1].of(design.key)
        margin = found["margin"][0] / found["months"][0]
        assert margin == pytest.approx(as_is.plan_margin_pmpm_usd[tuple(design.key.values())], abs=0.02), design.key


def test_avoided_days_leave_the_rate_and_move_cost_from_the_facility_to_the_home(designs, comparison):
    as_is, response = (
        comparison[comparison.scenario == name].reset_index(drop=True) for name in ("as_is", "response")
    )
    assert (as_is.rate_pmpm_usd == response.rate_pmpm_usd).all()
    assert response.state_remainder_pmpm_usd.tolist() == pytest.approx(
        (0.75 * as_is.state_remainder_pmpm_usd).tolist()
    )
    for design in designs[0][:3]:
        paid = design.paid("common")
        facility = paid["window_nf"] + paid["funded_nf"]
        saved = 0.25 * (facility - paid["nf_days"] * design.home_day()) / paid["months"]
        moved = respond(design, 0.0)["plan"] - respond(design, 0.25)["plan"]
        assert moved == pytest.approx(saved)


def test_a_day_avoided_gains_what_the_response_saves_a_day(designs):
    gains = derive_incentives(*designs)
    for design in designs[0]:
        row = one_row(gains, **design.key, incentive="nf_day_avoided")
        paid = design.paid("common")
        per_day = (respond(design, 0.0)["plan"] - respond(design, 1.0)["plan"]) * paid["months"] / paid["nf_days"]
        assert row.estimate_usd == pytest.approx(per_day[0])


def test_nothing_is_left_to_medicare_where_the_plan_is_paid_for_it(designs):
    gains = derive_incentives(*designs).set_index(["program", "incentive"]).xs("medicare_shift", level=1)
    inside = {one["program"] for one in map(program, NAMES) if one["medicare"] == "inside"}
    assert {"altcs", "starplus"} == set(gains.index) - inside
    assert (gains.estimate_usd[gains.index.isin(inside)] == 0).all()
    assert (gains.estimate_usd[~gains.index.isin(inside)] > 0).all()


def test_a_blended_rate_is_a_line_in_its_weight_and_the_point_its_slope(designs):
    mix, gains = derive_mix_sensitivity(designs[0]), derive_incentives(*designs)
    row = mix[(mix.state == "Colorado") & ~mix.is_current].sort_values("group_share")
    assert row.group_share.tolist() == pytest.approx(GRID.tolist())
    steps = np.diff(row.rate_pmpm_usd)
    assert steps == pytest.approx(np.full(10, steps[0]))
    assert one_row(gains, state="Colorado", incentive="mix_point").estimate_usd == pytest.approx(steps[0] / 10)
    now = one_row(mix, state="Colorado", is_current=True)
    assert now.group_share == 0.82
    colorado = next(one for one in designs[0] if one.key["state"] == "Colorado")
    assert now.rate_pmpm_usd == pytest.approx(colorado.rate()[0])


def test_the_weight_in_use_gives_the_designs_own_rate(designs):
    """Also where cells weigh their own groups: one weight for all would be another rate."""
    mix = derive_mix_sensitivity(designs[0])
    blended = [design for design in designs[0] if (mix.state == design.key["state"]).any()]
    assert len(blended) > 10
    for design in blended:
        found = mix[mix.is_current & (mix[list(design.key)] == pd.Series(design.key)).all(axis=1)]
        if len(found):
            assert found.rate_pmpm_usd.tolist() == pytest.approx([design.rate()[0]]), design.key


BLENDS = """\
    enrolled | all | 10 |
    common | all | 10 |
    common_population | all | 10 |
    nursing_facility | all | 10 | acute=1000
    hcbs | all | 10 | acute=400
    skilled | all | 10 | acute=800
    unrated | all | 10 | acute=300"""


@pytest.mark.parametrize(("weight", "point"), [(0.82, 6.0), (1.0, 6.0), (0.0, 6.0)])
def test_a_point_of_the_first_group_moves_no_other_blend_and_stands_at_the_ends(weight, point):
    chosen = program("pace")
    terms = [
        {"blend": {"nursing_facility": weight, "hcbs": 1 - weight}, "costs": ["acute"]},
        {"blend": {"skilled": 0.5, "unrated": 0.5}, "costs": ["acute"]},
    ]
    scheme = next(one for one in chosen["schemes"] if one["state"] == "Colorado") | {"rates": [{"terms": terms}]}
    designs = price_designs(groups("pace", "all", BLENDS), [chosen | {"schemes": [scheme]}], 365, 2)
    nothing = Margins(pd.DataFrame(columns=["program", "state", "area", "era", "replicate"]), 2)
    assert one_row(derive_incentives(designs, nothing), incentive="mix_point").estimate_usd == pytest.approx(point)
    whole = derive_mix_sensitivity(designs).set_index("group_share").rate_pmpm_usd
    assert (whole[1.0].max(), whole[0.0].min()) == (pytest.approx(1550), pytest.approx(950))


def test_levelled_designs_keep_the_same_share_of_cost(designs):
    risk = estimate_plan_risk(*designs, 0.25, 0.02, SIZES)
    for design in designs[0]:
        rows = risk[(risk[list(design.key)] == pd.Series(design.key)).all(axis=1) & (risk.scenario == "levelled")]
        assert rows.margin_pmpm_usd.tolist() == pytest.approx([0.02 * respond(design, 0.0)["plan"][0]] * 2)
        assert rows.loss_probability.iloc[0] > rows.loss_probability.iloc[1], "more members, fewer losses"


MOVES = """\
    common | institutional/F1 | 50 | nf_net=3000 nf_liable=0
    common | nhc_conversion/F1 | 50 | meals=500
    at_facility | F1 | 50 | per_diem=100 ancillary=0
    common_residents | institutional/F1 | 50 | nf_net=3000 nf_liable=0
    common_moved | nhc_conversion/F1 | 50 |
    common_at_home | nhc_conversion/F1 | 50 | meals=500"""


def test_a_resident_moved_home_keeps_a_facilitys_rate_where_the_program_pays_one():
    """The rate stays at 0.98 x 100 x 365/12 = 2,980.83; a month at home costs 500, one in the facility 3,000."""
    designs = price_designs(groups("ccn", "all", MOVES), [program("ccn")], 365, 2)
    nothing = Margins(pd.DataFrame(columns=["program", "state", "area", "era", "replicate"]), 2)
    gains = derive_incentives(designs, nothing)
    assert one_row(gains, incentive="member_moved").estimate_usd == pytest.approx(3000 - 500)
    assert one_row(gains, incentive="low_cost_half").reason is not None


def test_a_day_at_home_is_a_day_whatever_a_facilitys_month_is_priced_at():
    designs = [price_designs(groups("ccn", "all", MOVES), [program("ccn")], days, 2)[0] for days in (365, 360)]
    assert designs[0].home_day() == pytest.approx(designs[1].home_day())


def test_months_in_a_cell_without_a_rate_are_left_out_of_every_amount():
    """Nobody lives in facility F2 of these data, so who came from it has no rate: a third of the months."""
    drawn = MOVES + "\n    common | nhc_conversion/F2 | 50 | meals=9000\n    common_population | all | 150 |"
    designs = price_designs(groups("ccn", "all", drawn), [program("ccn")], 365, 2)
    row = one_row(compare_programs(designs, 0.1), scenario="as_is")
    assert row.unpriced_share == pytest.approx(1 / 3)
    assert row.member_months == 200
    assert row.plan_cost_pmpm_usd == pytest.approx((3000 + 500) / 2)
    assert row.rate_pmpm_usd == pytest.approx(0.98 * 100 * 365 / 12)


def test_a_rate_unknown_without_one_replicate_leaves_its_months_out_of_every_amount_there():
    """All residents of F2 are in replicate 1: without it nobody prices its 50 months, and without them cost is another."""
    drawn = (
        MOVES
        + "\n    common | nhc_conversion/F2 | 50 | meals=9000\n    at_facility | F2 | 50 | per_diem=200 ancillary=0"
    )
    table = groups("ccn", "all", drawn)
    table = table[~((table.cell == "F2") & (table.replicate == 0))]
    design = price_designs(table, [program("ccn")], 365, 2)[0]
    assert np.isfinite(design.rates["nhc_conversion/F2"]).tolist() == [True, True, False]
    assert design.paid("common")["months"].tolist() == [300, 150, 100]
    assert respond(design, 0.0)["plan"].tolist() == pytest.approx([12500 / 3, 12500 / 3, (3000 + 500) / 2])
    assert design.rate()[2] == pytest.approx(0.98 * 100 * 365 / 12)


@pytest.mark.parametrize(
    ("rate", "cost", "times", "share"), [(1100, 1000, 1.5, 0.2), (1000, 1000, 1.5, 0), (900, 1000, 2, 0)]
)
def test_buyers_eat_the_margin_at_the_break_even_share(rate, cost, times, share):
    found = float(break_even_share(rate, cost, times))
    assert found == pytest.approx(share)
    if rate >= cost:
        assert (1 - found) * (rate - cost) + found * (rate - times * cost) == pytest.approx(0)


def test_buyers_who_cost_no_more_eat_nothing():
    assert float(break_even_share(1100, 1000, 1.0)) == 1.0
    assert float(break_even_share(900, 1000, 0.9)) == 0.0


def test_the_rate_of_the_impaired_at_home_is_sold():
    drawn = "enrolled | community_nhc_level_1 | 10 | meals=1000\nenrolled | community_non_nhc_ssi | 10 | meals=9000"
    designs = price_designs(groups("ccn", "all", drawn), [program("ccn")], 365, 2)
    cells = {cell: rate for design in designs for cell, rate in design.rates.items()}
    assert cells == {}, "nobody is in the common population, yet the rate sold is priced"
    found = derive_buy_in(designs)
    assert found.rate_pmpm_usd.tolist() == pytest.approx([950.0] * len(found))
    assert found.member_cost_pmpm_usd.tolist() == pytest.approx([1000.0] * len(found))
    assert (found.break_even_share == 0).all(), "a rate below cost leaves nothing to eat"


def test_limits_of_a_share_are_shares():
    found = estimate_share(np.array([0.01, 0.0, 0.02, 0.05, 0.0]))
    assert found["lower"] == 0 and 0.01 < found["upper"] < 1
    assert estimate_share(np.full(5, 0.3))["lower"] is None


ORDER = """\
    enrolled | community_nhc_level_1 | 10 | meals=1000
    enrolled | community_nhc_level_2 | 10 | meals=900
    enrolled | community_nhc_level_3 | 10 | meals=3000 prescribed_drugs=400"""


def test_orders_of_published_amounts_are_kept_or_the_reason_is_said():
    designs = price_designs(groups("ccn", "all", ORDER), [program("ccn")], 365, 2)
    found = derive_rate_orders(designs).set_index(["dearer", "cheaper"])
    assert found.verdict["community_nhc_level_3", "community_nhc_level_1"] == "kept"
    row = found.loc[("community_nhc_level_2", "community_nhc_level_1")]
    assert row.verdict == "reversed" and row.difference_usd == pytest.approx(-95)
    assert "other people" in row.why
    scales = derive_rate_scales(designs)
    dear = one_row(scales, item="community_nhc_level_3")
    assert dear.ratio_to_published == pytest.approx(0.95 * 3000 / 3183)
    assert (dear.left_out_pmpm_usd, dear.leaves_out) == (pytest.approx(400), "prescribed drugs")
    assert pd.isna(one_row(scales, item="community_non_nhc_ssi").ratio_to_published)


def test_a_rate_that_pays_for_days_of_the_window_leaves_out_the_others_alone():
    """Of 300 dollars a month in a facility 240 are the plan's first days; the rate's add-on pays for them."""
    drawn = "enrolled | community_non_nhc/all | 10 | nf_net=300 nf_liable=240 acute=50 meals=20\n"
    designs = price_designs(
        groups("msho", "all", drawn + "community | all | 10 | acute=50"), [program("msho")], 365, 2
    )
    row = one_row(derive_rate_scales(designs), item="community_non_nhc")
    assert row.rate_usd == pytest.approx(240 + 50)
    assert (row.left_out_pmpm_usd, row.leaves_out) == (pytest.approx(60 + 20), "nursing facility, meals")


def test_what_is_left_out_does_not_show_a_service_of_few():
    """Dentures of one person in a thousand months: 30 cents a month."""
    drawn = "enrolled | community_nhc_level_1 | 1000 | meals=1000 prescribed_drugs={drugs}"
    found = []
    for drugs in (40, 40.3):
        designs = price_designs(groups("ccn", "all", drawn.format(drugs=drugs)), [program("ccn")], 365, 2)
        found.append(one_row(derive_rate_scales(designs), item="community_nhc_level_1").left_out_pmpm_usd)
    assert found == [40, 40]


def test_costs_by_group_are_costs_the_rate_pays_for():
    """Three groups of one term, each with costs of its own: what any of them names is paid for."""
    altcs = program("altcs")
    early = altcs["schemes"][0]["rates"][0] | {"published": {"low_usd": 1, "high_usd": 2}}
    priced = altcs | {"schemes": [altcs["schemes"][0] | {"rates": [early]}]}
    drawn = "\n".join(
        f"{group} | all/West | 10 | nf_net=900 nf_gross=1000 per_diem=30 ancillary=0 personal_care=100 therapy=7"
        for group in ("enrolled", "institutional_by_cell", "home_by_cell")
    )
    row = one_row(derive_rate_scales(price_designs(groups("altcs", "all", drawn), [priced], 365, 2)))
    assert (row.left_out_pmpm_usd, row.leaves_out) == (pytest.approx(7), "therapy")


def test_a_design_is_named_by_program_state_area_and_era(designs):
    keys = [tuple(design.key.values()) for design in designs[0]]
    assert len(set(keys)) == len(keys) == 27
    assert dataclasses.is_dataclass(designs[0][0])
