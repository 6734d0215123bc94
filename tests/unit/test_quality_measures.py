"""What exhibits of quality measure: jumps of denials, lags and completion, prices."""

import pandas as pd
import pytest

from claims_data import table
from ratebook.clean import denials, lags
from ratebook.clean.prices import select_prices
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.contracts import quality
from ratebook.contracts.quality import Denials
from ratebook.tables import read_counts, write_table


def months_of(*shares, rows=1000):
    months = pd.date_range("2022-01-01", periods=len(shares), freq="MS")
    denied = [round(share * rows) for share in shares]
    parts = [
        pd.DataFrame({"rule_id": rule, "paid_month": months, "rows": counts})
        for rule, counts in (("A4.1", denied), (None, [rows - n for n in denied]))
    ]
    files = {"source_table": "medical_claims", "source_file": [f"a_{month.month}.txt" for month in months] * 2}
    return pd.concat(parts, ignore_index=True).assign(**files)


@pytest.mark.parametrize(
    ("last", "jumps"),
    [
        pytest.param(0.10, [], id="as ever"),
        pytest.param(0.12, [], id="within what chance makes of 1,000 rows"),
        pytest.param(0.20, [6], id="a spike"),
        pytest.param(0.0, [6], id="a feed that ends its denials"),
    ],
)
def test_a_month_jumps_when_it_is_far_from_the_median_of_its_feed(last, jumps):
    found = denials.build_denials(months_of(0.10, 0.11, 0.09, 0.10, 0.10, last), 3, 6)
    assert found.paid_month[found.is_jump].dt.month.tolist() == jumps
    assert set(found.feed) == {"a_#.txt"}, "files that differ in digits are one feed"


def test_the_limit_itself_is_no_jump_and_few_rows_are_chance():
    shares = 0.08, 0.10, 0.12, 0.08, 0.10, 0.12, 0.10 + 3 * 1.4826 * 0.02
    far = denials.build_denials(months_of(*shares, rows=10**8), 3, 6).sort_values("paid_month")
    assert far.distance_sd.iloc[-1] == pytest.approx(3)
    limit = far.distance_sd.iloc[-1]
    assert not denials.build_denials(months_of(*shares, rows=10**8), limit, 6).is_jump.any()
    few = denials.build_denials(months_of(0, 0, 0, 0, 0, 0.5, rows=2), 3, 6)
    assert not few.is_jump.any()


def test_a_feed_of_too_few_months_is_not_judged(tmp_path):
    found = denials.build_denials(months_of(0.1, 0.1, 0.1, 0.1, 0.9), 3, 6)
    write_table(found, tmp_path / "denials", Denials)
    assert found.is_jump.isna().all() and found.denied_share.max() == 0.9


def test_months_of_providers_jump_by_the_same_rule_and_are_only_counted():
    lines = [("P1", month, n < (30 if month == 6 else 10)) for month in range(1, 7) for n in range(100)]
    lines += [("P2", month, n < 10) for month in range(1, 7) for n in range(100)]
    rows = [
        f"{npi} | 2022-{month:02d}-15 | {str(denied).lower()} | C{n}" for n, (npi, month, denied) in enumerate(lines)
    ]
    medical = table("billing_npi | paid_date | denied_flag | claim_id\n" + "\n".join(rows), raw.MedicalClaims)
    found = denials.count_provider_jumps(medical, table("load_sequence", raw.PharmacyClaims), 3, 6)
    assert read_counts(found).iloc[0].to_dict() == {"provider_months": 12, "provider_jumps": 1}


def paid(*rows, category="LTSS"):
    frame = pd.DataFrame(rows, columns=["service_month", "lag_months", "signed_usd"])
    frame["service_month"] = pd.to_datetime(frame.service_month)
    return frame.assign(category=category, entries=1, persons=1)


def test_lags_are_weighted_by_dollars_and_by_entries():
    found = lags.build_lag_distribution(
        paid(("2020-01-01", 0, 90.0), ("2020-01-01", 2, 5.0), ("2020-01-01", 13, 5.0)), "2022-12-31"
    )
    assert set(found.category) == {"LTSS", "all"}
    dollars, entries = (found[(found.category == "all") & (found.weight == weight)].iloc[0] for weight in lags.WEIGHTS)
    assert (dollars.mean_months, dollars.p50_months, dollars.p90_months) == (pytest.approx(0.75), 0, 0)
    assert (entries.mean_months, entries.p50_months, entries.p90_months) == (5, 2, 13)
    assert (dollars.within_1_share, dollars.within_3_share, dollars.within_12_share) == pytest.approx(
        (0.9, 0.95, 0.95)
    )


def test_only_months_a_year_old_are_described():
    young, old = ("2022-01-01", 0, 50.0), ("2021-12-01", 3, 50.0)
    found = lags.build_lag_distribution(paid(young, old), "2022-12-31")
    assert found.p50_months.tolist() == [3, 3, 3, 3]
    assert lags.build_lag_distribution(paid(young), "2022-12-31").empty


def test_a_month_whose_money_all_goes_back_has_no_lag_and_says_why(tmp_path):
    found = lags.build_lag_distribution(paid(("2020-01-01", 0, 10.0), ("2020-01-01", 1, -10.0)), "2022-12-31")
    write_table(found, tmp_path / "lags", quality.LagDistribution)
    dollars = found[found.weight == "dollars"]
    assert dollars.mean_months.isna().all() and (dollars.reason == "no dollars stand").all()


def test_completion_is_the_chain_ladder_of_all_months():
    # Of a full month half is paid at once and half a month later; the youngest is seen at age 0 only.
    known = paid(
        ("2022-01-01", 0, 50.0), ("2022-01-01", 1, 50.0), ("2022-02-01", 0, 50.0), ("2022-02-01", 1, 50.0),
        ("2022-03-01", 0, 70.0),
    )  # fmt: skip
    found = lags.build_lag_completion(known, "2022-03-31")
    whole = found[found.category == "all"].set_index("age_months")
    assert whole.completion.to_dict() == pytest.approx({0: 0.5, 1: 1.0, 2: 1.0})
    assert whole.service_months.to_dict() == {0: 3, 1: 2, 2: 1}
    window = {"window_start": "2022-01-01", "window_end": "2022-03-31", "extract_date": "2022-03-31"}
    assert lags.count_immature(found, **window, least=0.5) == 0, "at the limit a month may be shown"
    assert lags.count_immature(found, **window, least=0.51) == 1


@pytest.mark.parametrize(
    ("last_paid_lag", "months"),
    [
        pytest.param(0, 0, id="no payment after the window"),
        pytest.param(3, 3, id="payments for three months after it"),
        pytest.param(9, 3, id="a date beyond the extract is no runout"),
    ],
)
def test_runout_is_what_was_paid_after_the_window(last_paid_lag, months):
    assert lags.count_runout(paid(("2022-12-01", last_paid_lag, 1.0)), "2022-12-31", "2023-03-31") == months


def test_prices_are_paid_per_unit_of_the_costliest_procedures(tmp_path):
    text = """\
    claim_id | hcpcs_code | hcpcs_modifier_1 | units | paid_usd | is_crossover
    C1       | H0004      |                  | 2     | 20       | false
    C2       | H0004      |                  | 1     | 20       | false
    C3       | H0004      |                  | 1     | 500      | true
    C4       | H2015      | HF               | 1     | 150      | false
    C5       | H2015      | HF               | 1     | 150      | false
    C6       | H2015      |                  | 1     | 12       | false
    C7       | H2015      |                  | 1     | 14       | false
    C8       | H0005      |                  | 1     | 900      | false
    """
    claims = table(text, to.Claims, service_start_date="2022-01-05", is_money_only="false")
    found = read_counts(select_prices(claims, codes=2, least_lines=2))
    write_table(found, tmp_path / "prices", quality.UnitPrices)
    assert found[["hcpcs_code", "hcpcs_modifier_1", "lines"]].to_numpy().tolist() == [
        ["H0004", None, 2],
        ["H2015", "HF", 2],
    ], "one line of H0005 is too few; H2015 without its modifier is another service, and third by dollars"
    assert found.p50_usd.tolist() == [15, 150]
    assert found.p5_usd.iloc[0] == pytest.approx(10.5)
