"""Who is who: ids to persons, and one row of demographics a person."""

from __future__ import annotations

import ibis

from ratebook.clean.chains import find_ends

PLACEHOLDER = "&"
"""Ids that begin so are unverified placeholders; CMS leaves them out of its annual files."""
SEXES = (("f", "female"), ("female", "female"), ("m", "male"), ("male", "male"))


def build_identity(members: ibis.Table, eligibility: ibis.Table, crosswalk: ibis.Table) -> ibis.Table:
    """Give every id of a known person the person it belongs to: the end of the crosswalk's chain.

    A person is known where any id of the chain stands in `members` or `eligibility`. An id the crosswalk sends
    to two persons is followed to neither and stands for itself. Placeholders belong to nobody.

    Returns
    -------
    Identity

    References
    ----------
    methods.md, A2.
    """
    known = members.select(id="person_id").union(eligibility.select(id="person_id"), distinct=True)
    known = known.filter(_is_id(known.id))
    pointers = _pointers(crosswalk)
    ends = find_ends(pointers.anti_join(_split_ids(pointers), "id"))
    alone = known.anti_join(ends, "id").select(source_person_id="id", person_id="id")
    known_ends = ends.semi_join(known, "id").select(known_id="end_id").distinct()
    chained = ends.semi_join(known_ends, ends.end_id == known_ends.known_id).select(
        source_person_id="id", person_id="end_id"
    )
    return chained.union(alone)


def count_split_ids(crosswalk: ibis.Table) -> ibis.Table:
    """Count the ids the crosswalk sends elsewhere, and of these the ids it sends to two persons, in one row."""
    targets = _targets(_pointers(crosswalk))
    return targets.aggregate(
        crosswalk_ids=targets.count(), split_ids=(targets.targets > 1).cast("int64").sum().fill_null(0)
    )


def build_persons(members: ibis.Table, identity: ibis.Table) -> ibis.Table:
    """Give each person the demographics most of their records agree on; of equally frequent values the last.

    A person whose only record is one of eligibility has demographics unknown.

    Returns
    -------
    Persons

    References
    ----------
    methods.md, A2.5.
    """
    owners = identity.select(owner_id="source_person_id", key="person_id")
    records = members.join(owners, members.person_id == owners.owner_id)
    records = records.mutate(sex=records.sex.lower().cases(*SEXES, else_=ibis.null("string")))
    persons = identity.select("person_id").distinct()
    for column in ("birth_date", "death_date"):
        persons = _with_modal(persons, records, column, None)
    for column in ("sex", "race", "county", "region", "state"):
        persons = _with_modal(persons, records, column, "unknown")
    return persons


def _pointers(crosswalk: ibis.Table) -> ibis.Table:
    pointers = crosswalk.select(id="source_person_id", next_id="person_id").distinct()
    return pointers.filter(_is_id(pointers.id), _is_id(pointers.next_id), pointers.id != pointers.next_id)


def _split_ids(pointers: ibis.Table) -> ibis.Table:
    return _targets(pointers).filter(ibis._.targets > 1)


def _targets(pointers: ibis.Table) -> ibis.Table:
    return pointers.group_by("id").agg(targets=pointers.count())


def _with_modal(persons: ibis.Table, records: ibis.Table, column: str, missing: str | None) -> ibis.Table:
    """Add the value most records of a person hold: counts as text of one width, so that the largest text wins."""
    value = records[column].cast("string")
    stated = records.mutate(value=value).filter(value.notnull())
    counted = stated.group_by("key", "value").agg(n=stated.count())
    ranked = counted.mutate(ranked=counted.n.cast("string").lpad(9, "0") + counted.value)
    modal = ranked.group_by("key").agg(modal=ranked.ranked.max())
    joined = persons.left_join(modal, persons.person_id == modal.key)
    found = joined.modal.substr(9).cast(records[column].type())
    return joined.select(persons, **{column: found if missing is None else found.fill_null(missing)})


def _is_id(value: ibis.Value) -> ibis.Value:
    return value.notnull() & ~value.startswith(PLACEHOLDER)
