"""Header and line amounts: which one counts, and how a header's amount is spread over lines to the cent."""

from __future__ import annotations

import ibis

from ratebook.clean.chains import RECORD
from ratebook.clean.lines import LINE, MONEY_ONLY, with_told
from ratebook.money import upto
from ratebook.tables import fingerprint, hold


def find_repeating_files(keys: ibis.Table, share: float) -> ibis.Table:
    """List the files whose institutional claims repeat the header's amount on every line."""
    records = _sum_records(keys.filter(keys.claim_type == "institutional"))
    several = (records.lines > 1) & (records.first_line != records.last_line).fill_null(True)
    multiple = records.filter(several)
    same = (multiple.least_usd == multiple.most_usd) & (multiple.most_usd != 0)
    by_file = multiple.group_by("source_file").agg(claims=multiple.count(), same=same.cast("int64").sum())
    return by_file.filter(by_file.same >= by_file.claims * share).select(
        repeating_file=by_file.source_file.fill_null("")
    )


def _sum_records(lines: ibis.Table) -> ibis.Table:
    lines = lines.mutate(record=fingerprint(lines, RECORD))
    return lines.group_by("record").agg(
        lines=lines.count(),
        first_line=lines.claim_line_number.min(),
        last_line=lines.claim_line_number.max(),
        least_usd=lines.raw_usd.min(),
        most_usd=lines.raw_usd.max(),
        source_file=lines.source_file.max(),
    )


def with_paid(lines: ibis.Table, files: ibis.Table) -> ibis.Table:
    """Give each line its paid amount where the header's and the lines' differ.

    - An amount repeated on every line (in a file that does so, unless the claim's header says it is the sum, or
      equal to the claim's own header amount) is the header's: it is counted once (A7.4).
    - Lines all zero under a header paid more: the header's amount is spread (A7.1).
    - Some lines denied, taken back or billed twice: the lines that are left stand.
    - Both positive and different: what the payer calls the level of payment decides; where it does not say, the
      header's amount is spread over an institutional claim's lines (A7.3), and a professional claim's lines stand.

    Amounts are spread in proportion to allowed, else charges, else units, else evenly, over the lines no rule has
    taken, or over all where none is left; they sum to the header's amount to the cent. A gross credit is money
    back and a gross debit money out, whatever sign the source gives them (A5.4).

    References
    ----------
    methods.md, A7.
    """
    lines = with_told(lines, hold(_spread(_select_differing(lines), files)))
    signed = lines.raw_usd.abs() * ibis.ifelse(lines.adjustment == "gross_debit", 1, -1)
    is_money = lines.adjustment.isin(MONEY_ONLY) & lines.early.isnull() & lines.denied.isnull() & ~lines.is_copy
    turned = is_money & (signed != lines.raw_usd)
    return lines.mutate(
        amount_rule_id=ibis.ifelse(turned, "A5.4", lines.header_rule),
        paid_usd=ibis.ifelse(turned, signed.cast("decimal(14, 2)"), ibis.coalesce(lines.share_usd, lines.raw_usd)),
    )


def _select_differing(lines: ibis.Table) -> ibis.Table:
    """Select the lines of the records whose header and open lines differ, or whose lines all bear one amount."""
    marked = lines.mutate(
        record=fingerprint(lines, RECORD),
        own=(~lines.is_copy).cast("int64"),
        open_usd=ibis.ifelse(lines.is_open, lines.raw_usd, ibis.literal(0).cast("decimal(14, 2)")),
    )
    records = marked.group_by("record").agg(
        own_lines=marked.own.sum(),
        least_usd=marked.raw_usd.min(),
        most_usd=marked.raw_usd.max(),
        header_usd=marked.header_paid_amount.max(),
        open_usd=marked.open_usd.sum(),
    )
    repeats = (records.own_lines > 1) & (records.least_usd == records.most_usd) & (records.most_usd != 0)
    differs = ((records.header_usd - records.open_usd).abs() > 0.01).fill_null(False)
    return marked.semi_join(records.filter(repeats | differs), "record").drop("record", "own", "open_usd")


def _spread(lines: ibis.Table, files: ibis.Table) -> ibis.Table:
    """Give, of the lines whose amount is their header's, table and order of load, the rule and the line's share."""
    joined = lines.left_join(files, lines.source_file.fill_null("") == files.repeating_file)
    lines = joined.select(lines, in_repeating_file=files.repeating_file.notnull())
    record = ibis.window(group_by=RECORD)

    def count(flag: ibis.Value) -> ibis.Value:
        return flag.fill_null(False).cast("int64").sum().over(record)

    zero = ibis.literal(0).cast("decimal(14, 2)")
    lines = lines.mutate(
        own_lines=count(~lines.is_copy),
        open_lines=count(lines.is_open),
        denied_lines=count((lines.denied == "A4.2") | lines.rule_id.isin(["A5.6", "A5.7", "A6"])),
        least_usd=lines.raw_usd.min().over(record),
        most_usd=lines.raw_usd.max().over(record),
        header_usd=lines.header_paid_amount.max().over(record),
        open_usd=ibis.ifelse(lines.is_open, lines.raw_usd, zero).sum().over(record),
    )
    institutional = lines.claim_type == "institutional"
    repeated = (lines.own_lines > 1) & (lines.least_usd == lines.most_usd) & (lines.most_usd != 0)
    sums = ((lines.header_usd - lines.open_usd).abs() <= 0.01).fill_null(False)
    repeated &= (institutional & lines.in_repeating_file & ~sums) | (lines.header_usd == lines.most_usd).fill_null(
        False
    )
    differs = lines.is_open & ((lines.header_usd - lines.open_usd).abs() > 0.01).fill_null(False)
    unpriced = differs & (lines.open_usd == 0) & (lines.header_usd > 0) & (lines.denied_lines == 0)
    by_header = ibis.coalesce(lines.payment_level == "header", institutional)
    conflict = differs & by_header & (lines.open_usd > 0) & (lines.header_usd > 0) & (lines.denied_lines == 0)
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
    spread = lines.select(*LINE, "header_rule", share_usd=share.cast("decimal(14, 2)"))
    return spread.filter(spread.header_rule.notnull())


def _with_weight(lines: ibis.Table) -> ibis.Table:
    record = ibis.window(group_by=RECORD)
    bears = lines.is_open | ((lines.open_lines == 0) & ~lines.is_copy)
    none = ibis.literal(0).cast("int64")

    def weigh(amount: ibis.Value) -> ibis.Value:
        # Units have so many places that a hundred times their greatest number would not fit their own type.
        hundredths = (amount.fill_null(0).cast("decimal(24, 4)") * 100).cast("int64")
        return ibis.ifelse(bears, ibis.greatest(hundredths, 0), none)

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
