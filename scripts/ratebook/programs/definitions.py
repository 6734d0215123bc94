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
    program["services"] = scope.service[marks.isin(program["covers"])].tolist()
    program["components"] = scope.groupby("component").service.apply(list).to_dict()
    program["schemes"] = [_scheme(program, scheme, areas) for scheme in program["schemes"]]
    _check(program, name)
    return program


def frames_of(program: dict) -> dict[str, dict]:
    """Give the populations of a program, each cut into its cells once, however many rates read it."""
    return {scheme["frame"]: scheme for scheme in program["schemes"]}


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
    own = [key for key in ("population", "cells", "groups") if key in scheme]
    full = {key: copy.deepcopy(program[key]) for key in ("population", "cells", "groups")}
    full["groups"] |= scheme.get("groups", {})
    full |= {"area": EVERYWHERE, "era": EVERYWHERE, **{key: value for key, value in scheme.items() if key != "groups"}}
    full["counties"] = areas.get(full["area"])
    parts = [full["state"]] if own else []
    parts += [full["area"]] if full["counties"] else []
    full["frame"] = " ".join(parts) or EVERYWHERE
    return full


def _check(program: dict, name: str) -> None:
    columns = {*LtcMemberMonths.types(), "cell"}
    known = {*program["components"], *MEASURES}
    for scheme in program["schemes"]:
        cells = {row["cell"] for row in scheme["cells"]}
        groups = {*scheme["groups"], "enrolled", "population"}
        asked = [row["when"] for row in scheme["cells"]] + [scheme["population"]]
        asked += [group["when"] for group in scheme["groups"].values()]
        terms = [term for rate in scheme["rates"] for term in rate["terms"]]
        used = [g for t in terms for g in [*t.get("blend", {}), *t.get("observed", []), *t.get("reweight", {})]]
        costs = [cost for term in terms for cost in [*term.get("costs", []), *term.get("net_of", [])]]
        missing = {
            "column": {column for when in asked for column in when} - columns,
            "group": set(used) - groups,
            "cell": {cell for rate in scheme["rates"] for cell in rate.get("cells", [])} - cells,
            "cost": set(costs) - known - {"covered"},
        }
        for kind, names in missing.items():
            if names:
                raise RatebookError(f"{name}: {scheme['state']}: no {kind} of the name {', '.join(sorted(names))}")


MEASURES = (
    "nf_gross", "nf_net", "nf_liable", "nf_rate", "facility_ancillary", "applied_income", "capped_benefit",
)  # fmt: skip
"""Costs that are no benefit of the scope: facility dollars by kind, the per diem as a month, residents' income."""
