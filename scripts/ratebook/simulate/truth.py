"""What was planted, as JSON."""

from __future__ import annotations

from collections import Counter

from ratebook.simulate.setup import Setup


def describe_truth(setup: Setup, total: Counter, faults: dict) -> dict:
    """Describe what was planted."""
    return {"seed": setup.settings["seed"], "faults": {kind: sorted(ids) for kind, ids in sorted(faults.items())}}
