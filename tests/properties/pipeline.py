"""The rules of intake, cleaning and exposure, run in one process as Snakemake runs them, on files of one's own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

from conftest import ROOT
from ratebook.steps import step

STAGES = ("intake", "clean", "exposure")


class Named(dict):
    """Names and values that are read as Snakemake's are: by attribute, by name, by items."""

    __getattr__ = dict.__getitem__


def read_rules(config: dict, names: tuple[str, ...] = ()) -> list:
    """List rules in their order, as a config that overrides ours makes them: those named, else all that read, clean and count."""
    with SnakemakeApi(OutputSettings(quiet=set())) as api:
        config, resources = ConfigSettings(config=config), ResourceSettings(cores=1)
        project = api.workflow(
            resource_settings=resources, config_settings=config, snakefile=ROOT / "Snakefile", workdir=ROOT
        )
        workflow = project._workflow
        return [
            SimpleNamespace(
                name=rule.name,
                input=Named(rule.input.items()),
                output=Named(rule.output.items()),
                params=Named(rule.params.items()),
                door=_read_door(rule.name, ROOT / "workflow/rules" / rule.script),
                config=workflow.config,
            )
            for rule in workflow.rules
            if (rule.name in names if names else Path(rule.script or "x/x").parts[-2] in STAGES)
        ]


def run_rule(rule, folder: Path, **changes) -> None:
    """Run one rule's door through `step`, its files in `folder`; the project's own files stay where they are."""
    asked = changes.get("params", {})
    step(
        rule.door.main,
        SimpleNamespace(
            rule=rule.name,
            threads=1,
            config=rule.config,
            log=[str(folder / "logs" / f"{rule.name}.log")],
            input=Named({name: _place(path, folder) for name, path in rule.input.items()} | changes.get("input", {})),
            output=Named({name: str(folder / path) for name, path in rule.output.items()}),
            params=Named(rule.params | {name: value for name, value in asked.items() if name in rule.params}),
        ),
    )


def _place(path: str | list[str], folder: Path) -> str | list[str]:
    if not isinstance(path, str):
        return [_place(one, folder) for one in path]
    return str(folder / path) if path.startswith("results/") else str(ROOT / path)


def _read_door(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(f"door_{name}", path.resolve())
    door = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(door)
    return door
