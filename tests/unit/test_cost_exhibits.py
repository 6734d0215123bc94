"""Exhibits of cost: both halves in words, who bears what, sums to the cent, the plane, and what is hidden."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cost_data import STUDY, paradox_tables, random_tables
from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import OutsideCosts, Pmpm
from ratebook.contracts.cost_exhibits import EXHIBIT_TABLES, EXHIBITED, PmpmExhibit
from ratebook.contracts.released import RELEASED
from ratebook.cost.arms import compare_arms
from ratebook.cost.break_even import value_grid
from ratebook.cost.drawn import draw_arms
from ratebook.cost.exhibits import SUMS, derive_exhibits, exhibit_pmpm, line_rates
from ratebook.cost.plots import FIGURES, NEEDS, plot_cost
from ratebook.cost.pmpm import price_pmpm
from ratebook.cost.total_cost import estimate_total_cost, part_of
from ratebook.disclosure import disclose_tables
from ratebook.release.cost_sentences import of_quadrant, say_decomposition, say_forms, say_perspectives, say_value
from ratebook.tables import empty_frame

SETTINGS = STUDY | {
    "boot_reps": 40,
    "seed": 3,
    "hybrid": {"per_episode_usd": 300.0, "per_month_usd": 150.0},
    "month_values_usd": [0, 1000],
}


def outside(*rows) -> pd.DataFrame:
    """Draw the ledger: program, perspective, dollars per client."""
    frame = pd.DataFrame(rows, columns=["program", "perspective", "client_usd"])
    item = [f"item {n}" for n in range(len(frame))]
    return frame.assign(item=item, amount_usd=0.0, persons=500, reason=None)[list(OutsideCosts.types())]


LEDGER = outside(("RSN", "payer", 100.0), ("RSN", "payer", 50.0), ("CSP", "provider", 31.25))


@pytest.fixture(scope="module")
def people():
    return random_tables()


@pytest.fixture(scope="module")
def drawn(people):
    return draw_arms(*people, SETTINGS)


@pytest.fixture(scope="module")
def made(drawn):
    return derive_exhibits(drawn, LEDGER)


@pytest.fixture(scope="module")
def paradox():
    return derive_exhibits(draw_arms(*paradox_tables(), SETTINGS), LEDGER)


def usd_of(table: pd.DataFrame, **where) -> float:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.estimate_usd.iloc[0]


def test_the_worked_example_by_perspective(paradox):
    rows = paradox["perspectives"]
    program = {"estimand": "program", "per": "engaged_month"}
    assert usd_of(rows, perspective="claims", arm="CSP", **program) == pytest.approx(360)
    assert usd_of(rows, perspective="claims", arm="RSN", **program) == pytest.approx(200)
    assert usd_of(rows, perspective="payer", arm="RSN", **program) == pytest.approx((1200 + 150) / 6)
    assert usd_of(rows, perspective="payer", arm="CSP", **program) == pytest.approx(360)
    assert usd_of(rows, perspective="provider", arm="CSP", per="client") == pytest.approx(31.25)
    assert usd_of(rows, perspective="provider", arm="RSN", per="client") == 0
    assert usd_of(rows, perspective="payer", arm="difference", estimand="total_sud", per="client") == pytest.approx(
        2150
    )


def test_payer_is_claims_and_what_stands_outside_them(made):
    rows = made["perspectives"]
    arms = rows[rows.arm != "difference"]
    both = arms.claims_usd.fillna(0) + arms.outside_usd
    assert np.allclose(arms.estimate_usd, both)
    wide = rows.pivot(index=["perspective", "estimand", "per"], columns="arm", values="estimate_usd")
    assert np.allclose(wide.difference, wide.RSN - wide.CSP)


def test_cost_outside_claims_widens_no_limit(made):
    rows = made["perspectives"].query("estimand == 'total_sud' and per == 'client' and arm == 'difference'")
    reach = (rows.upper - rows.lower).to_numpy()
    assert reach[0] == pytest.approx(reach[1])
    alone = made["perspectives"].query("perspective == 'provider' and per == 'client'")
    assert alone.lower.isna().all() and alone.reason.str.contains("no sampling error").all()


@pytest.mark.parametrize(
    ("ledger", "why"),
    [
        pytest.param(outside(), "no cost outside claims is on record", id="nothing on record"),
        pytest.param(outside(("RSN", "payer", np.nan)), "no client of the program", id="on record without a client"),
    ],
)
def test_what_is_not_on_record_is_not_nothing(drawn, ledger, why):
    rows = derive_exhibits(drawn, ledger)["perspectives"]
    payer = rows[(rows.perspective == "payer") & (rows.arm == "RSN")]
    assert payer.estimate_usd.isna().all() and payer.reason.str.startswith(why).all()
    assert rows[rows.perspective == "claims"].estimate_usd.notna().all()


def test_categories_add_up_to_the_cent(people, made):
    assert set(SUMS["tcoc"]) == set(CATEGORIES) and set(SUMS["tcoc"]) - set(SUMS["tcoc_without_navigator"]) == {
        "NAVIGATOR"
    }
    sums = made["category_sums"]
    assert (sums.estimate_usd - sums.categories_usd).abs().max() < 0.005
    by_category = estimate_total_cost(*people, SETTINGS)["cost_by_category"].query("window == 'post' and arm == 'RSN'")
    assert by_category.estimate_usd.sum() == pytest.approx(usd_of(sums, sum_of="tcoc", arm="RSN"), abs=0.005)
    wide = sums.pivot(index="sum_of", columns="arm", values="estimate_usd").RSN
    assert wide.tcoc - wide.tcoc_without_navigator == pytest.approx(wide.total_sud - wide.other_sud)


def test_every_category_is_part_of_one_printed_total():
    parts = {category: part_of(category) for category in CATEGORIES}
    assert parts["NAVIGATOR"] == "program" and parts["OP_SUD"] == "other_sud" and parts["LTSS"] == "other_care"
    assert list(parts.values()).count("other_sud") == 10


def test_the_plane_begins_with_the_estimate_and_agrees_with_the_increments(drawn, made):
    increments = compare_arms(drawn, SETTINGS)["increments"].set_index("estimand")
    first = made["plane"].iloc[0]
    assert first.replicate == 0 and len(made["plane"]) == 1 + SETTINGS["boot_reps"]
    assert first.total_sud_usd == pytest.approx(increments.difference_usd["total_sud"])
    assert first.difference_months == pytest.approx(increments.difference_months["total_sud"])
    assert np.allclose(made["plane"].total_sud_usd, made["plane"].program_usd + made["plane"].other_sud_usd)


def test_the_line_crosses_at_the_break_even(drawn, made):
    rates = compare_arms(drawn, SETTINGS)["break_even"].set_index(["quantity", "perspective"]).value
    wide = made["break_even_line"].pivot(index="rate_usd", columns="arm", values="estimate_usd")
    crossing = np.interp(0, wide.RSN - wide.CSP, wide.index)
    assert crossing == pytest.approx(rates["rate_per_month", "program"])
    assert wide.CSP.nunique() == 1 and wide.RSN.iloc[0] == 0


def test_the_line_runs_past_the_break_even_and_past_what_was_paid():
    for budget, paid in ((700.0, 1100.0), (1100.0, 700.0), (0.0, 0.0)):
        rates = line_rates(budget, 5.0, paid)
        assert rates[0] == 0 and rates[-1] > max(budget, paid) / 5 and len(rates) == 41


def test_a_curve_is_drawn_on_a_fine_grid_that_holds_the_values_asked_for():
    grid = value_grid([0, 100, 333, 2000])
    assert {0, 100, 333, 2000} <= set(grid) and grid == sorted(set(grid))
    assert max(np.diff(grid)) <= 25
    assert value_grid([]) == [] and value_grid([500]) == [500]


def test_the_order_of_rows_is_of_no_matter(people, made):
    mixed = [frame.sample(frac=1.0, random_state=2) for frame in people]
    again = derive_exhibits(draw_arms(*mixed, SETTINGS), LEDGER.iloc[::-1])
    for name in EXHIBIT_TABLES:
        pd.testing.assert_frame_equal(again[name], made[name], rtol=1e-9)


def test_arms_exchanged_turn_every_difference(people, made):
    swap = {"RSN": "CSP", "CSP": "RSN"}
    turned = [people[0].assign(arm=people[0].arm.replace(swap)), *people[1:]]
    ledger = LEDGER.assign(program=LEDGER.program.replace(swap))
    again = derive_exhibits(draw_arms(*turned, SETTINGS), ledger)
    for name, key in (("perspectives", ["perspective", "estimand", "per"]), ("category_sums", ["sum_of"])):
        ours, theirs = (t[name][t[name].arm == "difference"].set_index(key).estimate_usd for t in (made, again))
        assert np.allclose(ours, -theirs)


@pytest.mark.parametrize("arm", ["RSN", "CSP"])
def test_one_arm_alone_has_no_exhibit(people, arm):
    alone = people[0][people[0].arm == arm]
    assert all(table.empty for table in derive_exhibits(draw_arms(alone, *people[1:], SETTINGS), LEDGER).values())


def test_one_provider_an_arm_has_estimates_without_limits(people):
    lone = people[0].assign(provider_id=people[0].arm)
    for name, table in derive_exhibits(draw_arms(lone, *people[1:], SETTINGS), LEDGER).items():
        if "estimate_usd" in table:
            assert table.estimate_usd.notna().all() and (table.lower.isna() == table.reason.notna()).all(), name


def pmpm(*rows) -> pd.DataFrame:
    """Draw PMPM rows: variant, numerator, arm, rule of months, dollars, lower, upper."""
    names = ["variant", "numerator", "arm", "month_rule", "estimate_usd", "lower", "upper"]
    frame = pd.DataFrame(rows, columns=names).assign(plan="all", denominator="months: counted", persons=100)
    return frame.reindex(columns=list(Pmpm.types()))


def test_the_exhibit_takes_four_variants_and_no_other():
    rows = [
        (variant, numerator, arm, rule, 1.0, 0.5, 1.5)
        for variant, numerator, rule in [
            ("P1", "program", "exact"), ("P1", "program", "calendar"), ("P2", "program", "day_15"),
            ("P3", "total_sud", "exact"), ("P4", "total_sud", "day_15"), ("P5", "total_sud", "none"),
            ("P5", "program", "none"), ("P6", "program", "exact"),
        ]
        for arm in ("RSN", "CSP", "difference")
    ]  # fmt: skip
    found = exhibit_pmpm(pmpm(*rows), "day_15")
    assert sorted(found.variant) == sorted(3 * [*EXHIBITED]) and not found.duplicated(["variant", "arm"]).any()
    assert (found.numerator_words.str.len() > 0).all()
    assert exhibit_pmpm(empty_frame(Pmpm), "day_15").columns.tolist() == list(PmpmExhibit.types())


# What is hidden


@pytest.fixture(scope="module")
def tables(people, made, drawn):
    found = estimate_total_cost(*people, SETTINGS) | compare_arms(drawn, SETTINGS) | made
    return {name: found.get(name, empty_frame(RELEASED[name].contract)) for name in {*NEEDS, *made, "increments"}}


def released(tables: dict, limit: int) -> dict:
    return disclose_tables({name: frame.copy() for name, frame in tables.items()}, RELEASED, limit)


def test_every_comparison_of_a_small_arm_is_hidden(tables):
    small = {
        name: frame.assign(persons=np.where(frame.arm == "RSN", 7, frame.persons)) if "arm" in frame else frame
        for name, frame in tables.items()
    }
    shown = released(small, 11)
    for name in ("perspectives", "category_sums", "total_cost"):
        usd = shown[name].groupby("arm").estimate_usd.count()
        assert usd["RSN"] == 0 and usd["difference"] == 0 and usd["CSP"] > 0, name
    for name, column in (("decomposition", "effect_usd"), ("plane", "tcoc_usd"), ("increments", "icer_usd")):
        assert shown[name][column].isna().all() and shown[name].persons.isna().all(), name
    assert shown["net_benefit"].net_benefit_usd.isna().all() and shown["break_even"].value.isna().all()


def test_arms_at_the_limit_are_shown(tables):
    shown = released(tables, int(tables["total_cost"].persons[tables["total_cost"].arm == "RSN"].min()))
    assert shown["perspectives"].estimate_usd.notna().all()


@pytest.mark.parametrize(("users", "is_hidden"), [(10, True), (11, False)])
def test_a_rare_category_is_hidden_with_another_of_its_total(tables, users, is_hidden):
    rows = tables["cost_by_category"]
    used = rows.category.map({"OP_SUD": 120, "WM_RES": 90, "IOP_PHP": 60, "NAVIGATOR": 150}).fillna(0).astype(int)
    used = used.where(~((rows.arm == "RSN") & (rows.category == "IOP_PHP")), users)
    shown = released({**tables, "cost_by_category": rows.assign(users=used)}, 11)
    post = shown["cost_by_category"].query("window == 'post'")
    hidden = post[post.users.isna()].groupby("arm").category.agg(set).to_dict()
    # The other one keeps the rare one from being what is left of the printed total; the difference follows its arm.
    assert hidden == ({"RSN": {"IOP_PHP", "WM_RES"}, "difference": {"IOP_PHP", "WM_RES"}} if is_hidden else {})
    of_parts = shown["decomposition"][shown["decomposition"].effect_usd.isna()].category
    assert {"IOP_PHP", "WM_RES"} <= set(of_parts) if is_hidden else "OP_SUD" not in set(of_parts)


def test_figures_show_what_is_released_and_nothing_else(tables):
    for given in (tables, {name: empty_frame(RELEASED[name].contract) for name in tables}):
        drawn = plot_cost(given, 11)
        assert set(drawn) == set(FIGURES)
    hidden = plot_cost(tables, 10_000)
    texts = [text.get_text() for text in hidden["ce_plane"].axes[0].texts]
    assert any("nothing to compare" in text for text in texts)


# What the report says


@pytest.mark.parametrize(
    ("quadrant", "says", "never"),
    [
        pytest.param("NE", "per extra engaged month", "no price", id="more for more: a price"),
        pytest.param("SW", "saved per engaged month given up", "no price", id="less for less: a saving"),
        pytest.param("SE", "dollars per extra month are no price", "$", id="better on both: no ratio"),
        pytest.param("NW", "dollars per extra month are no price", "$", id="worse on both: no ratio"),
        pytest.param(None, "no quadrant can be named", "$", id="hidden or not estimated"),
    ],
)
def test_no_ratio_is_printed_without_its_quadrant(quadrant, says, never):
    extra = {"quadrant": quadrant, "icer_usd": 500.0, "lower": 400.0, "upper": 600.0, "reason": None}
    said = of_quadrant(extra, "all SUD cost")
    assert says in said and never not in said


def forms(*rows) -> pd.DataFrame:
    """Draw payment forms: form, formula, RSN and CSP per engaged month."""
    contract = RELEASED["payment_forms"].contract
    long = [
        {
            "form": form,
            "formula": formula,
            "per": per,
            "arm": arm,
            "estimate_usd": usd,
            "lower": usd - 1,
            "upper": usd + 1,
        }
        for form, formula, rsn, csp in rows
        for per in ("engaged_month", "client")
        for arm, usd in {"RSN": rsn, "CSP": csp, "difference": rsn - csp}.items()
    ]
    return pd.DataFrame(long).reindex(columns=list(contract.types()))


def test_a_form_without_an_amount_per_spell_is_said_to_be_unable_to_lower_the_month():
    nothing = empty_frame(RELEASED["break_even"].contract)
    table = forms(("per_day", "6.5 USD per engaged day", 197.8, 197.8), ("hybrid", "300 USD per spell", 200.0, 300.0))
    said = say_forms({"payment_forms": table, "break_even": nothing}, {})
    flat = next(text for text in said if "cannot lower" in text)
    assert "6.5 USD per engaged day" in flat and "per spell" not in flat
    assert any("300 USD per spell, the same logs cost less per engaged month" in text for text in said)


def test_where_no_rate_breaks_even_for_the_payer_the_report_says_so(drawn):
    table = compare_arms(drawn, SETTINGS)["break_even"]
    payer = table.perspective == "payer"
    none = table.assign(value=table.value.where(~payer), reason=table.reason.where(~payer, "no break-even: it is so"))
    known = forms(("per_day", "6.5 USD per engaged day", 1.0, 1.0))
    said = say_forms({"payment_forms": known, "break_even": none}, {})
    assert sum("no rate of any form breaks even for the payer" in text for text in said) == 1


def test_the_ratios_multiply(paradox, people):
    tables = {"perspectives": paradox["perspectives"], "category_sums": paradox["category_sums"]}
    more = estimate_total_cost(*paradox_tables(), SETTINGS)
    more |= compare_arms(draw_arms(*paradox_tables(), SETTINGS), SETTINGS)
    said = say_decomposition({**tables, **more}, {})
    assert any("0.56 × 3.00 = 1.67" in text for text in said)
    assert any("duration adds" in text for text in said) and any("intensity takes off" in text for text in said)
    assert any("no sampling error" in text for text in say_perspectives(tables, {}))


def test_the_plane_is_told_by_its_quadrants(drawn, made):
    more = compare_arms(drawn, SETTINGS)
    said = say_value({"plane": made["plane"], **more}, {})
    assert any("replicates" in text and " in N" in text for text in said)


@pytest.mark.parametrize(("users", "is_hidden"), [(10, True), (11, False)])
def test_a_category_few_of_a_plan_used_cannot_be_worked_out(people, users, is_hidden):
    plans, categories = ["A", "B", "C"], ["OP_SUD", "OTP", "LTSS", "OTHER", "IP_MEDICAL"]
    cells = pd.MultiIndex.from_product([plans, categories], names=["plan", "category"]).to_frame(index=False)
    cells = cells.assign(service_month=pd.Timestamp("2016-01-01"), is_covered=True, cost_usd=500.0, units=1.0)
    cells["users"] = [40 + 3 * n for n in range(len(cells))]
    cells.loc[(cells.plan == "B") & (cells.category == "LTSS"), "users"] = users
    months = pd.DataFrame(
        {"plan": plans, "service_month": pd.Timestamp("2016-01-01"), "member_months": 100.0, "persons": 90}
    )
    total = empty_frame(RELEASED["total_cost"].contract)
    priced = price_pmpm(*people, total, cells, months, "fractional", 0, 1)
    shown = disclose_tables({"pmpm": priced}, RELEASED, 11)["pmpm"].query("arm == 'all'")
    hidden = set(zip(shown.plan, shown.numerator)) - set(
        zip(*shown.dropna(subset="estimate_usd")[["plan", "numerator"]].to_numpy().T)
    )
    assert (("B", "LTSS") in hidden) == is_hidden
    # In the plan, and among plans, another cell of the same total is hidden with it.
    of_plan = {numerator for plan, numerator in hidden if plan == "B"} - {"tcoc", "total_sud"}
    of_category = {plan for plan, numerator in hidden if numerator == "LTSS"}
    assert (len(of_plan & {"LTSS", "OTHER", "IP_MEDICAL"}) > 1 and len(of_category) > 1) == is_hidden


def test_members_all_alike_have_limits_as_wide_as_nothing(paradox):
    rows = paradox["perspectives"].query("perspective == 'claims' and arm != 'difference'")
    assert rows.reason.isna().all() and np.allclose(rows.lower, rows.estimate_usd)


def test_an_arm_without_an_engaged_month_has_no_price_of_one(people):
    clients = people[2].assign(
        engaged_days=people[2].engaged_days.where(people[2].person_id.str[-1].isin(list("13579")), 0)
    )
    found = derive_exhibits(draw_arms(*people[:2], clients, SETTINGS), LEDGER)
    month = found["perspectives"].query("per == 'engaged_month' and arm == 'RSN'")
    assert month.estimate_usd.isna().all() and (month.reason.str.len() > 0).all()
    assert found["break_even_line"].reason.str.contains("no engaged month").all()
    assert np.isfinite(found["plane"].total_sud_usd).all()
