"""A program as data: read, checked against its schema, settings filled in, and cut into frames."""

from __future__ import annotations

import copy
from pathlib import Path

import jsonschema
import pandas as pd
import yaml

from ratebook.contracts.programs import SERVICES, LtcMemberMonths
from ratebook.errors import RatebookError

EVERYWHERE = "all"
FRAME = ("population", "cells", "groups")
"""What a scheme takes from its program unless it has its own: the schemes of one frame share it."""
MEASURES = {
    "nf_gross": "the nursing facility before the resident's share of cost",
    "nf_net": "the nursing facility as Medicaid paid it",
    "nf_liable": "its net cost on the days in the plan's window",
    "nf_rate": "the facility's per diem as a month: a twelfth of `programs.nf_year_days` per diems",
    "facility_ancillary": "the facility's ancillary cost of a month",
    "applied_income": "the resident's share of cost",
    "medicare_paid": "what Medicare paid on the same lines",
    "tpl": "what other insurance paid on the same lines",
    "capped_benefit": "what the capped benefit pays",
}
"""Cost words that are no benefit of the scope: facility dollars by kind, and what others than Medicaid pay."""


def read_programs(
    files: list[str], schema_file: str, scope_file: str, settings: dict, areas: dict[str, list[str]]
) -> list[dict]:
    """Read the programs, in the order of the files.

    `{from_config: name}` stands for the value of a setting of config section `programs`; with `cases`, for the case
    of that value. A state's scheme takes population, cells and groups of its program unless it has its own.

    Parameters
    ----------
    files : list of str
        Program files.
    schema_file : str
        The schema every file keeps.
    scope_file : str
        `benefit_scope.csv`: which service a program covers; a column per program.
    settings : dict
        Config section `programs`; an assumption stands for its value.
    areas : dict
        Service area to its counties; an area not listed stands for the whole data.

    Raises
    ------
    RatebookError
        If a file breaks the schema, or names a column, group, cell, setting or service that is not there.

    References
    ----------
    methods.md, F.
    """
    schema = yaml.safe_load(Path(schema_file).read_text())
    scope = pd.read_csv(scope_file, dtype=str, keep_default_na=False)
    strange = [name for name in scope.service if f"{name}_usd" not in SERVICES and name != "nursing_facility"]
    if strange:
        raise RatebookError(f"{Path(scope_file).name}: services no column of member months holds: {strange}")
    return [read_program(file, schema, scope, settings, areas) for file in files]


def read_program(file: str, schema: dict, scope: pd.DataFrame, settings: dict, areas: dict) -> dict:
    """Read one program file."""
    name = Path(file).name
    program = yaml.safe_load(Path(file).read_text())
    wrong = sorted(jsonschema.Draft202012Validator(schema).iter_errors(program), key=lambda e: list(map(str, e.path)))
    if wrong:
        first = jsonschema.exceptions.best_match(wrong)
        where = ".".join(str(step) for step in first.absolute_path) or "the file"
        raise RatebookError(f"{name}: {where}: {first.message}")
    if program["program"] not in scope.columns:
        raise RatebookError(f"{name}: benefit_scope.csv has no column {program['program']!r}")
    program = _fill(program, settings, name)
    marks = scope[program["program"]]
    covered = marks.isin(program["covers"])
    program["services"] = scope.service[covered].tolist()
    shared = covered & (scope.medicare == "yes") & (scope.service != "nursing_facility")
    program["medicare_services"] = scope.service[shared].tolist()
    program["components"] = scope.groupby("component").service.apply(list).to_dict()
    program["schemes"] = [_scheme(program, scheme, areas) for scheme in program["schemes"]]
    _check(program, name, {"covered", *program["components"], *scope.service, *MEASURES})
    return program


def frames_of(program: dict) -> dict[str, dict]:
    """Give the populations of a program, each cut into its cells once, however many rates read it."""
    return {scheme["frame"]: scheme for scheme in program["schemes"]}


def groups_of(term: dict) -> list[str]:
    """Name the groups a term compares with; none where it is dollars."""
    return list(term.get("observed") or term.get("blend", {}))


def costs_of(term: dict, group: str) -> list[str]:
    """Name the costs a term adds up of a group."""
    return term["costs"][group] if isinstance(term["costs"], dict) else term["costs"]


def settlements_of(program: dict, scheme: dict) -> list[dict]:
    """Give what is settled after the year: the scheme's own list, else its program's."""
    return scheme.get("reconciliation", program.get("reconciliation", []))


def _fill(node, settings: dict, name: str):
    if isinstance(node, dict) and "from_config" in node:
        if node["from_config"] not in settings:
            raise RatebookError(f"{name}: config.yaml has no programs.{node['from_config']}")
        value = settings[node["from_config"]]
        value = value["value"] if isinstance(value, dict) and "value" in value else value
        if "cases" not in node:
            return value
        if value not in node["cases"]:
            raise RatebookError(f"{name}: programs.{node['from_config']} is none of {sorted(node['cases'])}")
        return _fill(node["cases"][value], settings, name)
    if isinstance(node, dict):
        return {key: _fill(child, settings, name) for key, child in node.items()}
    if isinstance(node, list):
        return [_fill(child, settings, name) for child in node]
    return node


def _scheme(program: dict, scheme: dict, areas: dict) -> dict:
    full = {key: copy.deepcopy(program[key]) for key in FRAME}
    full["groups"] |= scheme.get("groups", {})
    full |= {"area": EVERYWHERE, "era": EVERYWHERE, **{key: scheme[key] for key in scheme if key != "groups"}}
    full["counties"] = areas.get(full["area"])
    own = any(full[key] != program[key] for key in FRAME)
    parts = [full["state"]] if own else []
    parts += [full["era"]] if own and full["era"] != EVERYWHERE else []
    parts += [full["area"]] if full["counties"] else []
    full["frame"] = " ".join(parts) or EVERYWHERE
    return full


def _check(program: dict, name: str, costs: set[str]) -> None:
    """Refuse a program that asks for what is not there, and a scheme that cannot be what it says."""
    cells = {row["cell"] for scheme in program["schemes"] for row in scheme["cells"]}
    named = [*program["liability"].get("rate_cells", [])]
    named += [cell for rule in program.get("excludes", []) for cell in rule["cells"]]
    named += [program["conversion"]["cell"]] if "conversion" in program else []
    _refuse(name, "cell", set(named) - cells)
    frames: dict[str, dict] = {}
    for scheme in program["schemes"]:
        where = f"{name}: {scheme['state']}"
        _check_names(where, scheme, settlements_of(program, scheme), costs)
        if any(frames.setdefault(scheme["frame"], scheme)[key] != scheme[key] for key in FRAME):
            raise RatebookError(f"{where}: schemes of one area and era differ in {', '.join(FRAME)}: name an era")


def _check_names(where: str, scheme: dict, items: list[dict], costs: set[str]) -> None:
    terms = [term for rate in scheme["rates"] for term in [*rate["terms"], *([rate["cap"]] if "cap" in rate else [])]]
    for term in terms:
        _check_term(where, term)
    groups = [group for term in terms for group in groups_of(term)]
    groups += [
        item[key] for item in items for key in ("group", "dearer", "cheaper", "heavy", "members") if key in item
    ]
    asked = [cost for term in terms for cost in [*_costs(term), *term.get("net_of", [])]]
    asked += [item["cost"] for item in items if "cost" in item]
    cells = {cell for rate in scheme["rates"] for cell in rate.get("cells", [])}
    _refuse(where, "column", _columns(scheme) - {*LtcMemberMonths.types(), "cell"})
    _refuse(where, "cell", cells - {row["cell"] for row in scheme["cells"]})
    _refuse(where, "group", set(groups) - {*scheme["groups"], "enrolled", "population"})
    _refuse(where, "cost", set(asked) - costs)
    if scheme.get("pay_net_soc", False) and any(_is_net(term) for term in terms):
        raise RatebookError(f"{where}: pay_net_soc and a formula net of applied_income take it off twice")


def _columns(scheme):
    asked = [row["when"] for row in scheme["cells"]] + [scheme["population"]]
    asked += [group["when"] for group in scheme["groups"].values()]
    return {*(column for when in asked for column in when), *(c for row in scheme["cells"] for c in row.get("by", []))}


def _refuse(where: str, kind: str, names: set[str]) -> None:
    if names:
        raise RatebookError(f"{where}: no {kind} of the name {', '.join(sorted(names))}")


def _check_term(where: str, term: dict) -> None:
    groups = groups_of(term)
    weighed = {group for key in ("reweight", "at_most", "share_bids") for group in term.get(key, {})}
    _refuse(where, "group in the term", (weighed | {*term.get("bids", {})}) - {*groups, "usd"})
    if "costs" in term and isinstance(term["costs"], dict):
        _refuse(where, "group in the term", set(groups) ^ set(term["costs"]))
    for key in ("at_most", "share_bids"):
        if set(groups) and set(groups) <= set(term.get(key, {})):
            raise RatebookError(f"{where}: {key} names every group, so that none can take the rest")


def _costs(term: dict) -> list[str]:
    return [cost for group in groups_of(term) for cost in costs_of(term, group)]


def _is_net(term: dict) -> bool:
    return "applied_income" in term.get("net_of", []) or (
        "applied_income" in _costs(term) and term.get("times", 1) < 0
    )
