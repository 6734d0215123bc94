"""Exhibits of quality: each ties to the waterfall, to the row and the cent, and stands where there is nothing."""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
import pytest

from claims_data import LINE, SETTINGS, clean, table
from ratebook.clean import audit, denials, exhibits
from ratebook.clean.attrition import RULES, build_waterfall, count_persons, unite_persons
from ratebook.clean.header_cases import build_header_cases, count_header_cases
from ratebook.clean.lines import CLAIM, unite_lines
from ratebook.clean.missing import FIELDS, build_missingness
from ratebook.clean.plots import DRAWN_FROM, plot_clean
from ratebook.clean.quality import count_disagreeing
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.contracts.quality import AdjustmentRates, Denials, Duplicates, HeaderCases, Missingness
from ratebook.errors import RatebookError
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


def test_claims_without_a_paid_date_are_shown_as_they_are(drawn):
    tally = drawn.tally.assign(paid_month=pd.NaT)
    undated, rates = denials.build_denials(tally, 3, 6), exhibits.build_adjustment_rates(tally)
    assert undated.rows.sum() == 20 and undated.is_jump.isna().all()
    assert (rates.rows.tolist(), rates.paid_month.isna().all()) == ([20], True)
    tables = {name: empty_frame(contract) for name, contract in DRAWN_FROM.items()}
    tables |= {"denials": undated, "adjustment_rates": rates, "missingness": build_missingness(tally)}
    plot_clean(tables, "2022-01-01", "2022-12-31")


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
