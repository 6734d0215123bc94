"""Each feed writes adjustments in its own way, and each fault lands as its description says."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ratebook.simulate.build import build_program
from ratebook.simulate.fault_kinds import FORMER_IDS, KINDS
from simulate_data import CONFIG, STUDY, small

CODED_ONLY = {"void_mirror", "void_no_number", "same_id_replacement", "orphan_void", "orphan_replacement"}
CODED_ONLY |= {"gross_credit", "gross_debit", "tpl_recovery"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    # Many of the rare kinds, so that each is seen in both feeds.
    rates = {kind: max(rate, 0.004) for kind, rate in CONFIG["simulate"]["faults"].items()}
    build_program(STUDY, small(faults=rates), folder / "raw", folder / "truth.json", 1)
    truth = json.loads((folder / "truth.json").read_text())
    return truth, lambda table: pq.read_table(folder / "raw" / f"{table}.parquet").to_pandas()


@pytest.fixture(scope="module")
def claims(program):
    return program[1]("medical_claims")


def planted(program, claims, kind):
    return claims[claims.claim_id.isin(program[0]["faults"][kind])]


def test_the_carve_outs_feed_has_a_code_on_every_line_and_the_other_feeds_have_none(program, claims):
    plans = claims.groupby("plan").adjustment_code
    assert plans.apply(lambda codes: codes.notna().mean()).to_dict() == {"BHP": 1.0, "FFS": 0.0}
    assert claims[claims.plan == "FFS"].original_claim_id.isna().all()
    drugs = program[1]("pharmacy_claims")
    assert drugs.adjustment_code.isna().all() and drugs.original_claim_id.isna().all()


@pytest.mark.parametrize("kind", sorted(CODED_ONLY))
def test_what_needs_a_code_is_planted_in_the_coded_feed_only(program, claims, kind):
    assert set(planted(program, claims, kind).plan) == {"BHP"}


def test_versions_of_the_uncoded_feed_bear_their_claims_number_and_a_suffix(program, claims):
    suffixed = claims[claims.claim_id.str.contains("-")]
    assert set(suffixed.plan) == {"FFS"}
    base = suffixed.claim_id.str.split("-").str[0]
    plain = claims.drop_duplicates("claim_id").set_index("claim_id")
    assert set(base) <= set(plain.index)
    assert (plain.person_id[base].to_numpy() == suffixed.person_id.to_numpy()).all()
    assert (plain.paid_date[base].to_numpy() <= suffixed.paid_date.to_numpy()).all()
    assert set(suffixed.claim_id.str.split("-").str[1]) == {"1", "2"}


def test_voids_of_the_uncoded_feed_are_negative_or_nothing_at_all(program, claims):
    for kind in ("void_negative", "void_zero"):
        voids = planted(program, claims, kind)
        voids = voids[voids.claim_id.str.contains("-")]
        nothing = (voids.paid_amount == 0) & (voids.allowed_amount == 0) & (voids.charge_amount == 0)
        assert len(voids)
        assert (nothing if kind == "void_zero" else (voids.paid_amount <= 0) & (voids.allowed_amount > 0)).all()


def test_a_reversed_dispensing_is_the_same_line_with_the_amount_negative_under_another_number(program):
    truth, table = program
    drugs = table("pharmacy_claims")
    pairs = drugs[drugs.claim_id.isin(truth["faults"]["drug_void"])]
    same = ["person_id", "dispensing_provider_npi", "dispensing_date", "ndc_code", "quantity"]
    debit, credit = pairs[pairs.paid_amount > 0], pairs[pairs.paid_amount < 0]
    both = debit.merge(credit.assign(paid_amount=-credit.paid_amount), on=[*same, "paid_amount"])
    assert len(both) == len(debit) == len(credit) > 0
    assert (both.paid_date_y > both.paid_date_x).all() and (both.claim_id_y != both.claim_id_x).all()


def test_a_void_without_a_number_finds_one_claim_by_person_biller_dates_and_type(program, claims):
    voids = planted(program, claims, "void_no_number")
    voids = voids[voids.adjustment_code == "void"].drop_duplicates("claim_id")
    assert len(voids) and voids.original_claim_id.isna().all()
    key = ["person_id", "billing_npi", "claim_start_date", "claim_end_date", "claim_type"]
    found = voids.merge(claims[claims.adjustment_code == "original"].drop_duplicates("claim_id"), on=key)
    assert len(found) == len(voids)


def test_a_replacement_under_its_own_number_comes_later_and_bears_the_code(program, claims):
    both = planted(program, claims, "same_id_replacement")
    assert both.original_claim_id.isna().all()
    dates = both.groupby(["claim_id", "adjustment_code"]).paid_date.max().unstack()
    assert set(dates.columns) == {"original", "replacement"}
    assert (dates.replacement > dates.original).all()


def test_repeated_headers_stand_in_files_of_their_own(program, claims):
    rows = planted(program, claims, "repeated_header")
    assert rows.source_file.str.contains("header_").all() and rows.header_paid_amount.isna().all()
    assert (rows.groupby("claim_id").paid_amount.nunique() == 1).all()
    assert not claims[~claims.claim_id.isin(rows.claim_id)].source_file.str.contains("header_").any()


def test_a_split_id_leads_to_two_persons_and_a_reused_one_to_one_on_any_day(program, claims):
    truth, table = program
    crosswalk = table("identity_crosswalk")
    split = planted(program, claims, "split_id").merge(crosswalk, left_on="person_id", right_on="source_person_id")
    assert (split.groupby("claim_id").person_id_y.nunique() == 2).all()
    reused = planted(program, claims, "reused_id").merge(crosswalk, left_on="person_id", right_on="source_person_id")
    begins = reused.valid_from.isna() | (reused.valid_from <= reused.claim_line_start_date)
    ends = reused.valid_to.isna() | (reused.valid_to >= reused.claim_line_start_date)
    owners = reused[begins & ends].set_index("claim_id").person_id_y
    assert len(owners) and owners.to_dict() == {claim: truth["owners"][claim] for claim in owners.index}


def test_the_truth_knows_whose_every_claim_under_a_former_id_is(program, claims):
    truth, table = program
    listed = {claim for kind in FORMER_IDS for claim in truth["faults"][kind]}
    assert set(truth["owners"]) == listed
    assert set(truth["owners"].values()) <= set(table("members").person_id)


def test_the_dollars_due_are_those_of_the_lines_that_stand(program, claims):
    """Kinds whose lines stand or go whole: recomputed from the raw lines; header kinds from their headers."""
    truth = program[0]
    lines = claims.drop_duplicates(["claim_id", "claim_line_number", "paid_date", "adjustment_code"])
    paid = lines.groupby("claim_id").paid_amount.sum().astype(float)
    header = lines.groupby("claim_id").header_paid_amount.first().astype(float)
    whole = {"exact_duplicate", "interim", "late_charge", "old_id", "reused_id", "near_duplicate", "crossover"}
    for kind, due in truth["due_usd"].items():
        ids, stands = truth["faults"][kind], truth["stands"].get(kind, [])
        if kind in KINDS and KINDS[kind].outcome == "gone":
            assert due == pytest.approx(paid.reindex(stands).sum(), abs=0.005), kind
        if kind in whole:
            assert due == pytest.approx(paid[ids].sum() + paid.reindex(stands).sum(), abs=0.005), kind
        if kind in ("header_priced", "header_mismatch"):
            assert due == pytest.approx(header[ids].sum(), abs=0.005), kind
    assert truth["due_usd"]["drug_void"] == 0


def test_every_crossover_is_listed_unless_a_rule_takes_it(program, claims):
    truth = program[0]
    listed = {*truth["faults"]["crossover"], *truth["faults"]["dual_crossover"]}
    gone = {claim for kind, entry in KINDS.items() if entry.outcome == "gone" for claim in truth["faults"][kind]}
    crossing = set(claims.claim_id[claims.crossover_flag])
    assert crossing - gone == listed - gone
    assert not gone & set(truth["faults"]["dual_crossover"])


def test_some_detoxification_units_are_institutions_for_mental_diseases(program, claims):
    facilities = program[1]("facilities")
    imd = facilities[facilities.kind == "IMD"]
    assert 0 < len(imd) == imd.facility_npi.nunique() < 10
    assert set(imd.facility_npi) & set(claims.facility_npi[claims.hcpcs_code == "H0011"])


def test_a_service_after_the_extract_is_not_paid_yet_and_counted_in_the_suppliers_totals(program, claims):
    rows = planted(program, claims, "after_extract")
    assert len(rows) and rows.paid_date.isna().all()
    assert rows.source_file.str.contains("pending_").all()
    totals = program[1]("control_totals")
    unpaid = totals[totals.paid_month.isna()]
    assert unpaid.record_count.sum() == claims.paid_date.isna().sum()
    assert set(unpaid.source_file) == set(rows.source_file)


def test_no_unit_is_billed_for_a_day_that_is_not_there(claims):
    weekly = claims[(claims.hcpcs_code == "H0020") & (claims.claim_line_end_date >= claims.claim_line_start_date)]
    days = (pd.to_datetime(weekly.claim_line_end_date) - pd.to_datetime(weekly.claim_line_start_date)).dt.days + 1
    assert (weekly.service_unit_quantity.astype(float) <= days).all()


@pytest.mark.parametrize("kind", ["denied_header", "replacement", "void_negative", "denied_resubmitted"])
def test_a_kind_that_takes_any_claim_takes_those_of_several_lines_too(program, claims, kind):
    """The share of institutional claims among its claims is that among all claims, within four standard deviations."""
    heads = claims.drop_duplicates("claim_id")
    share = (heads.claim_type == "institutional").mean()
    found = planted(program, heads, kind)
    deviation = (share * (1 - share) / len(found)) ** 0.5
    assert (found.claim_type == "institutional").mean() == pytest.approx(share, abs=4 * deviation)
