"""Programs as data: a file that is wrong is refused, the documentation's example is one, and the core knows none."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import NAMES, SETTINGS, groups, program
from ratebook.errors import RatebookError
from ratebook.programs.definitions import read_program
from ratebook.programs.rates import derive_program_rates

CORE = ROOT / "scripts" / "ratebook"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"discuont": 0.05}, "discuont", id="an unknown key"),
        pytest.param({"population": {"age": {"min": 65}}}, "no column of the name age", id="an unknown column"),
        pytest.param(
            {"liability": {"window": "first_days", "enrolled_in_nf": "plan"}}, "days", id="a window without days"
        ),
        pytest.param({"covers": ["X"]}, "covers", id="an unknown mark"),
        pytest.param({"program": "unheard_of"}, "has no column", id="a program the scope does not know"),
    ],
)
def test_a_program_file_that_is_wrong_is_refused_and_says_where(tmp_path, change, message):
    source = yaml.safe_load((ROOT / "workflow/programs/msho.yaml").read_text())
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(source | change))
    schema = yaml.safe_load((ROOT / "workflow/schemas/program.schema.yaml").read_text())
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False)
    with pytest.raises(RatebookError, match=message):
        read_program(str(tmp_path / "mine.yaml"), schema, scope, SETTINGS, {})


def test_a_discount_of_a_half_or_more_does_not_pass_the_schema(tmp_path):
    text = (ROOT / "workflow/programs/ccn.yaml").read_text().replace("discounts: [0.02]", "discounts: [0.98]")
    (tmp_path / "mine.yaml").write_text(text)
    schema = yaml.safe_load((ROOT / "workflow/schemas/program.schema.yaml").read_text())
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False)
    with pytest.raises(RatebookError, match=r"mine\.yaml: schemes"):
        read_program(str(tmp_path / "mine.yaml"), schema, scope, SETTINGS, {})


def test_the_core_knows_no_program_and_no_state():
    states = {scheme["state"] for name in NAMES for scheme in program(name)["schemes"]}
    words = "|".join([*NAMES, r"star\W?plus", *states])
    files = [*sorted((CORE / "programs").glob("*.py")), CORE / "contracts/programs.py"]
    files += sorted((ROOT / "scripts/programs").glob("*.py"))
    assert len(files) > 10
    for file in files:
        assert not re.findall(rf"\b(?:{words})\b", file.read_text(), re.IGNORECASE), file.name


def test_the_example_in_the_documentation_is_a_program(tmp_path):
    text = (ROOT / "docs/programs.md").read_text().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "mine.yaml").write_text(text)
    schema = yaml.safe_load((ROOT / "workflow/schemas/program.schema.yaml").read_text())
    scope = pd.read_csv(ROOT / "workflow/programs/benefit_scope.csv", keep_default_na=False).assign(mine="C")
    mine = read_program(str(tmp_path / "mine.yaml"), schema, scope, SETTINGS, {})
    drawn = "enrolled | home/75_84 | 10 |\nnursing_facility | all | 10 | nf_gross=2400\nwaiver | all | 10 | meals=1000"
    rate = derive_program_rates(groups("mine", "all", drawn), [mine], 365, 2).set_index("cell").rate_usd
    assert rate["home/75_84"] == pytest.approx(0.95 * (0.6 * 2400 + 0.4 * 1000) + 13)
