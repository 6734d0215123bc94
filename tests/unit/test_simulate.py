"""The simulated program: its tables keep their contracts, its faults do not meet, its truth is what was planted."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from ratebook.contracts.intake import TABLES
from ratebook.intake.layouts import read_layout
from ratebook.intake.sources import read_sources
from ratebook.simulate.build import build_program
from ratebook.simulate.fault_kinds import KINDS
from ratebook.simulate.fault_records import NATURAL_KINDS, RECORD_KINDS
from ratebook.tables import check_table
from simulate_data import CONFIG, STUDY, small

LAYOUT = read_layout(ROOT / "workflow/layouts/ratebook.yaml", ROOT / "workflow/schemas/layout.schema.yaml")


def build(folder: Path, threads: int = 1, **changes) -> dict:
    build_program(STUDY, small(**changes), folder / "raw", folder / "truth.json", threads)
    return json.loads((folder / "truth.json").read_text())


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    return folder, build(folder)


def rows_of(folder: Path, table: str):
    return pq.read_table(folder / "raw" / f"{table}.parquet").to_pandas()


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def taken_in(folder: Path, name: str):
    return read_sources(folder / "raw", LAYOUT)[name]


@pytest.mark.parametrize("name", TABLES)
def test_every_raw_table_keeps_its_contract_and_is_not_empty(program, name):
    folder, _ = program
    assert check_table(taken_in(folder, name), TABLES[name], name) > 0


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(program, tmp_path, threads):
    folder, _ = program
    build(tmp_path, threads)
    assert files_of(tmp_path) == files_of(folder)
    _, different, unreadable = filecmp.cmpfiles(folder, tmp_path, files_of(folder), shallow=False)
    assert not different and not unreadable


def test_another_seed_gives_other_claims(program, tmp_path):
    folder, _ = program
    build(tmp_path, seed=2)
    ours, theirs = rows_of(folder, "medical_claims"), rows_of(tmp_path, "medical_claims")
    assert len(ours) != len(theirs) or not ours.equals(theirs)


def test_a_program_without_members_has_every_table_and_no_claim(tmp_path):
    truth = build(tmp_path, behavioural_members=0, long_term_members=0, truth_members=0)
    assert truth["rows"] == {"medical": 0, "pharmacy": 0}
    assert not truth["faults"]
    for name in ("members", "eligibility", "medical_claims", "control_totals"):
        assert check_table(taken_in(tmp_path, name), TABLES[name], name) == 0


@pytest.mark.parametrize("population", ["behavioural_members", "long_term_members"])
def test_one_population_may_be_absent_and_one_member_is_enough(tmp_path, population):
    alone = {"behavioural_members": 0, "long_term_members": 0, population: 1}
    build(tmp_path, **alone, truth_members=0)
    assert set(rows_of(tmp_path, "members").person_id.str[0]) == {"P"}


def test_no_claim_bears_two_faults(program):
    _, truth = program
    claims = [ids for kind, ids in truth["faults"].items() if kind in KINDS or kind == "outside_coverage"]
    claims += list(truth["stands"].values())
    everything = [claim for ids in claims for claim in ids]
    assert len(everything) == len(set(everything)) > 0


def test_every_kind_of_fault_has_a_rate_and_a_meaning_and_occurs(program):
    _, truth = program
    assert set(CONFIG["simulate"]["faults"]) == {*KINDS, *RECORD_KINDS}
    assert set(truth["faults"]) == {*KINDS, *RECORD_KINDS, *NATURAL_KINDS} == set(truth["expected"])
    rare = {"after_death", "after_death_near"}
    assert {kind for kind in KINDS if not truth["faults"][kind]} <= rare


def test_a_rate_of_zero_plants_nothing(tmp_path):
    truth = build(tmp_path, faults=dict.fromkeys(CONFIG["simulate"]["faults"], 0.0), long_term_members=0)
    assert not any(ids for kind, ids in truth["faults"].items() if kind not in NATURAL_KINDS)
    claims = rows_of(tmp_path, "medical_claims")
    assert not claims.duplicated(["claim_id", "claim_line_number"]).any()
    assert set(claims.adjustment_code) == {"original"}
    sums = claims.groupby("claim_id").paid_amount.sum()
    assert (sums == claims.groupby("claim_id").header_paid_amount.first()).all()
    assert (claims.claim_line_start_date <= claims.claim_line_end_date).all()
    assert (claims.paid_amount <= claims.allowed_amount).all()
    assert set(claims.person_id) <= set(rows_of(tmp_path, "members").person_id)


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        pytest.param("denied_header", lambda c: c.denied_flag.all() and (c.paid_amount == 0).all(), id="denied"),
        pytest.param("orphan_void", lambda c: (c.paid_amount < 0).all(), id="orphan voids are negative"),
        pytest.param("unknown_person", lambda c: c.person_id.str.startswith("U").all(), id="ids nobody knows"),
        pytest.param("placeholder_person", lambda c: c.person_id.str.startswith("&").all(), id="placeholders"),
        pytest.param(
            "after_paid_date", lambda c: (c.claim_line_start_date > c.paid_date).all(), id="services after payment"
        ),
        pytest.param("no_dates", lambda c: c.claim_line_start_date.isna().all(), id="no dates"),
        pytest.param(
            "subcapitated", lambda c: ((c.paid_amount == 0) & (c.ffs_equivalent_amount > 0)).all(), id="sub-capitated"
        ),
        pytest.param("header_priced", lambda c: (c.paid_amount == 0).all(), id="paid at the header"),
        pytest.param("missing_discharge", lambda c: c.discharge_date.isna().all(), id="no discharge"),
    ],
)
def test_a_planted_claim_shows_its_fault(program, kind, shows):
    folder, truth = program
    claims = rows_of(folder, "medical_claims")
    planted = claims[claims.claim_id.isin(truth["faults"][kind])]
    assert len(planted) and shows(planted)


def test_interim_bills_add_up_to_the_stay_they_were_cut_from(program):
    folder, truth = program
    claims = rows_of(folder, "medical_claims")
    bills = claims[claims.claim_id.isin(truth["faults"]["interim"])]
    first, later = (bills[bills.bill_type_code == code] for code in ("112", "114"))
    assert len(first) == len(later) > 0 and set(first.discharge_disposition_code) == {"30"}
    nights = bills[bills.claim_line_number == 1].groupby(["person_id", "admission_date"]).service_unit_quantity.sum()
    stays = later.drop_duplicates("claim_id").set_index(["person_id", "admission_date"]).discharge_date
    length = [(end - admit).days for (_, admit), end in stays.items()]
    assert nights[stays.index].astype(int).tolist() == length


def test_control_totals_are_the_rows_sent_once(program):
    folder, truth = program
    claims, totals = rows_of(folder, "medical_claims"), rows_of(folder, "control_totals")
    twice = truth["faults"]["exact_duplicate"] + truth["faults"]["cross_file_duplicate"]
    copies = claims.claim_id.isin(twice) & claims.duplicated(["claim_id", "claim_line_number", "paid_date"])
    assert copies.any()
    sent = claims[~copies]
    totals = totals[totals.category != "pharmacy"]
    assert totals.record_count.sum() == len(sent)
    assert totals.paid_amount.sum() == sent.paid_amount.sum()


def test_former_ids_lead_to_members_in_at_most_two_steps(program):
    folder, _ = program
    crosswalk = rows_of(folder, "identity_crosswalk")
    crosswalk = crosswalk[crosswalk.source_person_id.str[0].isin(["Q", "R"])]
    crosswalk = crosswalk.set_index("source_person_id").person_id
    members = set(rows_of(folder, "members").person_id)
    ends = crosswalk.map(lambda person: crosswalk.get(person, person))
    assert set(ends) <= members
    claims = rows_of(folder, "medical_claims")
    former = set(claims.person_id[claims.person_id.str[0].isin(["Q", "R"])])
    assert former and former <= set(crosswalk.index)


def test_nothing_is_paid_after_the_extract(program):
    folder, _ = program
    for table in ("medical_claims", "pharmacy_claims"):
        assert str(rows_of(folder, table).paid_date.dropna().max())[:10] <= STUDY["extract_date"]


@pytest.mark.slow
def test_the_planted_paradox_has_the_published_direction_and_size(tmp_path):
    """RSN: longer, cheaper a month of service, half as much again in all (methods.md GT-13), in a client's first spell."""
    once = {**CONFIG["simulate"]["engagement"], "return_share": 0.0, "contamination_share": 0.0}
    sizes = {"behavioural_members": 0, "long_term_members": 0, "truth_members": 24_000, "members_per_batch": 6000}
    truth = build(tmp_path, engagement=once, **sizes)
    engagement, cost = truth["engagement"], truth["cost"]
    assert engagement["RSN"]["net"]["365"] > 2.5 * engagement["CSP"]["net"]["365"]
    assert cost["RSN"]["p1_usd"] == pytest.approx(200, rel=0.05)
    assert cost["CSP"]["p1_usd"] == pytest.approx(360, rel=0.05)
    assert cost["total_sud_ratio"] == pytest.approx(1.5, rel=0.05)
    for arm in ("RSN", "CSP"):
        ends = sum(engagement[arm]["cif"][cause]["365"] for cause in ("disengaged", "readmitted", "death"))
        assert ends <= 1


def test_the_truth_counts_the_dollars_that_faults_leave_standing(tmp_path):
    none = dict.fromkeys(CONFIG["simulate"]["faults"], 0.0)
    whole = build(tmp_path / "whole", faults=none, long_term_members=0)["cost"]["CSP"]
    denied = build(tmp_path / "denied", faults={**none, "denied_header": 0.2}, long_term_members=0)["cost"]["CSP"]
    assert denied["engaged_months"] == whole["engaged_months"]
    assert denied["total_sud_usd"] == pytest.approx(0.8 * whole["total_sud_usd"], rel=0.15)
