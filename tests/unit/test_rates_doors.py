"""The stage from door to door: on a small made-up program, and on inputs that hold nothing."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pandas as pd
import pytest

from ratebook.errors import RatebookError
from ratebook.rates import build_up
from ratebook.tables import empty_frame
from rates_data import INPUTS, OUTPUTS, config, draw_stage, pooled_beyond, run_stage, small_program


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    return folder, run_stage(folder, small_program())


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nothing")
    return folder, run_stage(folder, {name: empty_frame(contract) for name, contract in INPUTS.items()})


def test_every_rate_can_be_multiplied_again_from_its_own_columns(made):
    _, found = made
    build = found["rate_build"]
    again = (
        build.base_usd
        / build.member_months
        / build.completion_factor
        * build.f_missing
        * build.f_pooling
        * build.f_base_changes
        * ((1 + build.trend_utilisation) * (1 + build.trend_unit_cost)) ** (build.trend_months / 12)
        * build.f_program
        * build.f_managed_care
    )
    assert again.to_numpy() == pytest.approx(build.projected_pmpm_usd.to_numpy(), rel=1e-12)
    rates = found["rates"].set_index("cell")
    assert len(rates) == 3
    projected = again.groupby(build.cell).sum()
    own = rates.credibility_z * projected * rates.f_tpl + (1 - rates.credibility_z) * rates.manual_pmpm_usd
    loads = rates.admin_share + rates.margin_share + rates.tax_share
    rate = (own * rates.f_neutral + rates.fixed_pmpm_usd) / (1 - loads) * rates.f_smoothing
    assert rate.round(2).tolist() == pytest.approx(rates.rate_usd.tolist(), abs=1e-9)
    assert ((rates.lower < rates.rate_usd) & (rates.rate_usd < rates.upper)).all()


def test_the_base_holds_every_dollar_or_says_what_took_it(made, tmp_path):
    _, found = made
    claims = small_program()["claims"]
    base = claims[claims.service_start_date >= "2017-01-01"]
    left = found["exclusions"].set_index("status")
    assert left.paid_usd.sum() == pytest.approx(base.cost_usd.sum())
    assert left.member_months.to_dict() == {"excluded_dual": 12, "included": 58 * 12, "retroactive": 12}
    experience = found["experience"]
    base_year = experience[experience.service_month >= "2017-01-01"]
    assert base_year.paid_usd.sum() == pytest.approx(left.paid_usd["included"])
    assert found["rate_build"].base_usd.sum() == pytest.approx(left.paid_usd["included"])


def test_large_amounts_are_pooled_from_the_dollars_of_the_build_up_and_its_total_stays(made):
    _, found = made
    pooling, build = found["pooling"].set_index("cell"), found["rate_build"]
    base = build.groupby("cell").base_usd.sum()
    assert pooling.paid_usd.to_dict() == pytest.approx(base.to_dict()) and (pooling.members_beyond > 0).any()
    assert build.f_pooling.to_list() == pytest.approx(pooling.f_pooling[build.cell].to_list())
    assert build.f_pooling.nunique() > 1
    assert round((build.base_usd * build.f_pooling).sum(), 2) == round(base.sum(), 2)


def test_smoothed_cells_cost_together_what_they_did(made):
    _, found = made
    rows = found["relativities"].set_index("cell")
    rates = found["rates"].set_index("cell")
    assert rows.f_smoothing.to_dict() == rates.f_smoothing.to_dict() and rows.f_smoothing.nunique() > 1
    moved = rows.member_months * rows.loaded_usd * (rows.f_smoothing - 1)
    assert moved.groupby(rows.pool).sum().abs().max() < 1e-6


def test_pooling_thin_cells_keeps_the_total(made):
    _, found = made
    rates = found["rates"]
    assert (rates.manual_source == "pooled").all()
    blended = (rates.member_months * rates.blended_pmpm_usd).sum()
    assert blended == pytest.approx((rates.member_months * rates.tpl_pmpm_usd).sum())


def test_what_the_plan_does_not_cover_is_not_in_its_rate(made):
    _, found = made
    assert not {"medical", "long_term_care"} & set(found["rate_build"].category)


def test_every_form_of_case_rate_pays_the_same_episode(made):
    _, found = made
    rates = found["case_rates"]
    for limit, loaded in (("lower", "loaded_lower"), ("upper", "loaded_upper")):
        known = rates[rates[limit].notna()]
        assert len(known) and (known[loaded] / known[limit]).tolist() == pytest.approx(
            (known.loaded_usd / known.value_usd).tolist()
        )
    actuarial = rates[rates.basis == "actuarial"].set_index(["arm", "form"])
    for arm in ("RSN", "CSP"):
        months = actuarial.expected_months[arm, "per_month"]
        episode = actuarial.value_usd[arm, "per_episode"]
        assert months == pytest.approx(sum(0.8**m for m in range(5)), abs=0.4)
        assert actuarial.value_usd[arm, "per_month"] * months == pytest.approx(episode)
        assert actuarial.value_usd[arm, "per_day"] * 365 / 12 * months == pytest.approx(episode)
        hybrid = actuarial.loc[arm, "hybrid"]
        assert hybrid.enrolment_usd + hybrid.value_usd * months == pytest.approx(episode)
    assert ((rates.lower <= rates.value_usd) & (rates.value_usd <= rates.upper))[rates.basis == "actuarial"].all()
    monthly = rates[(rates.basis == "staffing") & (rates.form == "per_month")].value_usd
    assert monthly.tolist() == pytest.approx([277.7778] * 2, abs=5e-5)


def test_a_longer_stay_costs_the_provider_of_a_flat_episode_more(made):
    _, found = made
    flat = found["provider_risk"].query("form == 'per_episode'")
    assert (flat.groupby("arm").margin_usd.diff().dropna() <= 1e-9).all()


def test_the_figures_are_drawn_and_are_the_same_bytes_again(made):
    folder, _ = made
    first = {path: path.read_bytes() for path in draw_stage(folder)}
    assert {path: path.read_bytes() for path in draw_stage(folder)} == first


def test_inputs_that_hold_nothing_give_empty_tables_and_figures_that_say_so(nothing):
    folder, found = nothing
    full = {name for name, table in found.items() if len(table)}
    assert full == {"corridor", "assumptions"}
    assert all(path.stat().st_size for path in draw_stage(folder))


def test_without_paid_dates_the_base_stands_as_paid_and_says_so(tmp_path):
    program = small_program(persons=20)
    program["ledger"] = program["ledger"].assign(paid_date=pd.NaT)
    found = run_stage(tmp_path, program)
    assert found["triangles"].empty and found["ultimates"].empty
    assert found["completion"].completion_factor.isna().all()
    assert found["completion"].reason.str.contains("no paid dates").all()
    build = found["rate_build"]
    assert (build.completion_factor == 1).all()
    assert build.rationale_completion.str.contains("no paid dates").all()
    assert build.completed_pmpm_usd.tolist() == pytest.approx(build.paid_pmpm_usd.tolist())
    assert (found["rates"].se_completion_usd == 0).all()


def test_doubling_every_payment_doubles_every_cost_but_no_factor(made, tmp_path):
    _, once = made
    program = small_program()
    program["claims"] = program["claims"].assign(
        cost_usd=program["claims"].cost_usd * 2, paid_usd=program["claims"].paid_usd * 2
    )
    program["ledger"] = program["ledger"].assign(signed_usd=program["ledger"].signed_usd * 2)
    twice = run_stage(tmp_path, program, pooled_beyond(5000.0))
    columns = ["completion_factor", "trend_utilisation", "trend_unit_cost", "f_trend"]
    assert twice["rate_build"][columns].to_numpy() == pytest.approx(once["rate_build"][columns].to_numpy(), rel=1e-9)
    # Charges are whole cents.
    assert twice["rate_build"].f_pooling.tolist() == pytest.approx(once["rate_build"].f_pooling.tolist(), rel=1e-6)
    assert twice["rates"].projected_pmpm_usd.tolist() == pytest.approx((once["rates"].projected_pmpm_usd * 2).tolist())
    assert twice["rates"].credibility_z.tolist() == pytest.approx(once["rates"].credibility_z.tolist())


def test_the_order_of_the_rows_changes_no_byte(made, tmp_path):
    folder, _ = made
    program = {name: table.sample(frac=1, random_state=3) for name, table in small_program().items()}
    run_stage(tmp_path, program)
    for outputs in OUTPUTS.values():
        for name in outputs:
            assert (tmp_path / f"{name}.parquet").read_bytes() == (folder / f"{name}.parquet").read_bytes(), name


def test_real_data_refuses_placeholders_and_names_them(made):
    from ratebook.rates.assumptions import list_assumptions

    settings = config()["rates"]
    with pytest.raises(RatebookError, match=r"rates\.loads\.admin_share"):
        list_assumptions(settings, data_note="")
    chosen = {"loads": {"admin_share": {"value": 0.08, "unit": "share", "source": "contract 2018, exhibit 4"}}}
    assert not list_assumptions(chosen, data_note="").is_placeholder.any()
    assert build_up.load_rate(92.0, 0.0, 0.08, 0, 0) == pytest.approx(100.0)


def test_every_rate_is_the_sum_of_the_products_its_trace_lays_out(made):
    _, found = made
    trace, rates = found["rate_trace"], found["rates"].set_index("cell").rate_usd.astype(float)
    parts = trace[trace.category != "rate"]
    factor = parts.value.where(parts.operation != "divide", 1 / parts.value)
    ends = factor.groupby([parts.cell, parts.category]).prod().groupby("cell").sum()
    assert ends.round(2).to_dict() == pytest.approx(rates.to_dict(), abs=1e-9)
    lines = small_program()["claims"].query("service_start_date >= '2017-01-01'")
    assert 0 < trace.claim_lines.sum() <= len(lines)


@pytest.mark.parametrize("rule", ["derive_rates", "derive_case_rates"])
def test_the_stage_stops_before_it_writes_where_real_data_meets_a_placeholder(made, tmp_path, rule):
    folder, _ = made
    settings = config()["rates"]
    chosen = settings["case_rate"] if rule == "derive_case_rates" else settings
    paths = {name: folder / f"{name}.parquet" for outputs in (INPUTS, *OUTPUTS.values()) for name in outputs}
    written = {name: tmp_path / f"{name}.parquet" for name in OUTPUTS[rule]}
    params = SimpleNamespace(settings=chosen, data_note="", seed=1)
    door = importlib.import_module(f"rates.{rule}")
    with pytest.raises(RatebookError, match=r"rates\.case_rate\.load_share \(placeholder"):
        door.main(SimpleNamespace(input=SimpleNamespace(**paths), output=SimpleNamespace(**written), params=params))
    assert not list(tmp_path.iterdir())
