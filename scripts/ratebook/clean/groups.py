"""Ids that point to one another, over however many steps: one group, with one end."""

from __future__ import annotations

import ibis

from ratebook.tables import hold, settle


def find_ends(pointers: ibis.Table) -> ibis.Table:
    """Put ids that point to one another, over however many steps, into one group, and name its end.

    The end is the id that points nowhere; of several the smallest; where there is none, because the ids point in a
    circle, the smallest id that another points to.

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
    methods.md, A2.2 and A5.1: connected components, by the smallest label among neighbours until none is smaller.
    """
    pointers = pointers.filter(pointers.id.notnull(), pointers.next_id.notnull(), pointers.id != pointers.next_id)
    arrows = hold(pointers.select("id", "next_id").distinct())
    both = arrows.mutate(way=ibis.literal("on")).union(
        arrows.select(id="next_id", next_id="id", way=ibis.literal("back"))
    )

    def lower(labels: ibis.Table) -> ibis.Table:
        """Take the smallest label among an id and its neighbours, and then that id's own label."""
        near = labels.select(near_id="id", near_label="label")
        beside = both.join(near, both.next_id == near.near_id)
        least = beside.group_by("id").agg(least=beside.near_label.min())
        joined = labels.join(least, "id").mutate(low=lambda t: ibis.least(t.label, t.least))
        jump = labels.select(jump_id="id", jump_label="label")
        joined = joined.join(jump, joined.low == jump.jump_id)
        label = ibis.least(joined.low, joined.jump_label)
        return joined.select("id", "is_onward", "is_target", label=label, is_changed=label != joined.label)

    ids = both.group_by("id").agg(is_onward=(both.way == "on").any(), is_target=(both.way == "back").any())
    labels = settle(ids.mutate(label="id", is_changed=ibis.literal(True)), lower)
    group = ibis.window(group_by="label")
    none = ibis.null("string")
    last = ibis.ifelse(labels.is_onward, none, labels.id).min().over(group)
    circled = ibis.ifelse(labels.is_target, labels.id, none).min().over(group)
    return labels.select("id", end_id=ibis.coalesce(last, circled))
