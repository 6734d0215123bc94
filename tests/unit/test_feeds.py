"""CMS's Medicare and Medicaid files, a handful of claims each written here, from their layouts through cleaning."""

import datetime as dt

import pytest

from claims_data import clean
from conftest import ROOT
from ratebook.clean.members import build_identity, build_persons
from ratebook.contracts.intake import TABLES
from ratebook.exposure.spans import build_spans
from ratebook.intake.layouts import find_files, read_layout
from ratebook.intake.sources import read_sources
from ratebook.tables import open_table, write_table

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"


class Feed:
    """Files with every column their layout asks for; only cells that say something are written out."""

    def __init__(self, layout, folder, delimiter):
        self.layout = ROOT / f"workflow/layouts/{layout}.yaml"
        self.folder, self.delimiter = folder / "feed", delimiter
        self.folder.mkdir()

    def write(self, name, columns, *rows):
        """Write one file; a row is the cells of the columns that say something."""
        lines = [self.delimiter.join(columns)]
        lines += [self.delimiter.join(str(row.get(column, "")) for column in columns) for row in rows]
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def read(self, folder):
        """Read every raw table and write it, as the door does."""
        parts = read_layout(self.layout, SCHEMA)
        assert find_files(self.layout, SCHEMA, self.folder)
        raw = {}
        for name, expression in read_sources(self.folder, parts).items():
            write_table(expression, folder / "raw" / name, TABLES[name])
            raw[name] = open_table(folder / "raw" / name, TABLES[name])
        return raw


def spans_of(raw, run, extract_date):
    identity = build_identity(raw["members"], raw["eligibility"], raw["identity_crosswalk"])
    persons = build_persons(raw["members"], identity)
    spans = run(build_spans(raw["eligibility"], identity, persons, extract_date, [], 0))
    return sorted(
        (s["person_id"], str(s["start_date"]), str(s["end_date"]), s["payer"], s["dual_group"]) for s in spans
    )


def numbered(name, last, form="{}{}"):
    return [form.format(name, n) for n in range(1, last + 1)]


MONTHS = [f"{n:02d}" for n in range(1, 13)]
DIAGNOSES = ["PRNCPAL_DGNS_CD", *numbered("ICD_DGNS_CD", 12)]
PROCEDURES = numbered("ICD_PRCDR_CD", 6)
HEADER = ["BENE_ID", "CLM_ID", "CLM_FROM_DT", "CLM_THRU_DT", "NCH_WKLY_PROC_DT", "CLM_PMT_AMT", *DIAGNOSES]
FACILITY = [
    *HEADER, "FI_CLM_PROC_DT", "CLM_FAC_TYPE_CD", "CLM_SRVC_CLSFCTN_TYPE_CD", "CLM_FREQ_CD", "CLM_MDCR_NON_PMT_RSN_CD",
    "NCH_PRMRY_PYR_CLM_PD_AMT", "PTNT_DSCHRG_STUS_CD", "AT_PHYSN_NPI", "ORG_NPI_NUM", "CLM_LINE_NUM", "REV_CNTR",
    "HCPCS_CD", "REV_CNTR_UNIT_CNT", "REV_CNTR_TOT_CHRG_AMT",
]  # fmt: skip
STAY = [*FACILITY, *PROCEDURES, "CLM_ADMSN_DT", "NCH_BENE_DSCHRG_DT", "CLM_DRG_CD"]
VISIT = [*FACILITY, "REV_CNTR_DT", "REV_CNTR_PMT_AMT_AMT", "HCPCS_1ST_MDFR_CD", "HCPCS_2ND_MDFR_CD"]
CARRIER = [
    *HEADER, "CLM_DISP_CD", "CARR_CLM_PMT_DNL_CD", "CARR_CLM_BLG_NPI_NUM", "ORG_NPI_NUM", "PRF_PHYSN_NPI", "LINE_NUM",
    "LINE_1ST_EXPNS_DT", "LINE_LAST_EXPNS_DT", "LINE_PLACE_OF_SRVC_CD", "LINE_PRCSG_IND_CD", "LINE_SRVC_CNT", "HCPCS_CD",
    "HCPCS_1ST_MDFR_CD", "HCPCS_2ND_MDFR_CD", "LINE_NCH_PMT_AMT", "LINE_ALOWD_CHRG_AMT", "LINE_SBMTD_CHRG_AMT",
    "LINE_BENE_PRMRY_PYR_PD_AMT",
]  # fmt: skip
DRUG = [
    "PDE_ID", "BENE_ID", "SRVC_DT", "PD_DT", "PLAN_CNTRCT_REC_ID", "PRSCRBR_ID", "PROD_SRVC_ID", "QTY_DSPNSD_NUM",
    "DAYS_SUPLY_NUM", "FILL_NUM", "CVRD_D_PLAN_PD_AMT", "TOT_RX_CST_AMT", "PLRO_AMT", "PTNT_PAY_AMT", "ADJSTMT_DLTN_CD",
]  # fmt: skip
ENROLLED = ["MDCR_ENTLMT_BUYIN_IND", "DUAL_STUS_CD", "PTC_CNTRCT_ID", "MDCR_STATUS_CODE"]
BENEFICIARY = [
    "BENE_ID", "BENE_BIRTH_DT", "BENE_DEATH_DT", "SEX_IDENT_CD", "BENE_RACE_CD", "STATE_CODE", "COUNTY_CD",
    "BENE_ENROLLMT_REF_YR", *[f"{name}_{at}" for name in ENROLLED for at in MONTHS],
]  # fmt: skip


def year(bene, at, months, dual="NA"):
    said = {f"MDCR_ENTLMT_BUYIN_IND_{m}": "3" if m in months else "0" for m in MONTHS}
    said |= {f"DUAL_STUS_CD_{m}": dual for m in MONTHS} | {f"PTC_CNTRCT_ID_{m}": "N" for m in MONTHS}
    who = {
        "BENE_ID": bene,
        "BENE_BIRTH_DT": "05-Jan-1940",
        "SEX_IDENT_CD": "2",
        "STATE_CODE": "36",
        "COUNTY_CD": "170",
    }
    return {**who, "BENE_ENROLLMT_REF_YR": at, **said}


@pytest.fixture(scope="module")
def rif(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rif")
    feed = Feed("cms_rif", folder, "|")
    feed.write("beneficiary_2015.csv", BENEFICIARY, year("-1", "2015", MONTHS), year("-2", "2015", MONTHS[:3], "02"))
    feed.write("beneficiary_2016.csv", BENEFICIARY, year("-1", "2016", MONTHS[:2]))
    stay = {
        "BENE_ID": "-1", "CLM_ID": "-100", "CLM_FROM_DT": "03-Feb-2015", "CLM_THRU_DT": "06-Feb-2015",
        "NCH_WKLY_PROC_DT": "27-Feb-2015", "FI_CLM_PROC_DT": "20-Feb-2015", "CLM_ADMSN_DT": "03-Feb-2015",
        "NCH_BENE_DSCHRG_DT": "06-Feb-2015", "CLM_PMT_AMT": "900.00", "CLM_FAC_TYPE_CD": "1",
        "CLM_SRVC_CLSFCTN_TYPE_CD": "1", "CLM_FREQ_CD": "7", "NCH_PRMRY_PYR_CLM_PD_AMT": "50", "CLM_DRG_CD": "97",
        "PRNCPAL_DGNS_CD": "F1020", "PTNT_DSCHRG_STUS_CD": "1",
    }  # fmt: skip
    feed.write(
        "inpatient.csv",
        STAY,
        stay | {"CLM_LINE_NUM": "1", "REV_CNTR": "0116", "REV_CNTR_TOT_CHRG_AMT": "1000", "REV_CNTR_UNIT_CNT": "3"},
        stay | {"CLM_LINE_NUM": "2", "REV_CNTR": "250", "REV_CNTR_TOT_CHRG_AMT": "500"},
        stay | {"CLM_LINE_NUM": "3", "REV_CNTR": "0001", "REV_CNTR_TOT_CHRG_AMT": "1500"},
    )
    visit = {
        "BENE_ID": "-2", "CLM_ID": "-200", "CLM_FROM_DT": "01-Mar-2015", "CLM_THRU_DT": "01-Mar-2015",
        "NCH_WKLY_PROC_DT": "20-Mar-2015", "CLM_PMT_AMT": "70", "CLM_FAC_TYPE_CD": "1", "CLM_SRVC_CLSFCTN_TYPE_CD": "3",
        "CLM_FREQ_CD": "1", "REV_CNTR_DT": "01-Mar-2015",
    }  # fmt: skip
    feed.write(
        "outpatient.csv",
        [*VISIT, *PROCEDURES],
        visit | {"CLM_LINE_NUM": "1", "REV_CNTR": "0450", "HCPCS_CD": "99283", "REV_CNTR_PMT_AMT_AMT": "60"},
        visit | {"CLM_LINE_NUM": "2", "REV_CNTR": "0300", "HCPCS_CD": "80053", "REV_CNTR_PMT_AMT_AMT": "10"},
        visit | {"CLM_ID": "-201", "CLM_LINE_NUM": "1", "CLM_MDCR_NON_PMT_RSN_CD": "N", "REV_CNTR_PMT_AMT_AMT": "5"},
    )
    office = {
        "BENE_ID": "-1", "CLM_ID": "-300", "CLM_FROM_DT": "01-Jun-2015", "CLM_THRU_DT": "01-Jun-2015",
        "NCH_WKLY_PROC_DT": "19-Jun-2015", "CLM_PMT_AMT": "80", "CARR_CLM_PMT_DNL_CD": "1", "CLM_DISP_CD": "1",
        "LINE_1ST_EXPNS_DT": "01-Jun-2015", "LINE_LAST_EXPNS_DT": "01-Jun-2015", "LINE_PLACE_OF_SRVC_CD": "11",
        "LINE_SRVC_CNT": "1", "HCPCS_CD": "99213",
    }  # fmt: skip
    feed.write(
        "carrier.csv",
        CARRIER,
        office | {"LINE_NUM": "1", "LINE_PRCSG_IND_CD": "A", "LINE_NCH_PMT_AMT": "80", "LINE_ALOWD_CHRG_AMT": "100"},
        office | {"LINE_NUM": "2", "LINE_PRCSG_IND_CD": "N", "LINE_NCH_PMT_AMT": "3"},
        office | {"CLM_ID": "-301", "CARR_CLM_PMT_DNL_CD": "0", "LINE_NUM": "1", "LINE_PRCSG_IND_CD": "A"},
    )
    drug = {"BENE_ID": "-2", "SRVC_DT": "02-Mar-2015", "PROD_SRVC_ID": "591205001", "QTY_DSPNSD_NUM": "30"}
    feed.write(
        "pde.csv",
        DRUG,
        drug | {"PDE_ID": "-400", "CVRD_D_PLAN_PD_AMT": "12.5", "TOT_RX_CST_AMT": "15", "DAYS_SUPLY_NUM": "30"},
    )
    return feed.read(folder)


def test_medicare_claims_are_read_and_cleaned_to_what_medicare_paid(rif, tmp_path):
    made = clean(tmp_path, rif["medical_claims"], rif["pharmacy_claims"], rif["members"], extract_date="2016-12-31")
    found = made.rows("claims", "claim_id", "line_number", "claim_type", "cost_usd", "paid_date")
    paid = dt.date(2015, 2, 20)
    assert [row[:4] for row in found] == [
        ("-100", 1, "institutional", 600.0),
        ("-100", 2, "institutional", 300.0),
        ("-100", 3, "institutional", 0.0),  # the claim's total line has no charges of its own
        ("-200", 1, "institutional", 60.0),
        ("-200", 2, "institutional", 10.0),
        ("-300", 1, "professional", 80.0),
        ("-400", 1, "pharmacy", 12.5),
    ]
    assert found[0][4] == paid
    assert made.rows("rejected", "claim_id", "rule_id", "paid_usd") == [
        ("-201", "A4.1", 5.0),
        ("-300", "A4.2", 3.0),
        ("-301", "A4.1", 0.0),
    ]


def test_medicare_codes_become_ours(rif, run):
    rows = {(r["claim_id"], r["claim_line_number"]): r for r in run(rif["medical_claims"])}
    first, second, total = [rows["-100", n] for n in (1, 2, 3)]
    assert (first["bill_type_code"], first["ms_drg_code"], second["revenue_center_code"]) == ("117", "097", "0250")
    assert (first["adjustment_code"], first["discharge_disposition_code"]) == ("original", "01")
    assert [row["tpl_amount"] and float(row["tpl_amount"]) for row in (first, second)] == [50.0, None]
    assert (float(first["charge_amount"]), total["charge_amount"]) == (1000.0, None)
    assert sum(row["cells_unparsed"] for row in rows.values()) == 0
    assert len({row["load_sequence"] for row in rows.values()}) == len(rows) == 9
    assert {row["source_file"] for row in rows.values()} == {"inpatient.csv", "outpatient.csv", "carrier.csv"}


def test_medicare_months_become_spans(rif, run):
    assert spans_of(rif, run, "2016-12-31") == [
        ("-1", "2015-01-01", "2016-02-29", "medicare", "none"),
        ("-2", "2015-01-01", "2015-03-31", "medicare", "full"),
    ]


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
