"""The release: bytes that repeat, and a folder that holds nothing unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from conftest import ROOT
from ratebook.contracts.intake import SourceManifest
from ratebook.contracts.released import RELEASED
from ratebook.engagement.plots import DRAWN_FROM, FIGURES, plot_engagement
from ratebook.errors import RatebookError
from ratebook.release.figures import release_figures
from ratebook.release.manifest import direct_dependencies, release_manifest
from ratebook.release.tables import csv_text, read_released, release_tables, write_released
from ratebook.tables import empty_frame
from release_data import CONTENTS, SETTINGS, flow, no_rows, small_figures

nothing = pytest.fixture(no_rows)
drawn = pytest.fixture(small_figures)


def test_the_rule_reads_exactly_the_named_tables():
    text = (ROOT / "workflow/rules/release.smk").read_text()
    inputs = text.split("rule release_tables:")[1].split("output:")[0]
    assert set(re.findall(r"(\w+)=\"results/", inputs)) == set(RELEASED)


def test_a_released_table_reads_back_and_repeats_its_bytes(nothing, tmp_path):
    tables = {**nothing, "cohort_flow": flow([900, 500, 497, 440])}
    shown = release_tables(tables, 11)
    paths = [str(tmp_path / f"cohort_flow.{kind}") for kind in ("csv", "parquet")]
    write_released(shown, paths)
    first = [Path(path).read_bytes() for path in paths]
    write_released(shown, paths)
    assert [Path(path).read_bytes() for path in paths] == first
    assert first[0].decode().splitlines()[1] == "1,B5.1,rule 1,0,900,"
    back = read_released([paths[1]])["cohort_flow"]
    assert back.persons_out.isna().tolist() == [True, False, False]


def test_figures_of_nothing_are_drawn_and_say_so(nothing):
    tables = {name: nothing.get(name, empty_frame(contract)) for name, contract in DRAWN_FROM.items()}
    for name, figure in plot_engagement(tables, 11).items():
        assert len(figure.axes[0].texts[0].get_text()) > 20, name


def test_figures_are_released_as_they_stand(drawn, tmp_path):
    targets = [str(tmp_path / "release" / Path(path).name) for path in drawn]
    release_figures(drawn, targets)
    assert {Path(path).read_bytes() for path in targets} == {b"<svg/>"}


@pytest.mark.parametrize("figure", sorted(FIGURES))
def test_a_figure_of_engagement_is_released_if_its_table_is(figure):
    assert (FIGURES[figure][1] in RELEASED) == (figure in CONTENTS["figures"])


def test_a_float_is_printed_without_the_machines_last_digits():
    assert csv_text(pd.DataFrame({"x": [0.1 + 0.2]})) == "x\n0.3\n"


def test_the_manifest_knows_every_file_and_no_path_of_the_machine(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/qa.csv").write_text("check_id\n")
    released = [str(tmp_path / "tables/qa.csv")]
    config = {**SETTINGS, "intake": {**SETTINGS["intake"], "source": str(tmp_path / "private" / "claims")}}
    manifest, readme = release_manifest(
        tmp_path, released, released, "pandas==2.3.3\n", empty_frame(SourceManifest), config, "README.md"
    )
    assert set(manifest["files"]) == {"README.md", "tables/qa.csv"}
    assert manifest["config"]["intake"]["source"] == "claims"
    assert str(tmp_path) not in str(manifest)
    assert "engine" not in manifest["config"]
    assert "synthetic data" in readme.lower()
    assert "| `check_id` | string |" in readme


def test_a_file_nobody_made_may_not_leave_the_building(tmp_path):
    (tmp_path / "rows_of_persons.csv").write_text("x")
    with pytest.raises(RatebookError, match="1 files that no rule made"):
        release_manifest(tmp_path, [], [], "", empty_frame(SourceManifest), SETTINGS, "README.md")


def test_dependencies_are_read_without_their_extras():
    assert direct_dependencies("b[x]==2\na==1\n") == ["a", "b"]
