"""All spells of a person, not the first alone: does engagement that starts again end alike in both arms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.engagement import CONTRAST
from ratebook.engagement.frame import DAY, engaged_persons
from ratebook.engagement.model_rows import Study, arm_row
from ratebook.engagement.resampling import cluster_codes


def all_spells(
    cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str], spell_gap_days: int
) -> pd.DataFrame:
    """Give one row per spell with the arm's own program, censored as first spells are.

    Returns
    -------
    DataFrame
        The columns of `engaged_persons` with `spell` and `start_days`: days from the first spell's first contact
        to this one's; ordered by person and spell.
    """
    parts = [
        engaged_persons(cohort, spells[spells.spell == number].assign(spell=1), end_reasons, spell_gap_days).assign(
            spell=number
        )
        for number in sorted(spells.spell.unique())
    ]
    if not parts:
        return engaged_persons(cohort, spells, end_reasons, spell_gap_days).assign(spell=1, start_days=0.0)
    rows = pd.concat(parts, ignore_index=True).sort_values(["person_id", "spell"], kind="stable", ignore_index=True)
    start = rows.first_date - rows.groupby("person_id").first_date.transform("min")
    return rows.assign(start_days=start / DAY)


def recurrent_rows(
    study: Study, cohort: pd.DataFrame, spells: pd.DataFrame, end_reasons: dict[str, str], spell_gap_days: int
) -> list[dict]:
    """Compare the arms' hazards over all spells of a person.

    `andersen_gill` counts days since the first contact; between spells nobody is at risk. `pwp_gap_time`
    (Prentice, Williams and Peterson) starts the clock with each spell, and the n-th spells have a hazard of their
    own. Persons' spells are alike and lie within providers, by whom errors are clustered. `events` counts persons
    whose first spell ended, as in the other models.

    References
    ----------
    methods.md, C4: recurrent spells.
    """
    rows = all_spells(cohort, spells, end_reasons, spell_gap_days)
    persons = study.persons
    place = pd.Series(np.arange(len(persons)), index=persons.person_id).reindex(rows.person_id)
    rows = rows[place.notna().to_numpy()]
    place = place.dropna().to_numpy(int)
    event = (rows.role == "event").to_numpy()
    cluster = cluster_codes(persons.provider_id)[place]
    start, days = rows.start_days.to_numpy(), rows.days.to_numpy()
    processes = {
        "andersen_gill": (start + days, {"entry": start}),
        "pwp_gap_time": (days, {"strata": rows.spell.to_numpy()}),
    }
    found = [
        arm_row(f"{model}{name}", CONTRAST, persons, stop, event, design.iloc[place], cluster, **process)
        for model, (stop, process) in processes.items()
        for name, design in study.designs.items()
    ]
    # Ends beyond those of first spells may be few: beside the other models their number would come out by subtraction.
    return [{**row, "events": int(study.event.sum())} for row in found]
