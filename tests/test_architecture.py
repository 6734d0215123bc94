"""The house is held to its plan: what the design promises about where code lives is checked here."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.base import Contract
from ratebook.provenance import code_of

STAGES = (
    "simulate", "intake", "clean", "exposure", "episodes", "engagement", "cost", "rates", "programs", "review", "release",
)  # fmt: skip
CORE = ROOT / "scripts" / "ratebook"
RULE = re.compile(r"^rule (\w+):", re.MULTILINE)
RULES = [
    (stage, name) for stage in STAGES for name in RULE.findall((ROOT / f"workflow/rules/{stage}.smk").read_text())
]
DOORS = sorted(path for stage in STAGES for path in (ROOT / "scripts" / stage).glob("*.py"))
MODULES = sorted(CORE.rglob("*.py"))
CONTRACTS = [
    contract
    for stage in STAGES
    if (CORE / f"contracts/{stage}.py").exists()
    for contract in vars(importlib.import_module(f"ratebook.contracts.{stage}")).values()
    if isinstance(contract, type) and issubclass(contract, Contract) and contract.__module__.endswith(stage)
]


def rule_text(stage: str, name: str) -> str:
    text = (ROOT / f"workflow/rules/{stage}.smk").read_text()
    return re.search(rf"^rule {name}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL).group(1)


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def stage_of(module: str) -> str | None:
    parts = module.split(".")
    name = parts[2] if parts[1:2] == ["contracts"] and len(parts) > 2 else parts[1] if len(parts) > 1 else None
    return name if name in STAGES else None


NOTHING_TO_CHOOSE = {"review"}
"""Stages that leave an analyst no choice, and so have no section in config.yaml."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_rules_doors_core_contracts_and_config(stage):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert (ROOT / f"workflow/rules/{stage}.smk").is_file()
    assert list((ROOT / "scripts" / stage).glob("*.py"))
    assert (CORE / f"{stage}.py").is_file() or (CORE / stage / "__init__.py").is_file()
    assert (stage in config) != (stage in NOTHING_TO_CHOOSE)


def test_every_rule_has_a_door_of_its_name_and_every_door_a_rule():
    doors = {(path.parent.name, path.stem) for path in DOORS}
    assert doors == set(RULES)


@pytest.mark.parametrize(("stage", "name"), RULES)
def test_a_rule_says_what_it_does_and_declares_its_code_log_and_benchmark(stage, name):
    text = rule_text(stage, name)
    assert re.match(r'\s+"""[A-Z][^"]+\.', text), "a rule opens with one sentence"
    assert f'code_of("scripts/{stage}/{name}.py")' in text
    assert f'"logs/{stage}/{name}.log"' in text
    assert f'"benchmarks/{stage}/{name}.tsv"' in text
    assert f'"../../scripts/{stage}/{name}.py"' in text
    assert 'conda:\n        "../../environment.yml"' in text


@pytest.mark.parametrize(("stage", "name"), RULES)
def test_a_rule_reads_only_its_own_stage_and_those_above(stage, name):
    inputs = rule_text(stage, name).split("output:")[0]
    read = set(re.findall(r"results/(\w+)/", inputs))
    below = set(STAGES[STAGES.index(stage) + 1 :])
    assert not read & below


@pytest.mark.parametrize("door", DOORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_door_reads_calls_and_writes(door):
    text = door.read_text()
    code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    tree = ast.parse(text)
    thinking = [n for n in ast.walk(tree) if isinstance(n, ast.If | ast.For | ast.While | ast.BinOp | ast.IfExp)]
    assert len(code) < 40
    assert len(thinking) <= 2, (
        "one `if __name__`, and at most one loop over named tables; the rest belongs in the core"
    )
    assert "snakemake.config" not in text, "a door's settings are params: the config is an undeclared input"
    assert 'if __name__ == "__main__":' in text


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_core_module_knows_no_workflow_and_holds_one_idea(module):
    names = imports_of(module)
    assert not any(name.split(".")[0] == "snakemake" for name in names)
    assert len(module.read_text().splitlines()) <= 400
    here = stage_of(".".join(("ratebook", *module.relative_to(CORE).with_suffix("").parts)))
    if here:
        below = STAGES[STAGES.index(here) + 1 :]
        assert not [name for name in names if name.startswith("ratebook") and stage_of(name) in below]


def test_no_figure_is_kept_by_pyplot():
    assert not [path.name for path in MODULES if "matplotlib.pyplot" in imports_of(path)]


def test_only_one_module_knows_the_engine():
    knowing = [p.name for p in MODULES if {"duckdb", "ibis.duckdb"} & imports_of(p) or "ibis.duckdb." in p.read_text()]
    assert set(knowing) <= {"tables.py"}


def test_claims_scale_code_never_executes_in_the_core():
    called = re.compile(r"\.(execute|to_pandas|to_pyarrow|to_polars)\(")
    allowed = {"tables.py"}
    found = [
        path.relative_to(CORE).as_posix()
        for path in MODULES
        if path.name not in allowed and "import ibis" in path.read_text() and called.search(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.__qualname__)
def test_a_contract_states_its_grain_and_every_column(contract):
    assert (contract.__doc__ or "").strip()
    for name, field in contract.fields().items():
        assert field.description.strip(), name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
    assert set(contract.Config.unique) <= set(contract.fields())


def test_a_column_name_has_one_type_everywhere():
    raw = "ratebook.contracts.intake"
    kinds: dict[str, dict[str, str]] = {}
    for contract in CONTRACTS:
        if contract.__module__ != raw:
            for name, field in contract.fields().items():
                kinds.setdefault(name, {})[contract.__qualname__] = field.type
    money = {"decimal(14, 2)", "float64"}
    twice = {
        name: found
        for name, found in kinds.items()
        if len(set(found.values()) - money) > (not set(found.values()) <= money)
    }
    assert not twice


def test_every_setting_is_described_and_no_unknown_key_passes():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())

    def check(node, path):
        if node.get("type") == "object" and "properties" in node:
            assert node.get("additionalProperties") is False, path
            for name, child in node["properties"].items():
                described = "description" in child or "$ref" in child
                assert described or path.startswith("$defs"), f"{path}.{name} has no description"
                check(child, f"{path}.{name}")

    check(schema, "config")
    assert set(schema["required"]) == set(schema["properties"])


def test_no_payment_program_and_no_state_is_named_in_code():
    """Programs are data: whatever the files of workflow/programs call themselves, no line of code knows."""
    files = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "workflow/programs").glob("*.yaml"))]
    names = {scheme["state"] for file in files for scheme in file["schemes"]}
    names |= {r"\W?".join(file["program"]) for file in files}
    named = re.compile(rf"\b(?:{'|'.join(sorted(names))})\b", re.IGNORECASE)
    code = sorted((ROOT / "scripts").rglob("*.py"))
    assert not {f"{path.relative_to(ROOT)}: {found}" for path in code for found in named.findall(path.read_text())}


def test_no_two_test_files_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py"]
    assert sorted(names) == sorted(set(names)), "pytest imports test files by their name alone"


def test_the_environment_pins_the_direct_dependencies_identically():
    direct = [line for line in (ROOT / "requirements.in").read_text().split() if line]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pins = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    lock = (ROOT / "requirements.txt").read_text()
    assert pins == direct
    for pin in direct:
        name, version = pin.split("==")
        assert f"{name.split('[')[0]}=={version}" in lock.replace("[duckdb]", "")
    assert "--hash=sha256:" in lock and "http" not in lock


def test_the_project_is_of_the_python_it_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"


@pytest.mark.parametrize("door", DOORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_code_of_a_door_is_found_without_importing_it(door):
    code = code_of(str(door))
    assert "scripts/ratebook/steps.py" in code
    assert "scripts/ratebook/tables.py" in code
    assert all((ROOT / path).is_file() for path in code)
