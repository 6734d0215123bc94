"""What navigators' time went into, drawn as tables, and the figures of the stage."""

from __future__ import annotations

from decimal import Decimal

import pytest

from conftest import ROOT
from engagement_data import COVARIATES, END_REASONS, SETTINGS, nobody, study
from ratebook.contracts.clean import Claims, WorkerTime
from ratebook.contracts.engagement import ServiceMix
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.figures import FIGURES, plot_engagement
from ratebook.engagement.service_mix import BY_CLIENT, NO_CASE_RATE, NO_UNIT_PRICE, WHOLE_LOG, build_service_mix
from ratebook.engagement.weights import estimate_balance
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
        rows = run(build_service_mix(table(log, WorkerTime), table(paid, Claims), services))
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
    found = build_service_mix(table(header, WorkerTime), table(PAID, Claims), services)
    write_table(found, tmp_path / "mix.parquet", ServiceMix)
    assert read_table(tmp_path / "mix.parquet", ServiceMix).empty


def test_figures_are_drawn_from_the_tables_and_say_so_when_empty(table, services, tmp_path):
    write_table(build_service_mix(table(LOG, WorkerTime), table(PAID, Claims), services), tmp_path / "mix", ServiceMix)
    mixes = read_table(tmp_path / "mix", ServiceMix), empty_frame(ServiceMix)
    for data, mix in zip((study(persons=120), nobody()), mixes):
        found = estimate_survival(*data, **{**SETTINGS, "boot_reps": 20})
        balance, _, _ = estimate_balance(*data, END_REASONS, COVARIATES)
        figures = plot_engagement({**found._asdict(), "balance": balance, "service_mix": mix}, 11)
        assert list(figures) == list(FIGURES)
        for name, figure in figures.items():
            svg = tmp_path / f"{name}.svg"
            save_figure(figure, svg, tmp_path / "figure.png", "synthetic data")
            assert svg.stat().st_size > 1000
