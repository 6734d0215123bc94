"""A door that fails says one line that holds no data."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ratebook.errors import RatebookError
from ratebook.steps import step


@pytest.fixture
def snakemake(tmp_path):
    engine = {"name": "duckdb", "memory": "1GB", "scratch": ""}
    return SimpleNamespace(
        log=[str(tmp_path / "logs" / "rule.log")], config={"engine": engine}, threads=1, rule="rule"
    )


def fail_with(error):
    def main(snakemake):
        raise error

    return main


def test_the_message_of_a_foreign_error_is_withheld(snakemake, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        step(fail_with(ValueError("person 4711 paid 12.34")), snakemake)
    text = (tmp_path / "logs" / "rule.log").read_text()
    assert "ValueError" in text and "test_steps.py" in text
    assert "4711" not in text + str(stopped.value)


def test_the_message_of_our_own_error_is_shown(snakemake, tmp_path):
    with pytest.raises(SystemExit, match=r"set intake\.source"):
        step(fail_with(RatebookError("set intake.source")), snakemake)
    assert "set intake.source" in (tmp_path / "logs" / "rule.log").read_text()


def test_a_finished_step_logs_its_seconds(snakemake, tmp_path):
    step(lambda snakemake: None, snakemake)
    assert "done in" in (tmp_path / "logs" / "rule.log").read_text()
