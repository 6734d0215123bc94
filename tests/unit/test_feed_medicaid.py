"""CMS's Medicaid files, a handful of claims each written here, from their layouts through cleaning."""

import pytest

from claims_data import clean
from cms_data import MONTHS, Feed, numbered, spans_of

TAF_HEADER = [
    "MSIS_ID", "CLM_ID", "CLM_NUM_ORIG", "CLM_NUM_ADJ", "CLM_TYPE_CD", "ADJUST_CD", "MC_PLAN_ID", "CROSSOVER_CLM_IND",
    "ADJDCTN_DT", "MDCD_PD_DT", "PYMT_LVL_IND", "BLG_PRVDR_NPI", "MDCD_PD_AMT", "TP_PD_AMT",
]  # fmt: skip
TAF_CLAIM = [
    *TAF_HEADER, "SRVC_BGN_DT", "SRVC_END_DT", "BILL_TYPE_CD", "MDCD_COPAY_AMT", "MDCR_COINSRNC_PD_AMT",
    "MDCR_DDCTBL_PD_AMT", "DGNS_CD_1", "DGNS_CD_2", "POS_CD",
]  # fmt: skip
TAF_STAY = [
    *TAF_CLAIM, "ADMSN_DT", "DSCHRG_DT", "PTNT_DSCHRG_STUS_CD", "DRG_CD", "MDCR_PD_AMT", *numbered("PRCDR_CD_", 6),
    *numbered("DGNS_CD_", 12)[2:],
]  # fmt: skip
TAF_LINE = [
    "MSIS_ID", "CLM_ID", "LINE_NUM", "LINE_SRVC_BGN_DT", "LINE_SRVC_END_DT", "REV_CNTR_CD", "ACTL_SRVC_QTY",
    "SRVC_PRVDR_NPI", "LINE_CLAIM_STUS_CD", "LINE_MDCD_PD_AMT", "LINE_MDCD_ALOWD_AMT", "LINE_MDCD_FFS_EQUIV_AMT",
]  # fmt: skip
TAF_SERVICE = [
    *TAF_LINE, "LINE_PRCDR_CD", *numbered("LINE_PRCDR_MDFR_CD_", 4), "LINE_BILLED_AMT", "LINE_MDCR_PD_AMT",
]  # fmt: skip
TAF_RX = [*TAF_HEADER, "RX_FILL_DT", "PRSCRBNG_PRVDR_NPI", "DSPNSNG_PRVDR_NPI", "MDCD_COPAY_AMT"]
TAF_RX_LINE = [
    "MSIS_ID", "CLM_ID", "LINE_NUM", "RX_FILL_DT", "NDC", "NDC_QTY", "DAYS_SUPPLY", "NEW_RX_REFILL_NUM",
    "LINE_CLAIM_STUS_CD", "LINE_MDCD_PD_AMT", "LINE_MDCD_ALOWD_AMT", "LINE_COPAY_AMT", "LINE_BILLED_AMT",
    "LINE_MDCR_PD_AMT",
]  # fmt: skip
DE = ["MDCD_ENRLMT_DAYS", "CHIP_ENRLMT_DAYS", "DUAL_ELGBL_CD", "ELGBLTY_GRP_CD"]
TAF_MEMBER = [
    "MSIS_ID", "BIRTH_DT", "DEATH_DT", "SEX_CD", "RACE_ETHNCTY_CD", "ETHNCTY_CD", "BENE_CNTY_CD", "STATE_CD", "RFRNC_YR",
    *[f"{name}_{at}" for name in DE for at in MONTHS],
]  # fmt: skip


def taf_header(claim, amount, kind="1", adjusts=None, code="0", paid="2016-02-01", **cells):
    """Write a header: `claim` is its number, `adjusts` the original's; CLM_ID is CCW's own."""
    own = {"CLM_NUM_ORIG": adjusts, "CLM_NUM_ADJ": claim} if adjusts else {"CLM_NUM_ORIG": claim}
    day = {"SRVC_BGN_DT": "2016-01-05", "SRVC_END_DT": "2016-01-05", "RX_FILL_DT": "2016-01-05"}
    said = {"MSIS_ID": "P", "CLM_ID": f"x{claim}", "CLM_TYPE_CD": kind, "ADJUST_CD": code, "ADJDCTN_DT": paid}
    return {**own, **day, **said, "MDCD_PD_AMT": amount, **cells}


def taf_line(claim, amount, number=1, **cells):
    said = {
        "MSIS_ID": "P",
        "CLM_ID": f"x{claim}",
        "LINE_NUM": number,
        "LINE_MDCD_PD_AMT": amount,
        "LINE_PRCDR_CD": "H0015",
    }
    return {**said, **cells}


@pytest.fixture(scope="module")
def taf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taf")
    feed = Feed("taf", folder, ",")
    who = {"MSIS_ID": "P", "BIRTH_DT": "1980-03-01", "SEX_CD": "F", "STATE_CD": "OH", "RFRNC_YR": "2016"}
    days = {"MDCD_ENRLMT_DAYS_01": "31", "MDCD_ENRLMT_DAYS_02": "10", "CHIP_ENRLMT_DAYS_02": "19"}
    days |= {"CHIP_ENRLMT_DAYS_03": "31", "DUAL_ELGBL_CD_01": "2", "DUAL_ELGBL_CD_02": "02"}
    feed.write("taf_demog_elig_base_2016.csv", TAF_MEMBER, who | days)
    stay = {"ADMSN_DT": "2016-01-05", "DSCHRG_DT": "2016-01-08", "SRVC_END_DT": "2016-01-08", "BILL_TYPE_CD": "0111"}
    feed.write(
        "taf_inpatient_header_01.csv",
        TAF_STAY,
        taf_header("S1", 900, PYMT_LVL_IND="1", TP_PD_AMT=40, DGNS_CD_1="F10.20", **stay),
        taf_header("S2", 500, **stay | {"SRVC_BGN_DT": "2016-01-20", "SRVC_END_DT": "2016-01-22",
                                        "ADMSN_DT": "2016-01-20", "DSCHRG_DT": "2016-01-22"}),
    )  # fmt: skip
    feed.write(
        "taf_inpatient_line_01.csv",
        TAF_LINE,
        taf_line("S1", 0, 1, LINE_MDCD_ALOWD_AMT=200, REV_CNTR_CD="116"),
        taf_line("S1", 0, 2, LINE_MDCD_ALOWD_AMT=100),
    )
    feed.write(
        "taf_other_services_header_01.csv",
        TAF_CLAIM,
        taf_header("A", 100, PYMT_LVL_IND="2"),
        taf_header("A2", 80, adjusts="A", code="4", paid="2016-03-01"),
        taf_header("V", 60, SRVC_BGN_DT="2016-01-07", SRVC_END_DT="2016-01-07"),
        taf_header("V2", -60, adjusts="V", code="1", paid="2016-03-01"),
        taf_header("E", 0, kind="3", MC_PLAN_ID="M1", SRVC_BGN_DT="2016-01-08", SRVC_END_DT="2016-01-08"),
        taf_header("K", 450, kind="2", MC_PLAN_ID="M1", SRVC_BGN_DT="2016-01-01", SRVC_END_DT="2016-01-31"),
        taf_header("L", 1000, kind="5"),
        taf_header("D", 30, kind="Z"),
        taf_header("X", 20, CROSSOVER_CLM_IND="1", SRVC_BGN_DT="2016-01-09", SRVC_END_DT="2016-01-09"),
        taf_header("N", 25, SRVC_BGN_DT="2016-01-10", SRVC_END_DT="2016-01-10"),
    )
    feed.write(
        "taf_other_services_line_01.csv",
        TAF_SERVICE,
        *[
            taf_line(claim, usd)
            for claim, usd in (("A", 100), ("A2", 80), ("V", 60), ("V2", -60), ("K", 450), ("L", 1000))
        ],
        taf_line("E", 0, LINE_MDCD_FFS_EQUIV_AMT=60),
        taf_line("D", 30),
        taf_line("X", 12, 1),
        taf_line("X", 8, 2, LINE_CLAIM_STUS_CD="542"),
        taf_line("O", 7),
    )
    feed.write("taf_rx_header_01.csv", TAF_RX, taf_header("R", 9), taf_header("R2", 4, kind="5"))
    feed.write("taf_rx_line_01.csv", TAF_RX_LINE, taf_line("R", 9, NDC="591205001", NDC_QTY=30), taf_line("R2", 4))
    return feed.read(folder)


def test_medicaid_claims_are_read_and_cleaned_to_final_action(taf, tmp_path):
    made = clean(tmp_path, taf["medical_claims"], taf["pharmacy_claims"], taf["members"], extract_date="2016-12-31")
    assert made.rows("claims", "claim_id", "line_number", "claim_type", "cost_usd") == [
        ("A2", 1, "professional", 80.0),  # replaces A
        ("E", 1, "professional", 60.0),  # an encounter paid zero costs what fee-for-service would pay
        ("N", 1, "professional", 25.0),  # a header with no line is one line
        ("R", 1, "pharmacy", 9.0),
        ("S1", 1, "institutional", 600.0),  # paid at the header, shared by what is allowed
        ("S1", 2, "institutional", 300.0),
        ("S2", 1, "institutional", 500.0),
        ("X", 1, "professional", 12.0),
    ]
    assert made.rows("rejected", "claim_id", "rule_id", "paid_usd") == [
        ("A", "A5.3b", 100.0),
        ("D", "A4.1", 30.0),
        ("K", "A1.1", 450.0),  # capitation is no service
        ("L", "A1.1", 1000.0),
        ("R2", "A1.1", 4.0),  # a pharmacy record that is no dispensing
        ("V", "A5.3a", 60.0),
        ("V2", "A5.3a", -60.0),
        ("X", "A4.2", 8.0),
        ("xO", "A0.2", 7.0),  # a line with no header
    ]


def test_medicaid_codes_become_ours_and_capitation_a_table_of_its_own(taf, run):
    rows = {(r["claim_id"], r["claim_line_number"]): r for r in run(taf["medical_claims"])}
    stay = rows["S1", 1]
    assert (stay["bill_type_code"], stay["revenue_center_code"], stay["diagnosis_code_1"]) == ("111", "0116", "F1020")
    assert (stay["payment_level"], float(stay["tpl_amount"]), rows["S1", 2]["tpl_amount"]) == ("header", 40.0, None)
    assert (rows["A2", 1]["original_claim_id"], rows["A", 1]["original_claim_id"]) == ("A", None)
    assert rows["X", 1]["crossover_flag"] is True
    (paid,) = run(taf["capitation_payments"])
    assert (paid["person_id"], str(paid["coverage_month"]), paid["plan"]) == ("P", "2016-01-01", "M1")
    assert float(paid["amount"]) == 450.0


def test_medicaid_days_a_month_become_spans_of_medicaid_and_chip_that_do_not_overlap(taf, run):
    assert spans_of(taf, run, "2016-12-31") == [
        ("P", "2016-01-01", "2016-02-10", "medicaid", "full"),
        ("P", "2016-02-11", "2016-02-29", "chip", "full"),
        ("P", "2016-03-01", "2016-03-31", "chip", "none"),
    ]
