"""What navigators' time went into, drawn as tables, and the figures of the stage."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from engagement_data import COVARIATES, END_REASONS, SETTINGS, nobody, study
from ratebook.contracts.clean import Claims, WorkerTime
from ratebook.contracts.engagement import ServiceMix
from ratebook.contracts.navigation import ServiceSummary, WorkerTotals
from ratebook.engagement.balance import estimate_balance
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.plots import DRAWN_FROM, FIGURES, plot_engagement
from ratebook.engagement.service_mix import (
    BY_CLIENT,
    NO_CASE_RATE,
    NO_UNIT_PRICE,
    WHOLE_LOG,
    build_service_mix,
    payment_prices,
)
from ratebook.engagement.worker_totals import KINDS, NO_LOG, NO_PRICE, build_worker_totals, estimate_service_summary
from ratebook.figures import save_figure
from ratebook.tables import empty_frame, read_codes, read_table, write_table

LOG = """\
    log_id | program | provider_id | worker_id | person_id | activity_date | activity | is_contact | minutes | billable_units
    1      | RSN     | O1          | W1        | A         | 2015-01-05    | face     | true       | 60      | 4
    2      | RSN     | O1          | W1        | A         | 2015-01-05    | attempt  | false      | 10      | 0
    3      | RSN     | O1          | W1        | A         | 2015-02-03    | phone    | true       | 30      | 2
    4      | RSN     | O1          | W1        | B         | 2015-02-04    | face     | true       | 60      | 4
    5      | RSN     | O1          | W2        |           | 2015-02-04    | training | false      | 40      | 0
    6      | CSP     | O2          | W3        | C         | 2015-01-09    | face     | true       | 15      | 1
    """
PAID = """\
    claim_id | hcpcs_code | hcpcs_modifier_1 | units | paid_usd | category
    1        | H2015      |                  | 10    | 120.00   | NAVIGATOR
    2        | H2015      |                  | 20    | 240.00   | NAVIGATOR
    3        | H2015      | HF               | 1     | 150.00   | NAVIGATOR
    4        | T1023      | HF               | 1     | 300.00   | NAVIGATOR
    5        | H0004      |                  | 4     | 999.00   | OP_SUD
    """


@pytest.fixture
def services():
    return read_codes(ROOT / "workflow/codes/services.csv")


@pytest.fixture
def mix(table, run, services):
    def build(log=LOG, paid=PAID):
        rows = run(build_service_mix(table(log, WorkerTime), payment_prices(table(paid, Claims), services)))
        return {(row["program"], row["activity"]): row for row in rows}

    return build


def test_time_by_activity_adds_up_to_the_program(mix):
    rows = mix()
    whole = rows["RSN", "all"]
    parts = [row for key, row in rows.items() if key[0] == "RSN" and key[1] != "all"]
    assert whole["minutes"] == 200 == sum(row["minutes"] for row in parts)
    assert sum(row["minutes_share"] for row in parts) == pytest.approx(1)
    assert whole["minutes_share"] == 1
    assert whole["billable_minutes_share"] == 150 / 200
    assert sum(row["billable_units"] for row in parts) == whole["billable_units"] == 10


def test_work_for_no_client_counts_as_time_and_not_as_caseload(mix):
    whole = mix()["RSN", "all"]
    assert whole["worker_months"] == 3
    assert whole["contacts_per_worker_month"] == 1
    assert whole["caseload"] == 1
    assert (whole["clients"], whole["client_months"]) == (2, 3)


def test_each_log_is_priced_under_both_forms(mix):
    rows = mix()
    assert rows["RSN", "all"]["unit_price_usd"] == 12
    assert rows["RSN", "all"]["unit_form_usd"] == Decimal("120.00")
    assert rows["RSN", "all"]["case_form_usd"] == Decimal("1050.00"), "2 clients × 300 + 3 months × 150"
    assert rows["CSP", "all"]["unit_form_usd"] == Decimal("12.00")
    assert rows["CSP", "all"]["case_form_usd"] == Decimal("450.00")
    assert rows["CSP", "all"]["reason"] == WHOLE_LOG
    assert (rows["RSN", "face"]["case_form_usd"], rows["RSN", "face"]["reason"]) == (None, f"{BY_CLIENT}; {WHOLE_LOG}")


def test_a_form_no_claim_used_has_no_price(mix):
    lines = PAID.splitlines(keepends=True)
    without_case_rate = mix(paid="".join(lines[:3]))["RSN", "all"]
    assert (without_case_rate["case_form_usd"], without_case_rate["reason"]) == (None, f"{NO_CASE_RATE}; {WHOLE_LOG}")
    without_units = mix(paid="".join([lines[0], *lines[3:]]))["CSP", "all"]
    assert (without_units["unit_form_usd"], without_units["reason"]) == (None, f"{NO_UNIT_PRICE}; {WHOLE_LOG}")


def test_no_log_is_an_empty_table(mix, tmp_path, table, services):
    header = LOG.splitlines(keepends=True)[0]
    assert mix(log=header) == {}
    found = build_service_mix(table(header, WorkerTime), payment_prices(table(PAID, Claims), services))
    write_table(found, tmp_path / "mix.parquet", ServiceMix)
    assert read_table(tmp_path / "mix.parquet", ServiceMix).empty


@pytest.fixture
def totals(table, services, tmp_path):
    def build(log=LOG, paid=PAID):
        found = build_worker_totals(table(log, WorkerTime), payment_prices(table(paid, Claims), services))
        write_table(found, tmp_path / "totals.parquet", WorkerTotals)
        return read_table(tmp_path / "totals.parquet", WorkerTotals)

    return build


def test_the_workers_of_a_program_add_up_to_it(totals, mix):
    shared = (
        LOG
        + "    7      | RSN     | O1          | W2        | A         | 2015-01-20    | face     | true       | 30      | 2\n"
    )
    workers, whole = totals(shared).groupby("program").sum(numeric_only=True), mix(shared)
    for program in ("RSN", "CSP"):
        mine, row = workers.loc[program], whole[program, "all"]
        for name in ("minutes", "contacts", "worker_months", "clients", "client_months"):
            assert mine[name] == row[name], name
        assert mine.unit_form_earned_usd == pytest.approx(float(row["unit_form_usd"]))
        assert mine.case_form_earned_usd == pytest.approx(float(row["case_form_usd"]))
        assert sum(mine[f"{kind}_minutes"] for kind in KINDS) == mine.minutes


def test_a_client_of_two_workers_is_credited_to_the_first(totals):
    shared = (
        LOG
        + "    7      | RSN     | O1          | W2        | A         | 2015-01-20    | face     | true       | 30      | 2\n"
    )
    workers = totals(shared).set_index("worker_id")
    assert workers.clients.to_dict() == {"W1": 2, "W2": 0, "W3": 1}
    assert (workers.loc["W2", "client_months"], workers.loc["W2", "served_months"]) == (0, 1)


def drawn_totals(workers=30, seed=3):
    """Draw workers of both programs with the same mix of work, but for their case rate."""
    rng = np.random.default_rng(seed)
    count = 2 * workers
    minutes = {f"{kind}_minutes": rng.integers(50, 500, count) for kind in KINDS}
    months = rng.integers(5, 12, count)
    return pd.DataFrame(
        {
            "program": np.repeat(["RSN", "CSP"], workers),
            "provider_id": "O",
            "worker_id": [f"W{n:03d}" for n in range(count)],
            **minutes,
            "minutes": sum(minutes.values()),
            "billable_minutes": minutes["contact_minutes"],
            "contacts": rng.integers(20, 90, count),
            "worker_months": months,
            "served_months": months * 2,
            "clients": 5,
            "client_months": months + 3,
            "unit_form_earned_usd": 12.0 * minutes["contact_minutes"] / 15,
            "case_form_earned_usd": 150.0 * (months + 3),
        }
    )


def test_a_measure_is_the_ratio_of_sums_with_limits_that_resample_workers():
    totals = drawn_totals()
    found = estimate_service_summary(totals, 300, 1).set_index(["measure", "arm"])
    mine = totals[totals.program == "RSN"]
    row = found.loc[("minutes_per_client_month", "RSN")]
    assert row.estimate == pytest.approx(mine.minutes.sum() / mine.client_months.sum())
    assert row.lower < row.estimate < row.upper and row.workers == 30
    shares = [found.loc[(f"{kind}_share", "RSN"), "estimate"] for kind in KINDS]
    assert sum(shares) == pytest.approx(1)
    assert found.loc[("nonbillable_share", "RSN"), "estimate"] == pytest.approx(1 - shares[0])
    assert found.loc[("case_to_unit_ratio", "CSP"), "lower"] > 0


def test_relabelling_programs_flips_the_contrast_and_the_order_of_workers_changes_nothing():
    totals = drawn_totals()
    swapped = totals.assign(program=totals.program.map({"RSN": "CSP", "CSP": "RSN"}))
    here, there = (
        estimate_service_summary(frame, 50, 1).set_index(["measure", "arm"]).estimate for frame in (totals, swapped)
    )
    contrast = [key for key in here.index if key[1] == "RSN vs CSP"]
    assert there[contrast].to_numpy() == pytest.approx(-here[contrast].to_numpy())
    shuffled = estimate_service_summary(totals.sample(frac=1, random_state=1), 50, 1)
    pd.testing.assert_frame_equal(shuffled, estimate_service_summary(totals, 50, 1))


def test_what_no_log_or_no_price_leaves_unknown_has_a_reason(totals, tmp_path):
    one_program = drawn_totals().query("program == 'RSN'")
    found = estimate_service_summary(one_program, 50, 1).set_index(["measure", "arm"])
    assert found.loc[("unit_form_usd", "CSP"), "reason"] == NO_LOG
    assert found.loc[("unit_form_usd_difference", "RSN vs CSP"), "reason"] == NO_LOG
    header = PAID.splitlines(keepends=True)[0]
    unpriced = estimate_service_summary(totals(paid=header), 50, 1)
    assert unpriced.set_index(["measure", "arm"]).loc[("case_form_usd", "RSN"), "reason"] == NO_PRICE
    for frame in (unpriced, found.reset_index(), estimate_service_summary(empty_frame(WorkerTotals), 50, 1)):
        write_table(frame, tmp_path / "summary.parquet", ServiceSummary)
        assert frame.reason[frame.lower.isna()].notna().all()


def test_figures_are_drawn_from_the_tables_and_say_so_when_empty(table, services, tmp_path):
    write_table(
        build_service_mix(table(LOG, WorkerTime), payment_prices(table(PAID, Claims), services)),
        tmp_path / "mix",
        ServiceMix,
    )
    mixes = read_table(tmp_path / "mix", ServiceMix), empty_frame(ServiceMix)
    for data, mix in zip((study(persons=120), nobody()), mixes):
        found = estimate_survival(*data, **{**SETTINGS, "boot_reps": 20})
        balance, _, _ = estimate_balance(*data, END_REASONS, COVARIATES)
        summary = estimate_service_summary(drawn_totals(workers=8) if len(mix) else empty_frame(WorkerTotals), 20, 1)
        tables = {name: empty_frame(contract) for name, contract in DRAWN_FROM.items()}
        tables |= {**found._asdict(), "balance": balance, "service_mix": mix, "service_summary": summary}
        figures = plot_engagement(tables, 11)
        assert list(figures) == list(FIGURES)
        for name, figure in figures.items():
            svg = tmp_path / f"{name}.svg"
            save_figure(figure, svg, tmp_path / "figure.png", "synthetic data")
            assert svg.stat().st_size > 1000
