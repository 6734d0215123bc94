"""Who is who: ids to persons, and one row of demographics a person."""

from __future__ import annotations

import ibis

from ratebook.clean.groups import find_ends
from ratebook.tables import hold

PLACEHOLDER = "&"
"""Ids that begin so are unverified placeholders; CMS leaves them out of its annual files."""
SEXES = (("f", "female"), ("female", "female"), ("m", "male"), ("male", "male"))


LONG_AGO, FAR_OFF = ibis.date("1900-01-01"), ibis.date("9999-12-31")


def build_identity(members: ibis.Table, eligibility: ibis.Table, crosswalk: ibis.Table) -> ibis.Table:
    """Give every id of a known person the person it belongs to: the end of the crosswalk's chain.

    A person is known where any id of the chain stands in `members` or `eligibility`. An id the crosswalk sends to
    several persons in periods that do not overlap was used again: it belongs to each in turn, and to nobody between.
    Where they overlap it is followed to none and stands for itself. Placeholders belong to nobody.

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
    forks = _forks(pointers)
    ends = hold(find_ends(pointers.anti_join(forks, "id").select("id", "next_id")))
    used_again = pointers.semi_join(forks.filter(~forks.overlap), "id")
    following = ends.select(mid_id="id", mid_end="end_id")
    used_again = used_again.left_join(following, used_again.next_id == following.mid_id)
    used_again = used_again.mutate(end_id=ibis.coalesce(used_again.mid_end, used_again.next_id))
    always = {"valid_from": LONG_AGO, "valid_to": FAR_OFF}
    chained = (
        ends.anti_join(used_again, "id")
        .select("id", "end_id", **always)
        .union(used_again.select("id", "end_id", "valid_from", "valid_to"))
    )
    known_ends = chained.semi_join(known, "id").select(known_id="end_id").union(known.select(known_id="id")).distinct()
    chained = chained.semi_join(known_ends, chained.end_id == known_ends.known_id)
    alone = known.anti_join(chained, "id").select("id", end_id="id", **always)
    return chained.union(alone).select("valid_from", "valid_to", source_person_id="id", person_id="end_id")


def with_person(rows: ibis.Table, identity: ibis.Table, day: ibis.Value) -> ibis.Table:
    """Put the person on rows that bear a source's id: `source_person_id` is the id as it stands, `person_id` the person.

    Parameters
    ----------
    rows : ibis.Table
        With `person_id` as the source writes it.
    identity : ibis.Table
        `Identity`, with further columns of the person if need be; all but its own are added to the rows.
    day : ibis.Value
        Day the row speaks of: an id used again belongs to whom it belonged then. Rows without a day find only ids
        that were never used again.
    """
    rows = rows.mutate(day_of_id=day.fill_null(LONG_AGO)).rename(source_person_id="person_id")
    found = identity.rename(known_id="source_person_id")
    same = [
        rows.source_person_id == found.known_id,
        rows.day_of_id >= found.valid_from,
        rows.day_of_id <= found.valid_to,
    ]
    joined = rows.left_join(found, same)
    return joined.drop("known_id", "valid_from", "valid_to", "day_of_id")


def count_split_ids(crosswalk: ibis.Table) -> ibis.Table:
    """Count the ids the crosswalk sends elsewhere, and of these the ids it sends to two persons at once, in one row."""
    pointers = _pointers(crosswalk)
    forks = _forks(pointers)
    split = forks.filter(forks.overlap).aggregate(split_ids=lambda t: t.count())
    return pointers.aggregate(crosswalk_ids=pointers.id.nunique()).cross_join(split)


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
    # A member record bears no day: of an id used again it cannot be said whose it is.
    owners = identity.filter(identity.valid_from == LONG_AGO, identity.valid_to == FAR_OFF)
    owners = owners.select(owner_id="source_person_id", key="person_id")
    records = members.join(owners, members.person_id == owners.owner_id)
    records = records.mutate(sex=records.sex.lower().cases(*SEXES, else_=ibis.null("string")))
    persons = identity.select("person_id").distinct()
    for column in ("birth_date", "death_date"):
        persons = _with_modal(persons, records, column, None)
    for column in ("sex", "race", "county", "region", "state"):
        persons = _with_modal(persons, records, column, "unknown")
    return persons


def _pointers(crosswalk: ibis.Table) -> ibis.Table:
    pointers = crosswalk.select(
        id="source_person_id",
        next_id="person_id",
        valid_from=crosswalk.valid_from.fill_null(LONG_AGO),
        valid_to=crosswalk.valid_to.fill_null(FAR_OFF),
    ).distinct()
    return pointers.filter(_is_id(pointers.id), _is_id(pointers.next_id), pointers.id != pointers.next_id)


def _forks(pointers: ibis.Table) -> ibis.Table:
    """List the ids that point to several others, and whether they do so on one day: `id`, `overlap`."""
    in_order = ibis.window(group_by="id", order_by=["valid_from", "valid_to", "next_id"])
    meets = pointers.valid_from <= pointers.valid_to.lag().over(in_order)
    meets = pointers.mutate(meets=meets.fill_null(False))
    forks = meets.group_by("id").agg(targets=meets.next_id.nunique(), overlap=meets.meets.any())
    return forks.filter(forks.targets > 1)


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
