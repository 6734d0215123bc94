"""Codes to meaning: what a line served."""

import pytest

from conftest import ROOT
from ratebook.codes import classify_lines, select_codes
from ratebook.contracts.intake import MedicalClaims
from ratebook.tables import read_codes

SERVICES = read_codes(ROOT / "workflow/codes/services.csv")
DIAGNOSES = read_codes(ROOT / "workflow/codes/sud_diagnoses.csv")


@pytest.fixture
def classified(table, run):
    def classify(text, state="MA"):
        import ibis

        lines = table(text, MedicalClaims).mutate(ndc_code=ibis.null("string"))
        rows = run(
            classify_lines(lines, select_codes(SERVICES, state), DIAGNOSES).order_by("claim_id", "claim_line_number")
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


def test_a_detox_room_without_a_substance_use_diagnosis_is_not_detox(classified):
    assert classified(
        """\
        claim_id | claim_line_number | claim_type    | bill_type_code | revenue_center_code | diagnosis_code_1
        1        | 1                 | institutional | 111            | 0126                | I10
        """
    ) == [("IP_MEDICAL", None, None)]


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
    lines = table(text, MedicalClaims).mutate(ndc_code=ibis.null("string"))
    assert run(classify_lines(lines, select_codes(SERVICES, "MA"), DIAGNOSES).count()) == 28
