"""The data dictionary, generated from the contracts."""

from __future__ import annotations

import importlib

from ratebook.contracts.base import Contract

STAGES = (
    "intake",
    "clean",
    "quality",
    "exposure",
    "episodes",
    "spells",
    "engagement",
    "navigation",
    "robustness",
    "trial",
    "cost",
    "cost_panels",
    "cost_exhibits",
    "cost_identity",
    "cost_models",
    "rates",
    "rate_trace",
    "case_rates",
    "risk_sharing",
    "rate_uncertainty",
    "programs",
    "review",
)
HEAD = """# Data dictionary

Generated from the contracts in `scripts/ratebook/contracts/` by `python -m ratebook.dictionary`; do not edit. For
every table: what one row is, its key, and every column with its type and meaning. Null is allowed where the type is
followed by `?`. A count of persons is marked *persons*: its released copy hides small counts.
"""


def write_dictionary() -> str:
    """Write every contract of every stage as Markdown, in the order in which data flows."""
    parts = [HEAD]
    for stage in STAGES:
        module = importlib.import_module(f"ratebook.contracts.{stage}")
        parts.append(f"## {stage}\n\n{' '.join((module.__doc__ or '').split())}\n")
        parts += [_describe(contract) for contract in contracts_of(module)]
    return "\n".join(parts)


def contracts_of(module) -> list[type[Contract]]:
    """List a module's own contracts that are tables: those others merely inherit from have no key of their own."""
    own = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Contract)]
    own = [contract for contract in own if contract.__module__ == module.__name__]
    parents = {parent for contract in own for parent in contract.__mro__[1:]}
    return [contract for contract in own if contract not in parents]


def _describe(contract: type[Contract]) -> str:
    grain = " ".join((contract.__doc__ or "").split())
    key = ", ".join(f"`{name}`" for name in contract.Config.unique) or "none"
    lines = [
        f"### {contract.__name__}",
        "",
        grain,
        "",
        f"Key: {key}.",
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    for name, field in contract.fields().items():
        kind = f"{field.type}{'?' if field.nullable else ''}"
        mark = " *persons*" if field.persons else ""
        lines.append(f"| `{name}` | {kind} | {field.description}{mark} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(write_dictionary(), end="")
