"""Exhibits of quality: each ties to the waterfall, to the row and the cent, and stands where there is nothing."""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import pytest

from claims_data import LINE, SETTINGS, clean, table
from ratebook.clean import audit, denials, exhibits, lags
from ratebook.clean.attrition import RULES, build_waterfall, count_persons, unite_persons
from ratebook.clean.header_cases import build_header_cases, count_header_cases
from ratebook.clean.lines import CLAIM, unite_lines
from ratebook.clean.missing import FIELDS, build_missingness
from ratebook.clean.plots import DRAWN_FROM, plot_clean
from ratebook.clean.prices import select_prices
from ratebook.clean.quality import count_disagreeing
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.contracts import quality
from ratebook.contracts.quality import AdjustmentRates, Denials, Duplicates, HeaderCases, Missingness
from ratebook.errors import RatebookError
from ratebook.figures import plt
from ratebook.tables import empty_frame, empty_table, fingerprint, open_table, read_counts, write_table

STUDY = {"window_start": "2022-01-01", "window_end": "2022-12-31", "extract_date": "2023-03-31"}
LIMITS = {
    "denial_jump_sd": 3,
    "least_months": 6,
    "net_identity": 0.05,
    "runout": 3,
    "price_codes": 2,
    "price_lines": 2,
    "max_rejected_share": 1.0,
    "control_total_share": {"warn": 0.01, "error": 0.02},
    "unmatched_warn": 0.005,
    "unmatched": 0.02,
    "negative": 25_000,
    "completion": 0.9,
}
LINES = """\
    claim_id | claim_line_number | claim_type    | adjustment_code | original_claim_id | paid_date  | paid_amount | header_paid_amount | allowed_amount | line_status_code | hcpcs_code | source_file | person_id
    C1       | 1                 | professional  |                 |                   | 2022-02-01 | 100.10      | 100.10             | 100.10         |                  | H0004      | a_1.txt | P
    C1       | 1                 | professional  |                 |                   | 2022-02-01 | 100.10      | 100.10             | 100.10         |                  | H0004      | a_1.txt | P
    C1       | 1                 | professional  |                 |                   | 2022-02-01 | 100.10      | 100.10             | 100.10         |                  | H0004      | a_2.txt | P
    C2       | 1                 | professional  |                 |                   | 2022-02-01 | 20          |                    |                |                  | H0005      | a_1.txt | P
    C2       | 1                 | professional  |                 |                   | 2022-02-01 | 21          |                    |                |                  | H0005      | a_1.txt | P
    C3       | 1                 | professional  | original        |                   | 2022-02-01 | 50          |                    |                |                  |            | a_1.txt | P
    C3V      | 1                 | professional  | void            | C3                | 2022-03-01 | -50         |                    |                |                  |            | a_2.txt | P
    C4V      | 1                 | professional  | void            | C4                | 2022-03-01 | -75         |                    |                |                  |            | a_2.txt | P
    C5R      | 1                 | professional  | replacement     | C5                | 2022-03-01 | 30          |                    |                |                  |            | a_2.txt | P
    C6       | 1                 | professional  | gross_credit    | C1                |            | 5           |                    |                |                  |            | a_2.txt | P
    C7       | 1                 | institutional |                 |                   | 2022-02-01 | 0           | 90                 | 60             |                  |            | a_1.txt | P
    C7       | 2                 | institutional |                 |                   | 2022-02-01 | 0           | 90                 | 30             |                  |            | a_1.txt | P
    C8       | 1                 | institutional |                 |                   | 2022-02-01 | 40          | 60                 |                |                  |            | a_1.txt | P
    C8       | 2                 | institutional |                 |                   | 2022-02-01 | 20          | 60                 |                | 542              |            | a_1.txt | P
    C9       | 1                 | institutional |                 |                   | 2022-02-01 | 40          | 70                 |                |                  |            | a_1.txt | Q
    D1       | 1                 | institutional |                 |                   | 2022-02-01 | 100         |                    |                |                  |            | b_1.txt | P
    D1       | 2                 | institutional |                 |                   | 2022-02-01 | 100         |                    |                |                  |            | b_1.txt | P
    C10      | 1                 | professional  |                 |                   | 2022-02-01 | 7           |                    |                | 542              |            | b_1.txt     | Q
    C11      | 1                 | professional  |                 |                   | 2022-02-01 | 7           |                    |                |                  |            | b_1.txt     | Z
    C12      | 1                 | professional  |                 |                   | 2022-02-01 | 7           |                    |                | 542              |            | b_1.txt     | R
    """


MANY = """\
    claim_id | claim_line_number | paid_amount | header_paid_amount | line_status_code
    A        | 1                 | 10          | 30                 |
    A        | 2                 | 20          | 30                 |
    B        | 1                 | 10          | 30                 |
    B        | 2                 | 20          |                    |
    C        | 1                 | 10          |                    |
    C        | 2                 | 20          |                    |
    D        | 0                 | 10          |                    |
    D        | 1                 | 20          |                    |
    E        | 1                 | 10          | 15                 |
    F        | 1                 | 10          | 30                 |
    F        | 2                 | 20          | 30                 | 26
    G        |                   | 10          |                    |
    """
"""Claims of one record: plain ones, and ones whose header or numbering cannot be read off a line."""


@dataclass
class Drawn:
    """Drawn lines, cleaned, and what is counted of them."""

    tally: pd.DataFrame
    attrition: pd.DataFrame
    exhibits: dict[str, pd.DataFrame]
    persons_marked: pd.DataFrame
    persons_written: pd.DataFrame


def header_cases(tmp_path, text) -> pd.DataFrame:
    """Lay out the header cases of drawn lines that `clean` has cleaned, putting every claim together from its lines."""
    medical, none = table(text, raw.MedicalClaims, **LINE), table("load_sequence", raw.PharmacyClaims)
    adjusted = open_table(tmp_path / "AdjustedLines", to.AdjustedLines)
    lines = unite_lines(medical, none, CLAIM)
    every = lines.select(claim=fingerprint(lines, CLAIM)).distinct()
    return build_header_cases(read_counts(count_header_cases(medical, none, every, adjusted)))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Drawn:
    folder = tmp_path_factory.mktemp("exhibits")
    cleaned = clean(folder, LINES, members="person_id\nP\nQ\nR")
    laid = {
        "adjustment_rates": (exhibits.build_adjustment_rates(cleaned.tally), AdjustmentRates),
        "header_cases": (build_header_cases(read_counts(cleaned.header_cases)), HeaderCases),
        "missingness": (build_missingness(cleaned.tally), Missingness),
        "duplicates": (exhibits.build_duplicates(cleaned.tally), Duplicates),
        "denials": (denials.build_denials(cleaned.tally, 3, 6), Denials),
    }
    for name, (frame, contract) in laid.items():
        write_table(frame, folder / name, contract)
    return Drawn(
        cleaned.tally,
        cleaned.waterfall(),
        {name: frame for name, (frame, _) in laid.items()},
        read_counts(count_persons(cleaned.marked, RULES)),
        read_counts(count_persons(unite_persons(cleaned.claims, cleaned.rejected), RULES)),
    )


def test_every_exhibit_ties_to_the_raw_rows_and_dollars(drawn):
    assert drawn.attrition.rows_in.iloc[0] == 20
    assert drawn.attrition.paid_in_usd.iloc[0] == Decimal("622.30")
    exhibits.check_ties(drawn.tally, drawn.attrition, drawn.exhibits)


@pytest.mark.parametrize(
    ("name", "column", "amount"),
    [
        ("adjustment_rates", "void_usd", Decimal("0.01")),
        ("header_cases", "raw_usd", Decimal("0.01")),
        ("missingness", "rows", 1),
        ("denials", "rows", 1),
        ("duplicates", "rows", 1),
    ],
)
def test_an_exhibit_that_is_a_row_or_a_cent_off_stops_the_run_by_its_name(drawn, name, column, amount):
    frame = drawn.exhibits[name].copy()
    if name == "missingness":
        frame = frame.sort_values("field", key=lambda field: field != "person", ignore_index=True)
    frame.loc[frame.index[0], column] += amount
    with pytest.raises(RatebookError, match=rf": {name}$"):
        exhibits.check_ties(drawn.tally, drawn.attrition, {**drawn.exhibits, name: frame})


def test_copies_are_told_by_where_their_like_stands(drawn):
    found = drawn.exhibits["duplicates"].set_index(["source_file", "kind"])
    rows = {key: n for key, n in found.rows.items() if n}
    assert rows == {
        ("a_1.txt", "copy_within_file"): 1,
        ("a_2.txt", "copy_across_files"): 1,
        ("a_1.txt", "conflicting"): 2,
    }
    assert found.raw_usd["a_1.txt", "conflicting"] == Decimal("41.00")
    assert found.rows_share["a_2.txt", "copy_across_files"] == pytest.approx(1 / 5)
    assert len(found) == 12, "every file stands under every kind, also where there is none"


def test_duplicates_tie_to_their_rules(drawn):
    by_kind = drawn.exhibits["duplicates"].groupby("kind")[["rows", "raw_usd"]].sum()
    for rule, kinds in (("A3.1", ["copy_within_file", "copy_across_files"]), ("A3.2", ["conflicting"])):
        taken = drawn.attrition[drawn.attrition.rule_id == rule].iloc[0]
        assert by_kind.rows[kinds].sum() == taken.rows_in - taken.rows_out
        assert -sum(by_kind.raw_usd[kinds]) == taken.delta_usd


def test_adjustments_are_counted_in_their_month_with_orphans_among_them(drawn):
    found = drawn.exhibits["adjustment_rates"].set_index("paid_month")
    march = found.loc["2022-03-01"]
    assert (march.void_rows, march.void_usd, march.orphan_void_usd) == (2, Decimal(-125), Decimal(-75))
    assert (march.replacement_rows, march.orphan_replacement_usd) == (1, Decimal(30))
    assert pd.isna(march.void_rate), "no original in the month: no rate"
    assert found.loc["2022-02-01"].void_rate == 0
    undated = found[found.index.isna()].iloc[0]
    assert (undated.gross_rows, undated.gross_usd) == (1, Decimal(5))


def test_voids_of_nothing_tie_to_the_waterfall(drawn):
    orphans = sum(drawn.exhibits["adjustment_rates"].orphan_void_usd)
    assert -orphans == drawn.attrition.set_index("rule_id").delta_usd["A5.5"]


def test_claims_counted_line_by_line_are_what_they_are_put_together(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    cleaned = clean(folder, MANY, members="person_id\nP")
    by_line = build_header_cases(read_counts(cleaned.header_cases))
    pd.testing.assert_frame_equal(by_line, header_cases(folder, MANY), check_dtype=False)
    assert by_line.set_index("case").records.to_dict() == {
        "agree": 2,
        "no_header": 3,
        "denied_lines": 1,
        "lines_stand": 1,
    }


def test_header_cases_are_told_apart(drawn):
    found = drawn.exhibits["header_cases"].set_index(["claim_type", "case"])
    assert found.records.groupby(level=[0, 1]).sum().to_dict() == {
        ("professional", "agree"): 1,
        ("professional", "no_header"): 9,
        ("institutional", "repeated"): 1,
        ("institutional", "header_spread"): 1,
        ("institutional", "denied_lines"): 1,
        ("institutional", "header_stands"): 1,
    }
    found = drawn.exhibits["header_cases"].set_index("case")
    dollars = found.loc[["header_spread", "header_stands", "repeated"], ["raw_usd", "header_usd", "paid_usd"]]
    assert dollars.astype(int).values.tolist() == [[0, 90, 90], [40, 70, 70], [200, 0, 100]]
    shares = found.groupby(["source_file", "claim_type"]).records_share.sum()
    assert shares.tolist() == pytest.approx([1] * len(shares))


def test_a_field_is_missed_only_where_it_is_expected(drawn):
    found = drawn.exhibits["missingness"].set_index(["source_file", "claim_type", "field"])
    assert found.missing_share["a_1.txt", "professional", "procedure or revenue code"] == pytest.approx(1 / 5)
    assert found.missing_rows["a_2.txt", "professional", "paid date"] == 1
    assert found.missing_rows["a_1.txt", "institutional", "bill type"] == 5
    asked = set(found.index.get_level_values("field"))
    assert "drug code" not in asked, "there is no pharmacy claim"
    assert ("a_1.txt", "professional", "bill type") not in found.index
    assert asked < set(FIELDS)


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


def test_persons_are_counted_from_what_cleaning_wrote_as_from_the_marked_lines(drawn):
    pd.testing.assert_frame_equal(drawn.persons_written, drawn.persons_marked)
    steps = build_waterfall(drawn.tally, drawn.persons_written, RULES).set_index("rule_id")
    assert (steps.persons_in.iloc[0], steps.persons_out.iloc[-1]) == (4, 2)


def test_persons_whose_records_disagree_are_counted():
    people = table(
        """\
        person_id | sex     | birth_date
        A         | female  | 1980-01-01
        A2        | male    | 1981-01-01
        B         | female  | 1980-01-01
        B2        | unknown | 1981-01-02
        """,
        raw.Members,
    )
    identity = table("source_person_id | person_id\nA | A\nA2 | A\nB | B\nB2 | B", to.Identity)
    assert read_counts(count_disagreeing(people, identity)).iloc[0].to_dict() == {"two_sexes": 1, "two_births": 1}


def test_every_exhibit_stands_and_is_drawn_where_there_is_nothing(tmp_path):
    tables = {name: empty_table(contract) for name, contract in audit.COUNTED_FROM.items()}
    counts = {
        name: read_counts(query)
        for name, query in audit.count_sources(tables, STUDY["extract_date"], SETTINGS, LIMITS).items()
    }
    none = empty_frame(HeaderCases)
    found = audit.build_exhibits(
        counts, empty_frame(raw.SourceManifest), empty_frame(to.PaidLags), none, STUDY, LIMITS
    )
    for name, contract in audit.EXHIBITS.items():
        write_table(found[name], tmp_path / name, contract)
        assert name == "qa" or found[name].empty
    assert pd.isna(found["qa"].set_index("check_id").passed["runout_months"])
    figures = plot_clean(
        {**found, "header_cases": none, "paid_lags": empty_frame(to.PaidLags)}, "2022-01-01", "2022-12-31"
    )
    assert all(figure.axes for figure in figures.values())
    plt.close("all")


def test_claims_without_a_paid_date_are_shown_as_they_are(drawn):
    tally = drawn.tally.assign(paid_month=pd.NaT)
    undated, rates = denials.build_denials(tally, 3, 6), exhibits.build_adjustment_rates(tally)
    assert undated.rows.sum() == 20 and undated.is_jump.isna().all()
    assert (rates.rows.tolist(), rates.paid_month.isna().all()) == ([20], True)
    tables = {name: empty_frame(contract) for name, contract in DRAWN_FROM.items()}
    tables |= {"denials": undated, "adjustment_rates": rates, "missingness": build_missingness(tally)}
    plot_clean(tables, "2022-01-01", "2022-12-31")
    plt.close("all")


def test_the_waterfall_must_end_at_the_final_claims(drawn):
    last = drawn.attrition.iloc[-1]
    claims = pd.DataFrame({"final_rows": [last.rows_out], "final_cost_usd": [last.paid_out_usd]})
    audit.check_final(drawn.attrition, claims)
    with pytest.raises(RatebookError, match="does not end at the lines and dollars"):
        audit.check_final(drawn.attrition, claims.assign(final_cost_usd=last.paid_out_usd + Decimal("0.01")))


@pytest.mark.parametrize("name", list(audit.EXHIBITS))
def test_no_exhibit_names_a_person_a_claim_or_a_provider(name):
    columns = set(audit.EXHIBITS[name].types())
    assert not {
        column
        for column in columns
        if column.endswith(("_id", "_npi", "load_sequence")) and column not in ("rule_id", "check_id")
    }
