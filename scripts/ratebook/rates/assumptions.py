"""The numbers of a rate that are not counted from the data: listed, and refused where they only stand in."""

from __future__ import annotations

import pandas as pd

from ratebook.contracts.rates import Assumptions
from ratebook.settings import refuse_stand_ins, walk_assumptions
from ratebook.tables import empty_frame


def list_assumptions(settings: dict, data_note: str, path: str = "rates") -> pd.DataFrame:
    """List every setting that has a value, a unit and a source.

    A source that says so (`settings.STAND_INS`) is a stand-in for demonstration. Data about real services (an empty
    `study.data_note`) refuses it: a rate must not rest on a number nobody chose.

    Returns
    -------
    Assumptions

    Raises
    ------
    RatebookError
        Naming the keys and how to set them, where a stand-in meets real data.

    References
    ----------
    methods.md, Appendix 1.
    """
    rows = list(walk_assumptions(settings, path))
    refuse_stand_ins(rows, data_note)
    return pd.DataFrame(rows, columns=list(Assumptions.types())) if rows else empty_frame(Assumptions)
