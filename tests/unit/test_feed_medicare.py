"""CMS's Medicare files, a handful of claims each written here, from their layouts through cleaning."""

import datetime as dt

import pytest

from claims_data import clean
from cms_data import MONTHS, Feed, numbered, spans_of

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
