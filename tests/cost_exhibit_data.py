"""Exhibits of cost for tests: of the random program and of GT-13, with a ledger of cost outside claims."""

from __future__ import annotations

import pandas as pd

from cost_data import SETTINGS as USUAL
from cost_data import paradox_tables
from ratebook.contracts.cost import OutsideCosts
from ratebook.cost.drawn import draw_arms
from ratebook.cost.exhibits import derive_exhibits

SETTINGS = USUAL | {"boot_reps": 40, "hybrid": {"per_episode_usd": 300.0, "per_month_usd": 150.0}}


def outside(*rows) -> pd.DataFrame:
    """Draw the ledger: program, perspective, dollars per client."""
    frame = pd.DataFrame(rows, columns=["program", "perspective", "client_usd"])
    item = [f"item {n}" for n in range(len(frame))]
    return frame.assign(item=item, amount_usd=0.0, persons=500, reason=None)[list(OutsideCosts.types())]


LEDGER = outside(("RSN", "payer", 100.0), ("RSN", "payer", 50.0), ("CSP", "provider", 31.25))


def draw_people(people):
    """Draw both arms by the usual settings: the fixture `drawn` of the files that ask for it."""
    return draw_arms(*people, SETTINGS)


def exhibits_of(drawn):
    """Derive the exhibits of drawn arms, with the ledger: the fixture `made`."""
    return derive_exhibits(drawn, LEDGER)


def paradox_exhibits():
    """Derive the exhibits of GT-13, with the ledger: the fixture `paradox`."""
    return exhibits_of(draw_people(paradox_tables()))
