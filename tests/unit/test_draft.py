"""Drafts of layouts: names and the form of values are guessed with their ground, and no person's value is written."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.base import COUNTED
from ratebook.errors import RatebookError
from ratebook.intake.draft import draft_layout, main, write_draft
from ratebook.intake.guesses import LEAST_ROWS, find_codes, find_groups, guess_table, match_columns, words_of
from ratebook.intake.layouts import read_layout
from ratebook.intake.sources import read_raw, read_sources

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"
CLAIMS = (
    "ICN|MSIS_ID|SRVC_BGN_DT|SRVC_END_DT|MDCD_PD_AMT|CLM_TYPE_CD|ADJSTMT_IND|PRCDR_CD|DGNS_CD_1|ADJDCTN_DT|CLM_DND_IND"
)
ENROLLED = "MSIS_ID;BIRTH_DT;SEX_CD;ELGBLTY_EFF_DT;ELGBLTY_TERM_DT;DUAL_CD"


def claim(n: int, adjustment: str = "0") -> str:
    paid = "~" if n % 3 == 0 else f"{1000 + n}.25"
    return f"ICN77{n:04d}|MEM88{n:04d}|201603{n % 28 + 1:02d}|201603{n % 28 + 1:02d}|{paid}|1|{adjustment}|H2015|F1120|20160501|1"


def write_feed(feed):
    """Write two years of claims in pipes, and enrolment in semicolons."""
    feed.mkdir()
    for year in (2016, 2017):
        # Every code is common but X, which ten rows bear, and the word nobody knows, which many do.
        rows = [claim(n, "4" if n < 20 else "0") for n in range(60)]
        rows += [claim(n, "X") for n in range(5)] + [claim(n, "SECRETWORD") for n in range(12)]
        rows += [claim(n, "Q") for n in range(6)]
        with gzip.open(feed / f"clm_{year}.txt.gz", "wt") as file:
            file.write("\n".join([CLAIMS, *rows]) + "\n")
    rows = [f"MEM88{n:04d};03/{n % 28 + 1:02d}/1980;F;01/01/2016;12/31/2017;02" for n in range(40)]
    (feed / "enrl.csv").write_text("\n".join([ENROLLED, *rows]) + "\n")
    (feed / "notes.csv").write_text("subject,remark\nA,B\n")
    return feed


@pytest.fixture
def folder(tmp_path):
    return write_feed(tmp_path / "feed")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The feed's draft as text and as data, and what was printed."""
    place = tmp_path_factory.mktemp("drafted")
    report = write_draft(write_feed(place / "feed"), "ourstate", place, SCHEMA)
    text = (place / "ourstate.yaml").read_text()
    return text, yaml.safe_load(text)["tables"], report


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SRVC_BGN_DT", "service start date"),
        ("fromDate", "start date"),
        ("memberid", "person id"),
        ("BENE_ID", "person id"),
        ("MDCD_PD_AMT", "medicaid paid amount"),
        ("DGNS_CD_01", "diagnosis code 1"),
        ("diag2", "diagnosis 2"),
        ("dob", "birth date"),
        ("zzyzx", "zzyzx"),
    ],
)
def test_a_columns_name_is_read_in_words(name, words):
    assert words_of(name) == frozenset(words.split())


@pytest.mark.parametrize(
    ("table", "ours", "theirs"),
    [
        ("medical_claims", "person_id", ["MSIS_ID", "BENE_ID", "member_id", "patient_id", "RecipientID", "mbr_no"]),
        ("medical_claims", "claim_start_date", ["SRVC_BGN_DT", "from_date", "dos", "svc_from_dt", "ServiceDate"]),
        (
            "medical_claims",
            "paid_amount",
            ["MDCD_PD_AMT", "paid", "pmt_amt", "PaidAmount", "reimb_amt", "line_paid_amt"],
        ),
        ("medical_claims", "claim_id", ["ICN", "TCN", "clm_num", "claim_no", "CLAIM_NUMBER"]),
        ("medical_claims", "paid_date", ["ADJDCTN_DT", "check_date", "pymt_dt", "PD_DT"]),
        ("medical_claims", "original_claim_id", ["adj_icn", "parent_claim_id", "replaced_tcn"]),
        ("eligibility", "enrollment_start_date", ["ENRLMT_EFF_DT", "elig_begin", "coverage_from_date", "eff_date"]),
        ("pharmacy_claims", "dispensing_date", ["fill_date", "RX_FILL_DT", "dispense_dt"]),
        ("members", "birth_date", ["DOB", "BIRTH_DT", "birthdate", "bene_birth_dt"]),
    ],
)
def test_a_column_is_known_by_many_names(table, ours, theirs):
    missed = [name for name in theirs if getattr(match_columns(table, (name,)).get(ours), "source", None) != name]
    assert not missed


@pytest.mark.parametrize(
    "names",
    [("TCN", "ORIG_TCN"), ("ICN_ORIG", "ICN_ADJ"), ("CLM_NUM_ORIG", "CLM_NUM_ADJ"), ("claim_no", "original_claim_no")],
)
def test_a_claims_own_number_and_that_of_the_claim_it_adjusts_are_told_apart(names):
    found = match_columns("medical_claims", names)
    assert (found["claim_id"].source, found["original_claim_id"].source) == names


def test_a_column_that_has_our_name_goes_before_one_that_means_the_same():
    found = match_columns("medical_claims", ("MDCD_PD_AMT", "paid_amount"))
    assert found["paid_amount"].source == "paid_amount"


def test_of_two_columns_as_like_the_one_that_holds_values_is_taken_and_the_other_named():
    found = match_columns("members", ("member_id", "patient_id"), empty=frozenset({"member_id"}))
    assert (found["person_id"].source, found["person_id"].others) == ("patient_id", ("member_id",))


def test_files_of_one_shape_are_found_together(folder):
    groups = {group.pattern: group for group in find_groups(folder)}
    assert set(groups) == {"clm_*.txt.gz", "enrl.csv", "notes.csv"}
    assert [len(groups[name].paths) for name in sorted(groups)] == [2, 1, 1]
    assert (groups["clm_*.txt.gz"].delimiter, groups["enrl.csv"].delimiter) == ("|", ";")
    assert [guess_table(groups[name]) for name in sorted(groups)] == ["medical_claims", "eligibility", None]


def test_columns_dates_and_codes_are_drafted(written):
    _, tables, _ = written
    claims = tables["medical_claims"]
    assert (claims["files"], claims["delimiter"], claims["nulls"]) == ("clm_*.txt.gz", "|", ["~"])
    assert claims["columns"]["person_id"] == "MSIS_ID"
    assert claims["columns"]["claim_start_date"] == {"from": "SRVC_BGN_DT", "format": "yyyymmdd"}
    assert claims["columns"]["paid_amount"] == "MDCD_PD_AMT"
    assert claims["columns"]["record_type"] == {"from": "CLM_TYPE_CD", "values": {"1": "ffs"}}
    assert claims["columns"]["adjustment_code"]["values"] == {"0": "original", "4": "replacement"}
    assert claims["columns"]["denied_flag"] == {"from": "CLM_DND_IND", "values": {"1": False}}
    assert claims["columns"]["load_sequence"] == {"expression": "row_number"}
    assert tables["eligibility"]["columns"]["enrollment_start_date"] == {
        "from": "ELGBLTY_EFF_DT",
        "format": "mm/dd/yyyy",
    }
    assert tables["members"]["files"] == "enrl.csv" and tables["members"]["distinct"] is True
    assert tables["members"]["columns"]["sex"] == {"from": "SEX_CD", "values": {"F": "female"}}


@pytest.mark.parametrize(
    ("ours", "source", "cells", "mapped", "unknown"),
    [
        pytest.param("tpl_flag", "tpl", "Y N", {}, [], id="yes and no are read as they are"),
        pytest.param("denied_flag", "denied_ind", "1 0", {}, [], id="1 is denied"),
        pytest.param("denied_flag", "CLM_DND_IND", "1 0", {"0": "true", "1": "false"}, [], id="0 is denied in T-MSIS"),
        pytest.param("record_type", "rt", "ffs encounter", {}, [], id="our own words"),
        pytest.param(
            "record_type", "rt", "ffs E", {"E": "encounter", "ffs": "ffs"}, [], id="a known code among our words"
        ),
        pytest.param(
            "adjustment_code", "a", "1 7 8", {"1": "original", "7": "replacement", "8": "void"}, [], id="frequencies"
        ),
        pytest.param("claim_type", "t", "837P ZZ", {"837P": "professional"}, ["ZZ"], id="a code nobody knows"),
        pytest.param("claim_type", "t", "Johnson", {}, [], id="a word nobody knows is not listed"),
    ],
)
def test_codes_are_read_by_the_set_that_knows_most_of_them(table, ours, source, cells, mapped, unknown):
    drawn = table("\n".join([source, *cells.split() * LEAST_ROWS]))
    assert find_codes(drawn, ours, source, ())[:2] == (mapped, unknown)


def test_every_guess_bears_its_ground(written):
    text, _, _ = written
    assert "claim_id: ICN  # guess: name, all words" in text
    assert "values look like yyyymmdd" in text
    assert "plan  # no column found: absent" in text
    assert "not understood: notes.csv" in text


def test_no_value_of_a_person_stands_in_a_draft_nor_a_rare_or_unknown_long_code(written):
    text, _, report = written
    said = text + "\n".join(report)
    for value in ("ICN77", "MEM88", "201603", "1000.25", "1980", "SECRETWORD", "H2015", "F1120"):
        assert value not in said
    # Ten rows bear X, twelve bear Q: one is below the least number of rows, the other above.
    assert LEAST_ROWS == 11
    assert '"X"' not in said
    assert 'will not parse: "Q"' in said


def test_the_draft_reads_its_files(folder, tmp_path, run):
    write_draft(folder, "ourstate", tmp_path, SCHEMA)
    parts = read_layout(tmp_path / "ourstate.yaml", SCHEMA)
    raw = read_sources(folder, parts)
    rows = run(
        raw["medical_claims"].aggregate(
            n=lambda t: t.count(), paid=lambda t: t.paid_date.count(), bad=lambda t: t[COUNTED].sum()
        )
    )[0]
    assert (rows["n"], rows["paid"]) == (166, 166)
    assert rows["bad"] == 46, "the codes nobody knows do not parse: 2 years of 5 X, 12 words and 6 Q"
    assert run(raw["eligibility"].filter(raw["eligibility"].enrollment_end_date.notnull()).count()) == 40


def test_files_of_several_shapes_make_parts_of_one_table(folder, tmp_path):
    (folder / "ip.csv").write_text("claim_id,member_id,from_date,paid\nA1,B2,2016-01-01,5\n")
    text, _ = draft_layout(folder, "ourstate")
    parts = yaml.safe_load(text)["tables"]["medical_claims"]["parts"]
    assert [part["files"] for part in parts] == ["clm_*.txt.gz", "ip.csv"]
    (tmp_path / "ourstate.yaml").write_text(text)
    assert (
        len([part for part in read_layout(tmp_path / "ourstate.yaml", SCHEMA) if part.table == "medical_claims"]) == 2
    )


def test_an_original_and_an_adjustment_number_are_read_as_t_msis_writes_them(tmp_path, run):
    feed = tmp_path / "feed"
    feed.mkdir()
    rows = ["CLM_NUM_ORIG,CLM_NUM_ADJ,MSIS_ID,SRVC_BGN_DT", "C1,,A,2016-01-01", "C1,C2,A,2016-01-01"]
    (feed / "ot.csv").write_text("\n".join(rows) + "\n")
    write_draft(feed, "ourstate", tmp_path, SCHEMA)
    parts = read_layout(tmp_path / "ourstate.yaml", SCHEMA)
    claims = read_raw(feed, "medical_claims", [part for part in parts if part.table == "medical_claims"])
    found = run(claims.select("claim_id", "original_claim_id").order_by("claim_id"))
    assert [tuple(row.values()) for row in found] == [("C1", None), ("C2", "C1")]


@pytest.mark.parametrize("as_folder", [False, True], ids=["file", "folder of parts"])
def test_parquet_is_read_as_it_is_stored(folder, tmp_path, as_folder):
    (folder / "enrl.csv").unlink()
    path = folder / "spans.parquet"
    if as_folder:
        path.mkdir()
    frame = pd.DataFrame(
        {"recipient": ["A"], "start_dt": [pd.Timestamp("2016-01-01")], "stop_dt": [pd.NaT], "dob": ["19800101"]}
    )
    frame.to_parquet(path / "0.parquet" if as_folder else path)
    write_draft(folder, "ourstate", tmp_path, SCHEMA)
    columns = yaml.safe_load((tmp_path / "ourstate.yaml").read_text())["tables"]["eligibility"]["columns"]
    assert columns["person_id"] == "recipient" and columns["enrollment_start_date"] == "start_dt"


def test_a_table_that_must_be_there_and_is_not_is_said(folder, tmp_path):
    for path in folder.glob("clm*"):
        path.unlink()
    report = write_draft(folder, "ourstate", tmp_path, SCHEMA)
    assert "  no file found for medical_claims, and nothing works without" in report
    assert "CHECK: no file found" in (tmp_path / "ourstate.yaml").read_text()


def test_amounts_written_as_money_and_whole_amounts_are_seen(folder):
    rows = [
        "claim_id,member_id,from_date,paid,allowed_amt",
        *[f'C{n},M{n},2016-01-02,"$1,{n:03d}.50",1250' for n in range(30)],
    ]
    (folder / "other.csv").write_text("\n".join(rows) + "\n")
    text, _ = draft_layout(folder, "ourstate")
    columns = yaml.safe_load(text)["tables"]["medical_claims"]["parts"][1]["columns"]
    assert columns["paid_amount"] == {"from": "paid", "format": "money"}
    assert columns["allowed_amount"] == "allowed_amt"
    assert "if they are cents" in text


@pytest.mark.parametrize(
    "first",
    ["100234,1980-01-05,F,20160101", "Smith,Jones,1980,F", "id,id,sex,dob"],
    ids=["values", "a number among words", "a name twice"],
)
def test_a_file_without_names_of_columns_is_refused_and_not_quoted(tmp_path, first):
    (tmp_path / "people.csv").write_text(f"{first}\n100235,1981-01-05,M,20160101\n")
    with pytest.raises(RatebookError, match=r"people\.csv: the first line does not look like names") as refused:
        draft_layout(tmp_path, "ourstate")
    assert not any(cell in str(refused.value) for cell in first.split(",") if cell not in ("F", "id", "sex"))


def test_a_layout_that_is_there_is_not_written_over(folder, tmp_path):
    write_draft(folder, "ourstate", tmp_path, SCHEMA)
    (tmp_path / "ourstate.yaml").write_text("mine")
    with pytest.raises(RatebookError, match="is there already"):
        write_draft(folder, "ourstate", tmp_path, SCHEMA)
    assert (tmp_path / "ourstate.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["../elsewhere", "Our State", ""])
def test_a_draft_is_written_among_the_layouts_only(folder, tmp_path, name):
    with pytest.raises(RatebookError, match="no name for a layout"):
        write_draft(folder, name, tmp_path, SCHEMA)


@pytest.mark.parametrize(("arguments", "said"), [([], "use:"), (["nowhere", "ourstate"], "there is no folder")])
def test_the_command_says_in_one_line_what_is_wrong(arguments, said):
    with pytest.raises(SystemExit, match=said):
        main(arguments)


def test_a_line_the_engine_cannot_read_is_not_quoted(tmp_path):
    rows = [f"C{n},MEM{n},2016-01-01,10.00,1" for n in range(30_000)]
    text = "\n".join(["CLAIM_ID,MEMBER_ID,SRVC_BGN_DT,PAID_AMT,BILL_NPI", *rows, "C9,SECRET\xe9,2016-01-01,1,1"])
    (tmp_path / "claims.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(SystemExit, match="cannot") as refused:
        main([str(tmp_path), "never_written"])
    assert "SECRET" not in str(refused.value)


def test_nearly_every_column_of_the_tuva_files_is_found(shared_data, tmp_path):
    if not (shared_data / "tuva_demo").is_dir():
        pytest.skip("the Tuva demo files are not beside the project")
    write_draft(shared_data / "tuva_demo", "drafted", tmp_path, SCHEMA)
    drafted = {part.table: part for part in read_layout(tmp_path / "drafted.yaml", SCHEMA)}
    known = {part.table: part for part in read_layout(ROOT / "workflow/layouts/tuva.yaml", SCHEMA)}
    assert set(drafted) == set(known)
    sought = [
        (table, name) for table, part in known.items() for name, how in part.columns.items() if how and "from" in how
    ]
    right = [
        (t, name)
        for t, name in sought
        if (drafted[t].columns[name] or {}).get("from") == known[t].columns[name]["from"]
    ]
    assert len(right) >= 0.97 * len(sought) > 60, sorted(set(sought) - set(right))
