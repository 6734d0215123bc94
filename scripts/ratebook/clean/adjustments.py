"""What can only be said of a line beside its neighbours: copies, chains of adjustments, header amounts.

Few lines are copied, adjusted or paid at the header. They are found by grouping all lines once; everything that
needs windows is done on those few, and the result is a small table the lines are joined with.
"""

from __future__ import annotations

import functools

import ibis

from ratebook.clean.chains import find_ends
from ratebook.clean.lines import MONEY_ONLY, denial_rule, record_rule, unite_lines
from ratebook.contracts.clean import AdjustedLines
from ratebook.money import upto

ADDITIVE = ("late_charge", "interim")
RANKS = (("original", 0), ("resubmission", 1), ("replacement", 2), ("void", 3))
"""Which of two records of one day came later."""
CLAIM = ["source_table", "claim_id"]
RECORD = [*CLAIM, "adjustment", "paid_date"]
KEYS = [
    *RECORD,
    "claim_line_number",
    "original_claim_id",
    "claim_type",
    "header_paid_amount",
    "raw_usd",
    "source_file",
]
NOT_CONTENT = ("source_file", "load_sequence", "source_table", "adjustment", "raw_usd")


def build_adjustments(
    medical: ibis.Table, pharmacy: ibis.Table, repeated_header_share: float, include_gross_adjustments: bool
) -> ibis.Table:
    """Say of each line that is not judged by its own cells alone which rule takes it, and what it is paid.

    1. Of byte-identical lines the first loaded stays (A3.1); lines with one key and different content go (A3.2).
    2. Claims that void, replace or resubmit one another are one family. Its records are ordered by paid date,
       then original, resubmission, replacement, void, then load; the last one stands, a void leaves nothing
       (A5.3). Interim bills and late charges add to a family, and only a void or replacement of them ends them.
    3. Gross credits are money back, gross debits money out (A5.4); they are no service.
    4. Header and line amounts are never both counted (A7): see `_with_paid`.

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
        Raw lines.
    repeated_header_share : float
        From this share of one file's multi-line institutional claims with one non-zero amount on every line,
        the amount is the header's.
    include_gross_adjustments : bool
        Gross adjustments count as cost; else rule A5.4 takes them.

    Returns
    -------
    AdjustedLines

    References
    ----------
    methods.md, A3, A5 and A7.
    """
    keys = unite_lines(medical, pharmacy, KEYS)
    records = _sum_records(keys)
    files = _repeated_files(records, repeated_header_share)
    lines = unite_lines(medical, pharmacy).semi_join(_suspects(keys, records, files), CLAIM)
    lines = _with_copies(lines)
    lines = _with_chains(lines, include_gross_adjustments)
    lines = _with_paid(lines, files)
    lines = _with_line_number(lines)
    told = (
        lines.rule_id.notnull()
        | lines.amount_rule_id.notnull()
        | (lines.family_id != lines.claim_id)
        | ~lines.line_number.identical_to(lines.claim_line_number)
    )
    return lines.filter(told).select(*AdjustedLines.types())


def _sum_records(lines: ibis.Table) -> ibis.Table:
    """Sum each record of a claim, where a header amount may matter."""
    headed = lines.filter(lines.header_paid_amount.notnull() | (lines.claim_type == "institutional"))
    return headed.group_by(RECORD).agg(
        lines=headed.count(),
        is_institutional=(headed.claim_type == "institutional").any(),
        first_line=headed.claim_line_number.min(),
        last_line=headed.claim_line_number.max(),
        least_usd=headed.raw_usd.min(),
        most_usd=headed.raw_usd.max(),
        line_usd=headed.raw_usd.sum(),
        header_usd=headed.header_paid_amount.max(),
        source_file=headed.source_file.max(),
    )


def _repeated_files(records: ibis.Table, share: float) -> ibis.Table:
    """List the files whose institutional claims repeat the header's amount on every line."""
    several = (records.lines > 1) & (records.first_line != records.last_line).fill_null(True)
    multiple = records.filter(records.is_institutional & several)
    same = (multiple.least_usd == multiple.most_usd) & (multiple.most_usd != 0)
    by_file = multiple.group_by("source_file").agg(claims=multiple.count(), same=same.cast("int64").sum())
    return by_file.filter(by_file.same >= by_file.claims * share).select(
        repeating_file=by_file.source_file.fill_null("")
    )


def _suspects(lines: ibis.Table, records: ibis.Table, files: ibis.Table) -> ibis.Table:
    """List the claims that need a look beyond the single line."""
    keys = lines.group_by([*CLAIM, "claim_line_number"]).agg(copies=lines.count())
    repeated = keys.filter((keys.copies > 1) | keys.claim_line_number.isnull())
    adjusted = lines.filter((lines.adjustment != "original") | lines.original_claim_id.notnull())
    targets = adjusted.select("source_table", claim_id="original_claim_id")
    differing = records.filter((records.header_usd - records.line_usd).abs() > 0.01)
    repeating = records.filter(records.is_institutional, records.lines > 1, records.least_usd == records.most_usd)
    repeating = repeating.semi_join(files, repeating.source_file.fill_null("") == files.repeating_file)
    parts = [part.select(CLAIM) for part in (repeated, adjusted, targets, differing, repeating)]
    return functools.reduce(lambda a, b: a.union(b), parts).distinct()


def _with_copies(lines: ibis.Table) -> ibis.Table:
    """Mark identical and conflicting copies; `is_open` says no rule has taken the line so far."""
    cells = [lines[name].cast("string").fill_null("") for name in lines.columns if name not in NOT_CONTENT]
    content = functools.reduce(lambda a, b: a + "|" + b, cells)
    same = ibis.window(group_by=[*CLAIM, content], order_by="load_sequence")
    lines = lines.mutate(early=record_rule(lines), denied=denial_rule(lines), is_copy=ibis.row_number().over(same) > 0)
    is_open = lines.early.isnull() & lines.denied.isnull() & ~lines.is_copy
    lines = lines.mutate(is_open=is_open)
    key = ibis.window(group_by=[*RECORD, "original_claim_id", "claim_line_number"])
    contends = lines.is_open & lines.claim_line_number.notnull() & lines.adjustment.notin(MONEY_ONLY)
    lines = lines.mutate(contends=contends)
    rivals = lines.contends.cast("int64").sum().over(key)
    conflicting = lines.contends & (rivals > 1)
    return lines.mutate(
        rule_id=ibis.cases((lines.is_copy, "A3.1"), (conflicting, "A3.2"), else_=ibis.null("string")),
        is_open=lines.is_open & ~conflicting,
    )


def _with_chains(lines: ibis.Table, include_gross_adjustments: bool) -> ibis.Table:
    """Find the final record of each family of claims."""
    node = lines.source_table + " " + lines.claim_id
    lines = lines.mutate(node=node, target=lines.source_table + " " + lines.original_claim_id)
    runs = lines.filter(lines.is_open & lines.adjustment.notin(MONEY_ONLY))
    records = runs.group_by([*RECORD, "node"]).agg(sequence=runs.load_sequence.min(), target=runs.target.min())
    pointing = records.filter(records.adjustment.notin(ADDITIVE), records.target.notnull())
    ends = find_ends(pointing.select(id="node", next_id="target")).rename(end_of="id")
    records = records.left_join(ends, records.node == ends.end_of).select(records, "end_id")
    records = records.mutate(family=ibis.coalesce(records.end_id, records.node))
    records = _with_verdict(records)
    verdicts = records.select(
        at_node="node",
        at_adjustment="adjustment",
        at_date=_text(records.paid_date),
        verdict="verdict",
        reversed_date="reversed_date",
        family="family",
        is_orphan_replacement="is_orphan_replacement",
    )
    same = [
        lines.node == verdicts.at_node,
        lines.adjustment == verdicts.at_adjustment,
        _text(lines.paid_date) == verdicts.at_date,
        lines.is_open,
    ]
    joined = lines.left_join(verdicts, same)
    lines = joined.select(lines, "verdict", "reversed_date", "family", "is_orphan_replacement")
    money = ibis.literal(not include_gross_adjustments) & lines.is_open & lines.adjustment.isin(MONEY_ONLY)
    taken = ibis.coalesce(lines.verdict, ibis.ifelse(money, "A5.4", ibis.null("string")))
    return lines.mutate(
        rule_id=ibis.coalesce(lines.rule_id, taken),
        is_open=lines.is_open & taken.isnull(),
        family_id=ibis.coalesce(lines.family.re_replace("^[a-z_]+ ", ""), lines.claim_id),
        is_orphan_replacement=lines.is_orphan_replacement.fill_null(False),
    )


def _with_verdict(records: ibis.Table) -> ibis.Table:
    """Order each family's records and say what became of each: what comes next decides."""
    family = ibis.window(group_by="family")
    # A record with no paid date is as late as the latest of its family: its kind decides.
    records = records.mutate(
        day=ibis.coalesce(records.paid_date, records.paid_date.max().over(family)),
        rank=records.adjustment.cases(*RANKS, else_=0),
        stands=(records.adjustment != "void").cast("int64").sum().over(family),
    )
    in_order = ibis.window(group_by="family", order_by=["day", "rank", "sequence"])
    records = records.mutate(place=ibis.row_number().over(in_order))
    told = records.place.cast("string").lpad(6, "0") + records.adjustment.substr(0, 1) + _text(records.paid_date)
    adds = records.adjustment.isin(ADDITIVE)
    ends_any = records.adjustment.isin(["void", "replacement", "resubmission"])
    none = ibis.null("string")
    records = records.mutate(told_chain=ibis.ifelse(adds, none, told), told_end=ibis.ifelse(ends_any, told, none))
    later = ibis.window(group_by="family", order_by="place", rows=(1, None))
    next_told = ibis.ifelse(
        records.adjustment.isin(ADDITIVE),
        records.told_end.min().over(later),
        records.told_chain.min().over(later),
    )
    records = records.mutate(next_told=next_told)
    next_is_void = records.next_told.substr(6, 1) == "v"
    is_void = records.adjustment == "void"
    return records.mutate(
        verdict=ibis.cases(
            (is_void & (records.stands == 0), "A5.5"),
            (is_void | next_is_void, "A5.3a"),
            (records.next_told.notnull(), "A5.3b"),
            else_=none,
        ),
        reversed_date=records.next_told.substr(7).nullif("").cast("date"),
        is_orphan_replacement=(records.adjustment == "replacement") & (records.place == 0),
    )


def _with_paid(lines: ibis.Table, files: ibis.Table) -> ibis.Table:
    """Give each line its paid amount where the header's and the lines' differ.

    - An amount repeated on every line (in a file that does so, or equal to the claim's own header amount) is the
      header's: it is counted once (A7.4).
    - Lines all zero under a header paid more: the header's amount is spread (A7.1).
    - Some lines denied: the lines stand.
    - Both positive and different: the header's amount is spread over an institutional claim's lines (A7.3), the
      lines of a professional claim stand.

    Amounts are spread in proportion to allowed, else charges, else units, else evenly, over the lines no rule has
    taken, or over all where none is left; they sum to the header's amount to the cent.
    """
    joined = lines.left_join(files, lines.source_file.fill_null("") == files.repeating_file)
    lines = joined.select(lines, in_repeating_file=files.repeating_file.notnull())
    record = ibis.window(group_by=RECORD)

    def count(flag: ibis.Value) -> ibis.Value:
        return flag.cast("int64").sum().over(record)

    zero = ibis.literal(0).cast("decimal(14, 2)")
    lines = lines.mutate(
        own_lines=count(~lines.is_copy),
        open_lines=count(lines.is_open),
        denied_lines=count(lines.denied == "A4.2"),
        least_usd=lines.raw_usd.min().over(record),
        most_usd=lines.raw_usd.max().over(record),
        header_usd=lines.header_paid_amount.max().over(record),
        open_usd=ibis.ifelse(lines.is_open, lines.raw_usd, zero).sum().over(record),
    )
    institutional = lines.claim_type == "institutional"
    repeated = (lines.own_lines > 1) & (lines.least_usd == lines.most_usd) & (lines.most_usd != 0)
    repeated &= (institutional & lines.in_repeating_file) | (lines.header_usd == lines.most_usd).fill_null(False)
    differs = lines.is_open & ((lines.header_usd - lines.open_usd).abs() > 0.01).fill_null(False)
    unpriced = differs & (lines.open_usd == 0) & (lines.header_usd > 0) & (lines.denied_lines == 0)
    conflict = differs & institutional & (lines.open_usd > 0) & (lines.header_usd > 0) & (lines.denied_lines == 0)
    lines = lines.mutate(
        header_rule=ibis.cases(
            (repeated & lines.early.isnull(), "A7.4"),
            (unpriced, "A7.1"),
            (conflict, "A7.3"),
            else_=ibis.null("string"),
        )
    )
    lines = _with_weight(lines)
    whole = ibis.ifelse(lines.header_rule == "A7.4", lines.most_usd, lines.header_usd)
    so_far = lines.weight.sum().over(ibis.window(group_by=RECORD, order_by="load_sequence", rows=(None, 0)))
    total = lines.weight.sum().over(record)
    lines = lines.mutate(whole=whole, so_far=so_far, total=total)
    share = upto(lines.whole, lines.so_far, lines.total) - upto(lines.whole, lines.so_far - lines.weight, lines.total)
    signed = lines.raw_usd.abs() * ibis.ifelse(lines.adjustment == "gross_debit", 1, -1)
    is_money = lines.adjustment.isin(MONEY_ONLY) & lines.early.isnull() & lines.denied.isnull() & ~lines.is_copy
    turned = is_money & (signed != lines.raw_usd)
    return lines.mutate(
        amount_rule_id=ibis.cases(
            (turned, "A5.4"), (lines.header_rule.notnull(), lines.header_rule), else_=ibis.null("string")
        ),
        paid_usd=ibis.cases(
            (turned, signed.cast("decimal(14, 2)")),
            (lines.header_rule.notnull(), share.cast("decimal(14, 2)")),
            else_=lines.raw_usd,
        ),
    )


def _with_weight(lines: ibis.Table) -> ibis.Table:
    record = ibis.window(group_by=RECORD)
    bears = lines.is_open | ((lines.open_lines == 0) & ~lines.is_copy)
    none = ibis.literal(0).cast("int64")

    def weigh(amount: ibis.Value) -> ibis.Value:
        return ibis.ifelse(bears, ibis.greatest((amount.fill_null(0) * 100).cast("int64"), 0), none)

    own = ibis.ifelse(lines.header_rule == "A7.3", lines.raw_usd, ibis.null("decimal(14, 2)"))
    lines = lines.mutate(
        by_paid=weigh(own),
        by_allowed=weigh(lines.allowed_amount),
        by_charge=weigh(lines.charge_amount),
        by_units=weigh(lines.service_unit_quantity),
        by_line=ibis.ifelse(bears, none + 1, none),
    )
    ways = [lines.by_paid, lines.by_allowed, lines.by_charge, lines.by_units]
    return lines.mutate(weight=ibis.cases(*[(way.sum().over(record) > 0, way) for way in ways], else_=lines.by_line))


def _with_line_number(lines: ibis.Table) -> ibis.Table:
    """Number the lines of a claim anew where their own numbers are missing or repeat."""
    among = ibis.window(group_by=[*CLAIM, "is_open", "claim_line_number"])
    lines = lines.mutate(twins=lines.count().over(among))
    claim = ibis.window(group_by=[*CLAIM, "is_open"])
    lines = lines.mutate(
        unclear=((lines.twins > 1) | lines.claim_line_number.isnull()).cast("int64").max().over(claim),
        anew=ibis.row_number().over(
            ibis.window(group_by=[*CLAIM, "is_open"], order_by=["claim_line_number", "load_sequence"])
        )
        + 1,
    )
    return lines.mutate(
        line_number=ibis.ifelse(lines.is_open & (lines.unclear == 1), lines.anew, lines.claim_line_number)
    )


def _text(date: ibis.Value) -> ibis.Value:
    return date.cast("string").fill_null("")
