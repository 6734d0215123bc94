"""Chains of ids, each pointing to the next: which end does an id come to?"""

from __future__ import annotations

import ibis

DOUBLINGS = 6
"""Each doubling follows twice as many pointers: 6 cover chains of 64."""


def find_ends(pointers: ibis.Table) -> ibis.Table:
    """Follow every id's pointers to the end of its chain.

    An id with several pointers follows the smallest. Ids that point to each other in a circle end at the
    smallest id of the circle. A chain of up to 64 pointers has one end; a longer one may have several.

    Parameters
    ----------
    pointers : ibis.Table
        `id`, `next_id`; an id that is only pointed to need have no row.

    Returns
    -------
    ibis.Table
        `id`, `end_id`: one row per id on either side.

    References
    ----------
    methods.md, A2.2 and A5.1.
    """
    pointers = pointers.filter(pointers.id.notnull(), pointers.next_id.notnull(), pointers.id != pointers.next_id)
    pairs = pointers.select("id", "next_id").union(pointers.select(id="next_id", next_id="next_id"))
    # A root points to itself, and only a root does: any other pointer of an id goes before its own.
    pairs = pairs.mutate(onward=ibis.ifelse(pairs.next_id == pairs.id, ibis.null("string"), pairs.next_id))
    chain = pairs.group_by("id").agg(next_id=pairs.onward.min())
    chain = chain.select("id", next_id=ibis.coalesce(chain.next_id, chain.id))
    chain = chain.mutate(smallest=ibis.least(chain.id, chain.next_id))
    for _ in range(DOUBLINGS):
        ahead = chain.select(ahead_id="id", ahead_next="next_id", ahead_smallest="smallest")
        joined = chain.join(ahead, chain.next_id == ahead.ahead_id).select("id", "smallest", *ahead.columns)
        chain = joined.select("id", next_id="ahead_next", smallest=ibis.least(joined.smallest, joined.ahead_smallest))
    # The end is a root, or lies in a circle whose label is what is smallest on the way once around.
    ends = chain.select(last_id="id", last_next="next_id", last_smallest="smallest")
    joined = chain.join(ends, chain.next_id == ends.last_id).select("id", *ends.columns)
    is_root = joined.last_next == joined.last_id
    return joined.select("id", end_id=ibis.ifelse(is_root, joined.last_id, joined.last_smallest))
