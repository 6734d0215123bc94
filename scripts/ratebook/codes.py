"""From codes to meaning: one table of services decides level of care, category, benefit and program of a line.

`workflow/codes/services.csv` holds one row per code; everything known about a code stands in it. A row whose
`scope` is `claim` speaks for every line of its claim (a detoxification room makes the stay a detoxification;
an emergency room makes the outpatient claim an emergency visit).
"""

from __future__ import annotations

import ibis
import pandas as pd

MEANING = ["category", "level", "ltc_service", "program"]
STAY_BILLS = ("11", "12", "18", "41")
FAR_OFF = "2199-12-31"
"""Stands for the end of what has no end."""
DIAGNOSES = [f"diagnosis_code_{n}" for n in range(1, 13)]
CLASSIFIED_BY = ["claim_id", "claim_type", "hcpcs_code", "hcpcs_modifier_1", "revenue_center_code", "ndc_code"]
CLASSIFIED_BY += ["service_start_date", "place_of_service_code", "bill_type_code", "ms_drg_code", *DIAGNOSES]
"""What `classify_lines` reads of a line."""
PROCEDURES = [f"procedure_code_{n}" for n in range(1, 7)]


def select_codes(services: pd.DataFrame, state: str) -> pd.DataFrame:
    """Keep the rows in force in a state: its own row for a code while that is valid, else the row for every state.

    Some states use H0010 for step-down stabilisation and not for detoxification, so a state's row overrides. It does
    so on its own days, `valid_from` to `valid_to`: on the days before and after, the row for every state still holds.

    Returns
    -------
    pandas.DataFrame
        The rows in the order of `services`; of one code, no two are valid on one day.

    References
    ----------
    methods.md, B1.
    """
    own = services[(services.state == state) & (state != "")]
    rows = []
    for row in services[services.state.isin(["", state])].to_dict("records"):
        same = own[(own.system == row["system"]) & (own.code == row["code"]) & (own.modifier == row["modifier"])]
        rows += [row] if row["state"] or same.empty else _days_left(row, same)
    return pd.DataFrame(rows, columns=services.columns)


def _days_left(row: dict, overriding: pd.DataFrame) -> list[dict]:
    """Cut from a row's days those on which another overrides it."""
    left, day = [], pd.Timedelta(days=1)
    start, end = pd.Timestamp(row["valid_from"]), pd.Timestamp(row["valid_to"] or FAR_OFF)
    for first, last in sorted(zip(overriding.valid_from, overriding.valid_to)):
        until = min(end, pd.Timestamp(first) - day)
        if start <= until:
            left.append({**row, "valid_from": str(start.date()), "valid_to": str(until.date())})
        start = max(start, pd.Timestamp(last or FAR_OFF) + day)
    return [*left, {**row, "valid_from": str(start.date())}] if start <= end else left


def timed_codes(services: pd.DataFrame) -> list[str]:
    """List the HCPCS codes billed in units of 15 minutes."""
    return sorted(set(services.code[(services.system == "hcpcs") & (services.unit == "15_minutes")]))


def per_diem_codes(services: pd.DataFrame) -> list[str]:
    """List the HCPCS codes billed by the day."""
    return sorted(set(services.code[(services.system == "hcpcs") & (services.unit == "day")]))


def sud_class(lines: ibis.Table, diagnoses: pd.DataFrame, columns: list[str] = DIAGNOSES) -> ibis.Value:
    """Give the class of the first substance-use diagnosis among a line's twelve, or some of them; null without one."""
    classes = list(zip(diagnoses.code, diagnoses.dx_class))
    # How a code begins tells most diagnoses apart before any whole code is compared.
    starts = sorted({code[:2] for code in diagnoses.code})
    codes = [lines[column].upper().substr(0, 3) for column in columns]
    return ibis.coalesce(*[ibis.cases((code.substr(0, 2).isin(starts), code.cases(*classes))) for code in codes])


def classify_lines(
    lines: ibis.Table, services: pd.DataFrame, diagnoses: pd.DataFrame, meanings: ibis.Table | None = None
) -> ibis.Table:
    """Read each line's codes once and say what it served.

    The first that matches decides: a code of the whole claim, HCPCS with its modifier, HCPCS, revenue code,
    place of service, bill type, drug; then what kind of claim it is. A code speaks on the days it is valid. ED and
    inpatient claims with an SUD diagnosis are SUD care; an outpatient line with a principal SUD diagnosis is too.
    A detoxification room sets the level of care whatever the diagnosis, so that `episodes.require_sud_dx` decides
    what is a stay; without a substance use diagnosis its cost is that of any inpatient claim.

    Parameters
    ----------
    lines : ibis.Table
        Lines with the code columns of `MedicalClaims`, `ndc_code` and `service_start_date`.
    services : pandas.DataFrame
        `services.csv` as `select_codes` gives it.
    diagnoses : pandas.DataFrame
        `sud_diagnoses.csv`.
    meanings : ibis.Table, optional
        As `claim_meanings` gives them, where the lines are not whole claims or are costly to read twice.

    Returns
    -------
    ibis.Table
        The lines with `category`, `level`, `ltc_service`, `program`, `is_sud_diagnosis`, `dx_class`.

    References
    ----------
    methods.md, B1, B2 and D1.
    """
    lines = lines.mutate(dx_class=sud_class(lines, diagnoses))
    lines = lines.mutate(
        is_sud_diagnosis=lines.dx_class.notnull(),
        is_principal_sud=lines.diagnosis_code_1.upper().substr(0, 3).isin(list(diagnoses.code)).fill_null(False),
        bill_type_2=lines.bill_type_code.substr(0, 2),
    )
    # A code leads to the number of its row, and the one number that counts to what the row says: text is read once.
    services = services.assign(row=range(len(services)))
    whole = claim_meanings(lines, services, diagnoses) if meanings is None else meanings
    lines = _match_claim(lines, services, whole)
    of_line = services[services.scope == "line"]
    plain = of_line.modifier == ""
    systems = {
        "m": (of_line[(of_line.system == "hcpcs") & ~plain], ["hcpcs_code", "hcpcs_modifier_1"]),
        "h": (of_line[(of_line.system == "hcpcs") & plain], ["hcpcs_code"]),
        "r": (of_line[of_line.system == "revenue"], ["revenue_center_code"]),
        "p": (of_line[of_line.system == "place"], ["place_of_service_code"]),
        "b": (of_line[of_line.system == "bill_type"], ["bill_type_2"]),
        "n": (of_line[of_line.system == "ndc"], ["ndc_code"]),
    }
    for key, (codes, on) in systems.items():
        lines = _match(lines, codes, key, on)
    order = ["c", "m", "h", "r", "b", "p", "n"]
    lines = lines.mutate(row=ibis.coalesce(*[lines[f"row_{key}"] for key in order]))
    said = {name: services[name].to_numpy(dtype=object) for name in MEANING}
    kinds = {"said_row": "int64", **dict.fromkeys(MEANING, "string")}
    rows = ibis.memtable(pd.DataFrame({"said_row": services.row.to_numpy(), **said}), schema=kinds)
    lines = lines.left_join(rows, lines.row == rows.said_row)
    lines = lines.mutate(**{name: lines[name].nullif("") for name in MEANING})
    lines = lines.mutate(level=ibis.coalesce(lines.claim_level, lines.level))
    lines = lines.mutate(category=_category(lines))
    return lines.drop(
        *[f"row_{key}" for key in order], "row", "said_row", "claim_level", "bill_type_2", "is_principal_sud"
    )


def _category(lines: ibis.Table) -> ibis.Value:
    principal = lines.diagnosis_code_1.upper()
    inpatient = (lines.category == "IP") | (lines.category.isnull() & lines.ms_drg_code.notnull())
    sud = lines.is_sud_diagnosis
    loose = lines.category.isnull() | (lines.category == "OP_PROFESSIONAL")
    return ibis.cases(
        (inpatient & sud, "IP_SUD_MEDICAL"),
        (inpatient, "IP_MEDICAL"),
        ((lines.category == "ED") & sud, "ED_SUD"),
        (lines.category == "ED", "ED_OTHER"),
        (lines.category.isnull() & (lines.claim_type == "pharmacy"), "PHARMACY_OTHER"),
        (loose & lines.is_principal_sud, "OP_SUD"),
        (loose & principal.startswith("F") & ~principal.startswith("F17"), "OTHER_BH"),
        (lines.category.isnull() & lines.claim_type.isin(["institutional", "professional"]), "OP_PROFESSIONAL"),
        else_=lines.category.fill_null("OTHER"),
    )


def _match(lines: ibis.Table, codes: pd.DataFrame, key: str, on: list[str]) -> ibis.Table:
    """Left join the row of one code system, as column `row_<key>`."""
    source = {"hcpcs_modifier_1": "modifier"}
    keys = {f"{column}_{key}": codes[source.get(column, "code")].to_numpy(dtype=object) for column in on}
    found = {f"row_{key}": codes.row.to_numpy(), f"needs_{key}": (codes.needs_sud_diagnosis == "yes").to_numpy()}
    days = {f"first_{key}": _dates(codes.valid_from), f"last_{key}": _dates(codes.valid_to.replace("", FAR_OFF))}
    kinds = {**dict.fromkeys(keys, "string"), f"row_{key}": "int64", f"needs_{key}": "boolean"}
    right = ibis.memtable(pd.DataFrame({**keys, **found, **days}), schema={**kinds, **dict.fromkeys(days, "date")})
    same = [lines[column] == right[f"{column}_{key}"] for column in on]
    same.append(lines.service_start_date.between(right[f"first_{key}"], right[f"last_{key}"]))
    joined = lines.left_join(right, [*same, lines.is_sud_diagnosis | ~right[f"needs_{key}"]])
    return joined.drop(*keys, *days, f"needs_{key}")


def _dates(texts: pd.Series) -> list:
    return list(pd.to_datetime(texts).dt.date)


def claim_meanings(lines: ibis.Table, services: pd.DataFrame, diagnoses: pd.DataFrame) -> ibis.Table:
    """Find the claims to which one line or procedure gives a meaning of the whole: `claim_id`, `row` of `services`.

    Needs the claim number, the revenue code, the procedures and the diagnoses of every line. Of two meanings a
    claim's lines give, the one that stands first in `services` counts: detoxification before emergency. A procedure
    speaks only where substance use is the first or the second diagnosis. A code of a claim means one thing on
    all days: its days of validity are not read.
    """
    codes = services.assign(row=range(len(services)))
    codes = codes[codes.scope == "claim"]
    revenue = list(zip(*codes.loc[codes.system == "revenue", ["code", "row"]].to_numpy().T))
    procedures = list(zip(*codes.loc[codes.system == "icd10pcs", ["code", "row"]].to_numpy().T))
    hits = [lines.revenue_center_code.isin([c for c, _ in revenue])]
    hits += [lines[column].isin([c for c, _ in procedures]) for column in PROCEDURES]
    marked = lines.filter(ibis.or_(*hits))
    is_treated = sud_class(marked, diagnoses, DIAGNOSES[:2]).notnull()
    found = [ibis.ifelse(is_treated, marked[column].cases(*procedures), None) for column in PROCEDURES]
    row = ibis.coalesce(*found, marked.revenue_center_code.cases(*revenue))
    marked = marked.mutate(row=row).filter(lambda t: t.row.notnull())
    return marked.group_by("claim_id").agg(row=marked.row.min())


def _match_claim(lines: ibis.Table, services: pd.DataFrame, whole: ibis.Table) -> ibis.Table:
    """Join what one line or procedure of a claim says of the whole claim: its level, and its row as `row_c`.

    A row that asks for a substance use diagnosis says nothing but the level where there is none.
    """
    said = whole.select(whole_id="claim_id", row_c="row")
    joined = lines.left_join(said, lines.claim_id == said.whole_id).drop("whole_id")
    emergency = joined.row_c.isin(services.row[services.category == "ED"].tolist())
    # An emergency room makes an outpatient claim an emergency visit, and a stay remains a stay.
    is_stay = joined.bill_type_2.isin(STAY_BILLS).fill_null(False)
    levels = services.loc[(services.scope == "claim") & (services.level != ""), ["row", "level"]]
    asks = joined.row_c.isin(services.row[services.needs_sud_diagnosis == "yes"].tolist())
    is_mute = (emergency & is_stay) | (asks & ~joined.is_sud_diagnosis)
    return joined.mutate(
        row_c=ibis.ifelse(is_mute, ibis.null("int64"), joined.row_c),
        claim_level=joined.row_c.cases(*levels.itertuples(index=False, name=None)),
    )
