"""One small run from end to end, twice; and what reruns when one thing changes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from project import Project

from conftest import ROOT
from ratebook.provenance import code_of
from test_architecture import RULES

pytestmark = pytest.mark.slow
SMALL = ("--configfile", "tests/config/small.yaml")


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    """Give fresh copies of the project."""
    return lambda name: Project(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def finished(make_project):
    project = make_project("first")
    done = project.snakemake(*SMALL)
    assert done.returncode == 0, done.stderr[-4000:]
    return project


def fingerprints(folder: Path) -> dict[str, str]:
    """Hash every person-scale and released file; claims-scale folders hold equal rows, not equal bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file() and not any(part.endswith(".parquet") for part in path.relative_to(folder).parent.parts)
    }


def rules_using(module: str) -> set[str]:
    return {name for stage, name in RULES if module in code_of(str(ROOT / f"scripts/{stage}/{name}.py"))}


def downstream(project, rules: set[str]) -> set[str]:
    """Close a set of rules under 'reads what one of them makes', from the rule files themselves."""
    graph = {}
    for stage, name in RULES:
        text = (project.folder / f"workflow/rules/{stage}.smk").read_text()
        body = re.search(rf"^rule {name}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL).group(1)
        inputs, _, rest = body.partition("output:")
        made = rest.split("log:")[0]
        graph[name] = (set(re.findall(r'"(results/[^"]+)"', inputs)), set(re.findall(r'"(results/[^"]+)"', made)))
    found = set(rules)
    while True:
        files = {path for name in found for path in graph[name][1]}
        more = {name for name, (reads, _) in graph.items() if reads & files} - found
        if not more:
            return found
        found |= more


def test_two_runs_in_two_folders_give_the_same_bytes(finished, make_project):
    second = make_project("second")
    done = second.snakemake(*SMALL)
    assert done.returncode == 0, done.stderr[-4000:]
    one, two = fingerprints(finished.folder), fingerprints(second.folder)
    assert set(one) == set(two)
    assert [name for name in one if one[name] != two[name]] == []


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.rules_to_run(*SMALL) == set()


def test_a_longer_silence_reruns_nothing_above_the_spells(finished):
    config = (finished.folder / "config.yaml").read_text()
    changed = re.sub(r"(\n  spell_gap_days: )\d+", r"\g<1>45", config)
    assert changed != config
    (finished.folder / "config.yaml").write_text(changed)
    again = finished.rules_to_run(*SMALL)
    (finished.folder / "config.yaml").write_text(config)
    upstream = {name for stage, name in RULES if stage in ("simulate", "intake", "clean", "exposure")}
    assert "build_spells" in again
    assert again & upstream == set()


@pytest.mark.parametrize("module", ["scripts/ratebook/rates/completion.py", "scripts/ratebook/programs/cells.py"])
def test_an_edit_in_the_core_reruns_the_rules_that_use_it_and_what_follows(finished, module):
    path = finished.folder / module
    before = path.read_text()
    path.write_text(before + "\n# An edit.\n")
    again = finished.rules_to_run(*SMALL)
    path.write_text(before)
    using = rules_using(module)
    assert using
    assert using <= again <= downstream(finished, using)


def test_only_the_release_may_leave_and_its_manifest_knows_every_file(finished):
    release = finished.folder / "results" / "release"
    manifest = json.loads((release / "manifest.json").read_text())
    files = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()} - {"manifest.json"}
    assert files == set(manifest["files"])


def test_no_log_and_no_released_text_holds_an_id_of_a_person(finished):
    truth = json.loads((finished.folder / "results/simulate/truth.json").read_text())
    ids = {str(one) for found in truth["faults"].values() for one in found if isinstance(one, str) and len(one) > 4}
    shape = re.compile(r"[A-Z]\d{8,}(?:-\d)?")
    assert ids
    assert all(shape.fullmatch(one) for one in ids)
    released = (finished.folder / "results/release").rglob("*")
    texts = sorted(path for path in released if path.suffix in (".csv", ".html", ".json", ".md"))
    logs = sorted((finished.folder / "logs").rglob("*.log"))
    assert texts and logs
    leaking = {p.name for p in [*logs, *texts] if ids.intersection(shape.findall(p.read_text(encoding="utf-8")))}
    assert sorted(leaking) == []


def test_every_planted_fault_is_found_and_no_clean_record_is_touched(finished):
    recovery = pd.read_parquet(finished.folder / "results/review/recovery.parquet").set_index("quantity")
    counts = pd.read_parquet(finished.folder / "results/review/fault_counts.parquet").set_index("kind")
    kinds = counts.index[counts.planted > 0]
    truth = json.loads((finished.folder / "results/simulate/truth.json").read_text())
    assert set(kinds) == {kind for kind, ids in truth["faults"].items() if ids} - {"near_data_end"}
    counted = recovery[recovery.index.str.contains("^(?:recall|precision|dollars that stand), ", regex=True)]
    assert len(counted) > 2 * len(kinds)
    assert counted.index[counted.covered.ne(True)].tolist() == []
    assert recovery.estimate["records taken or changed that have no fault"] == 0


def test_the_tuva_demo_runs_to_its_end(make_project, shared_data):
    project = make_project("tuva")
    source = project.folder.parent / "shared"
    source.symlink_to(shared_data.parent)
    done = project.snakemake("--configfile", "tests/config/tuva_demo.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    for name in ("report.html", "ratebook.xlsx", "manifest.json", "tables/attrition.csv", "tables/pmpm.csv"):
        assert (project.folder / "results/release" / name).is_file()
    rates = pd.read_csv(project.folder / "results/release/tables/rates.csv")
    assert rates.rate_usd.notna().any(), "there is a capitation rate"
    waterfall = pd.read_csv(project.folder / "results/release/tables/attrition.csv")
    medical = waterfall[waterfall.source_table == "medical_claims"]
    assert medical.paid_in_usd.iloc[0] == 3_970_274.95
    assert medical.paid_out_usd.iloc[0] == 516_261.45
    assert medical.paid_out_usd.iloc[-1] == pytest.approx(516_261.45 + medical.delta_usd.iloc[1:].sum(), abs=0.005)
