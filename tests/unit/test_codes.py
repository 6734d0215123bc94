"""Codes to meaning: what a line served."""

import pytest

from conftest import ROOT
from ratebook.codes import FAR_OFF, classify_lines, select_codes
from ratebook.contracts.intake import MedicalClaims
from ratebook.tables import read_codes

SERVICES = read_codes(ROOT / "workflow/codes/services.csv")
DIAGNOSES = read_codes(ROOT / "workflow/codes/sud_diagnoses.csv")


@pytest.fixture
def classified(table, run):
    def classify(text, state="MA", day="2015-06-01", services=SERVICES):
        import ibis

        lines = table(text, MedicalClaims).mutate(ndc_code=ibis.null("string"), service_start_date=ibis.date(day))
        rows = run(
            classify_lines(lines, select_codes(services, state), DIAGNOSES).order_by("claim_id", "claim_line_number")
        )
        return [(row["category"], row["level"], row["program"]) for row in rows]

    return classify


def test_a_detox_room_makes_the_whole_inpatient_claim_detox(classified):
    assert (
        classified(
            """\
        claim_id | claim_line_number | claim_type    | bill_type_code | revenue_center_code | diagnosis_code_1
        1        | 1                 | institutional | 111            | 0126                | F1120
        1        | 2                 | institutional | 111            | 0250                | F1120
        """
        )
        == [("WM_HOSP", "WM_HOSP", None)] * 2
    )


def test_a_detox_room_without_a_substance_use_diagnosis_has_its_level_and_the_cost_of_any_stay(classified):
    assert classified(
        """\
        claim_id | claim_line_number | claim_type    | bill_type_code | revenue_center_code | diagnosis_code_1
        1        | 1                 | institutional | 111            | 0126                | I10
        """
    ) == [("IP_MEDICAL", "WM_HOSP", None)]


def test_an_emergency_room_makes_the_outpatient_claim_an_emergency_visit_but_not_the_inpatient_one(classified):
    assert classified(
        """\
        claim_id | claim_line_number | claim_type    | bill_type_code | revenue_center_code | diagnosis_code_1
        1        | 1                 | institutional | 131            | 0450                | I10
        1        | 2                 | institutional | 131            | 0300                | I10
        2        | 1                 | institutional | 111            | 0450                | I10
        3        | 1                 | institutional | 131            | 0450                | F1020
        """
    ) == [("ED_OTHER", None, None)] * 2 + [("IP_MEDICAL", None, None), ("ED_SUD", None, None)]


@pytest.mark.parametrize(
    ("state", "level"),
    [
        pytest.param("MA", "RES35", id="step-down stabilisation where the state says so"),
        pytest.param("OH", "WM_RES", id="detox by the national description elsewhere"),
    ],
)
def test_h0010_follows_the_state(classified, state, level):
    text = """\
        claim_id | claim_type   | hcpcs_code | diagnosis_code_1
        1        | professional | H0010      | F1020
        """
    assert classified(text, state) == [(level, level, None)]


def test_the_modifier_tells_the_case_rate_from_the_unit(classified):
    assert classified(
        """\
        claim_id | claim_type   | hcpcs_code | hcpcs_modifier_1 | diagnosis_code_1
        1        | professional | H2015      | HF               | F1020
        2        | professional | H2015      |                  | F1020
        3        | professional | H2015      | HQ               | F1020
        """
    ) == [("NAVIGATOR", None, "RSN"), ("NAVIGATOR", None, "CSP"), ("NAVIGATOR", None, "CSP")]


@pytest.mark.parametrize(
    ("diagnosis", "category"),
    [
        pytest.param("F1020", "OP_SUD", id="principal substance use"),
        pytest.param("F17210", "OP_PROFESSIONAL", id="nicotine is not counted"),
        pytest.param("F329", "OTHER_BH", id="depression"),
        pytest.param("I10", "OP_PROFESSIONAL", id="hypertension"),
        pytest.param("", "OP_PROFESSIONAL", id="no diagnosis"),
    ],
)
def test_an_office_visit_follows_its_principal_diagnosis(classified, diagnosis, category):
    text = f"""\
        claim_id | claim_type   | hcpcs_code | diagnosis_code_1
        1        | professional | 99213      | {diagnosis}
        """
    assert classified(text)[0][0] == category


def test_no_line_is_lost_or_doubled(table, run):
    import ibis

    text = "claim_id | claim_line_number | hcpcs_code | revenue_center_code | bill_type_code\n" + "\n".join(
        f"{claim} | {line} | {['H2015', 'T1019', ''][line % 3]} | {['0450', '0126', ''][claim % 3]} | 131"
        for claim in range(7)
        for line in range(4)
    )
    lines = table(text, MedicalClaims).mutate(ndc_code=ibis.null("string"), service_start_date=ibis.date("2015-06-01"))
    assert run(classify_lines(lines, select_codes(SERVICES, "MA"), DIAGNOSES).count()) == 28


@pytest.mark.parametrize(
    ("first", "second", "third", "level"),
    [
        pytest.param("F1020", "", "", "WM_HOSP", id="substance use is the principal diagnosis"),
        pytest.param("I10", "F1020", "", "WM_HOSP", id="second, the limit"),
        pytest.param("I10", "E119", "F1020", None, id="third: something else was treated"),
    ],
)
def test_the_procedure_of_detoxification_needs_substance_use_first_or_second(classified, first, second, third, level):
    text = f"""\
        claim_id | claim_type    | bill_type_code | procedure_code_1 | diagnosis_code_1 | diagnosis_code_2 | diagnosis_code_3
        1        | institutional | 111            | HZ2ZZZZ          | {first}          | {second}         | {third}
        """
    assert [row[1] for row in classified(text)] == [level]


@pytest.mark.parametrize("room", ["0116", "0126", "0136", "0146", "0156"])
def test_every_room_of_detoxification_counts(classified, room):
    text = f"""\
        claim_id | claim_type    | bill_type_code | revenue_center_code | diagnosis_code_1
        1        | institutional | 111            | {room}              | F1020
        """
    assert classified(text) == [("WM_HOSP", "WM_HOSP", None)]


@pytest.mark.parametrize(
    ("day", "category"),
    [
        pytest.param("2019-12-31", "OTHER", id="the day before the code began"),
        pytest.param("2020-01-01", "OTP", id="its first day"),
    ],
)
def test_a_code_speaks_on_the_days_it_is_valid(classified, day, category):
    text = "claim_id | claim_type | hcpcs_code\n1 | other | G2067"
    assert classified(text, day=day)[0][0] == category


@pytest.mark.parametrize(
    ("day", "level"),
    [
        pytest.param("2014-12-31", "WM_RES", id="before the state's own reading"),
        pytest.param("2015-01-01", "RES35", id="its first day"),
        pytest.param("2015-12-31", "RES35", id="its last day"),
        pytest.param("2016-01-01", "WM_RES", id="after it"),
    ],
)
def test_a_state_overrides_on_its_own_days_only(classified, day, level):
    services = SERVICES.copy()
    own = (services.code == "H0010") & (services.state == "MA")
    services.loc[own, ["valid_from", "valid_to"]] = ["2015-01-01", "2015-12-31"]
    text = "claim_id | claim_type | hcpcs_code | diagnosis_code_1\n1 | professional | H0010 | F1020"
    assert classified(text, day=day, services=services) == [(level, level, None)]


@pytest.mark.parametrize("state", ["MA", "OH", ""])
def test_of_one_code_no_two_rows_are_valid_on_one_day(state):
    chosen = select_codes(SERVICES, state).sort_values(["system", "code", "modifier", "valid_from"])
    after = chosen.groupby(["system", "code", "modifier"]).valid_from.shift(-1)
    assert (after.isna() | (after > chosen.valid_to.replace("", FAR_OFF))).all()


def test_codes_of_whole_claims_are_valid_on_all_days():
    of_claims = SERVICES[SERVICES.scope == "claim"]
    assert (of_claims.valid_from <= "2000-01-01").all() and (of_claims.valid_to == "").all()


DELIBERATELY_OUT = {
    "tobacco is not counted, and measures are no services": {"G9562", "G9578", "G9584", "G9621", "M1034", "M1035"},
    "an assessment for anybody, not care of a known disorder": {"G2011"},
    "naloxone against overdose: rescue, not treatment": {"G1028", "G2215", "G2216"},
    "support in kind beside treatment": {"T1009", "T1010"},
    "an all-inclusive payment of a demonstration, no service": {"G2172"},
    "without a description in the list": {"G0532", "G0533", "G0534", "G0535", "G0536"},
    "in the list for H2034, the halfway house: H0034 is medication training": {"H0034"},
}


def test_the_federal_lists_of_substance_use_codes_are_ours_or_out_for_a_reason(shared_data):
    """CMS's public lists name codes to redact, so they are wider than treatment."""
    theirs = {
        name: set(read_codes(shared_data / f"cms_sud_codes/{name}.csv").code)
        for name in ("hcpcs", "icd10cm", "icd10pcs")
    }
    ours = set(SERVICES.code[SERVICES.system == "hcpcs"])
    out = set().union(*DELIBERATELY_OUT.values())
    assert theirs["hcpcs"] - ours == out
    assert {code[:3] for code in theirs["icd10cm"]} - set(DIAGNOSES.code) == {"F55", "R78", "Z71"}, (
        "abuse of substances that are not addictive, a finding in blood, counselling: no substance use disorder"
    )
    assert "F17" not in {code[:3] for code in theirs["icd10cm"]}, "nicotine is left out by both"
    detox = set(SERVICES.code[SERVICES.system == "icd10pcs"])
    assert detox <= theirs["icd10pcs"]
    assert all(code.startswith("HZ") for code in theirs["icd10pcs"] - detox), "counselling within a stay makes none"
