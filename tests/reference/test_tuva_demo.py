"""Third-party synthetic claims in the Tuva layout: every dollar accounted for, from the raw file to the claims.

The raw sums, and the sum with each institutional claim's repeated amount counted once, are computed independently
(methods.md A7 d).
"""

from decimal import Decimal

import pytest

from claims_data import clean
from conftest import ROOT
from ratebook.contracts.intake import TABLES
from ratebook.intake.layouts import read_layout
from ratebook.intake.sources import read_sources
from ratebook.tables import open_table, read_counts, read_row, write_table


@pytest.fixture(scope="module")
def tuva(tmp_path_factory):
    source = ROOT.parent / "shared" / "data" / "tuva_demo"
    if not source.is_dir():
        pytest.skip("third-party data is not beside the project (../shared/data)")
    folder = tmp_path_factory.mktemp("tuva")
    layout = read_layout(ROOT / "workflow/layouts/tuva.yaml", ROOT / "workflow/schemas/layout.schema.yaml")
    raw = {}
    for name, table in read_sources(source, layout).items():
        write_table(table, folder / "raw" / name, TABLES[name])
        raw[name] = open_table(folder / "raw" / name, TABLES[name])
    drawn = raw["medical_claims"], raw["pharmacy_claims"], raw["members"]
    made = clean(folder, *drawn, extract_date="2018-12-31")
    return made.claims, made.waterfall()


def test_repeated_header_amounts_are_counted_once_and_seen(tuva):
    _, steps = tuva
    medical = steps[steps.source_table == "medical_claims"].set_index("rule_id")
    assert medical.paid_in_usd.iloc[0] == Decimal("3970274.95")
    assert medical.paid_out_usd["A7.4"] == Decimal("516261.45")
    assert (medical.rows_in.iloc[0], medical.rows_out["A7.4"]) == (6075, 6075)


def test_every_dollar_after_that_has_a_rule(tuva):
    claims, steps = tuva
    final = steps.groupby("source_table").paid_out_usd.last()
    by_type = claims.group_by(is_drug=claims.claim_type == "pharmacy").agg(usd=claims.cost_usd.sum(), n=claims.count())
    found = {row.is_drug: (row.usd, row.n) for row in read_counts(by_type).itertuples()}
    assert found[False][0] == final["medical_claims"]
    assert found[True][0] == final["pharmacy_claims"]
    moved = steps[steps.delta_usd != 0].groupby("rule_id").delta_usd.sum().to_dict()
    assert moved == {"A7.4": Decimal("-3454013.50"), "A2.3": Decimal("-170808.83"), "A8.3": Decimal("99.55")}
    assert sum(n for _, n in found.values()) == 6075 + 648 - 570 - 5


def test_drugs_of_people_unknown_to_eligibility_are_left_out_by_name(tuva):
    _, steps = tuva
    unknown = steps[(steps.source_table == "pharmacy_claims") & (steps.rule_id == "A2.3")].iloc[0]
    assert unknown.rows_in - unknown.rows_out == 570


def test_nothing_is_paid_on_a_date_the_source_does_not_have(tuva):
    claims, _ = tuva
    medical = claims.filter(claims.claim_type != "pharmacy")
    assert read_row(medical.aggregate(dated=medical.paid_date.count())) == {"dated": 0}
