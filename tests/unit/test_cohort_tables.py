"""The flow into the cohort and Table 1, and both of nobody."""

from __future__ import annotations

import ibis
import pytest

from cohort_data import cohort_rules, study_drawer
from ratebook.contracts.clean import Claims, Contacts, Persons
from ratebook.contracts.episodes import Cohort, CohortFlow, CohortTable, CohortVariants, Episodes
from ratebook.contracts.exposure import Spans
from ratebook.episodes.cohort import count_flow, select_candidates, select_cohort
from ratebook.episodes.describe import describe_cohort
from ratebook.episodes.variants import count_variants, select_eligible
from ratebook.tables import empty_frame, hold, read_table, write_table

study = pytest.fixture(study_drawer)


@pytest.fixture
def written(study, tmp_path):
    def write(**changes):
        candidates, cohort, rules = study(**changes)
        write_table(count_flow(candidates, rules), tmp_path / "flow.parquet", CohortFlow)
        numbered = ibis.memtable(empty_frame(Contacts), schema=Contacts.types())
        eligible = hold(select_eligible({"episode": candidates}, numbered, rules))
        write_table(count_variants(eligible, rules), tmp_path / "variants.parquet", CohortVariants)
        write_table(cohort, tmp_path / "cohort.parquet", Cohort)
        table = describe_cohort(read_table(tmp_path / "cohort.parquet", Cohort))
        write_table(table, tmp_path / "table.parquet", CohortTable)
        return read_table(tmp_path / "flow.parquet", CohortFlow), read_table(tmp_path / "table.parquet", CohortTable)

    return write


def test_levels_of_table_1_add_up_to_the_arm_and_arms_to_all(written):
    _, table = written()
    levels = table[table.level != "mean"].groupby(["characteristic", "arm"]).persons.sum().unstack()
    assert (levels["all"] == 2).all() and (levels["RSN"] == 1).all() and (levels["CSP"] == 0).all()
    assert (levels["RSN"] + levels["CSP"] + levels["none"] == levels["all"]).all()
    age = table[(table.characteristic == "Age at admission, years") & (table.arm == "all")].iloc[0]
    assert (age["mean"], age["persons"]) == (37, 2)
    empty = table[table.arm == "CSP"]
    assert empty.reason.notna().all() and empty.share.isna().all() and empty["mean"].isna().all()


def test_nobody_with_a_detox_gives_a_flow_of_zeros_and_empty_tables(written):
    flow, table = written(episodes="person_id | episode")
    assert flow.persons_in.eq(0).all() and flow.persons_out.eq(0).all()
    assert len(flow) == 11
    assert table.empty


def test_contracts_of_no_input_at_all(tmp_path):
    empty = {c: ibis.memtable(empty_frame(c), schema=c.types()) for c in (Episodes, Spans, Persons, Contacts, Claims)}
    candidates = select_candidates(empty[Episodes], empty[Spans], empty[Persons], empty[Claims], cohort_rules())
    cohort = select_cohort(candidates, empty[Contacts], empty[Claims], cohort_rules())
    write_table(cohort, tmp_path / "cohort.parquet", Cohort)
