"""How a feed writes its adjustments: with codes, under the same number, as number and suffix, or as credits of debits.

A feed is the files of one table whose names differ only in digits. What its records look like tells its style; the
config may say otherwise.
"""

from __future__ import annotations

import ibis

from ratebook.clean.lines import ADJUSTING, CLAIM, LINE, unite_lines, with_told
from ratebook.tables import fingerprint, hold

SUFFIX = r"^(.*[0-9])([-_./ ][A-Za-z0-9]{1,3}|[A-Za-z][0-9]{0,2})$"
"""A claim number and what is hung on it for a later version: -1, _02, .A1, or R, V1, A01."""
STYLES = ("coded", "same_id", "suffix", "debit_credit", "none")
CANCELS = ["source_table", "person_id", "billing_npi", "rendering_npi", "claim_start_date", "claim_line_start_date"]
CANCELS += ["hcpcs_code", "hcpcs_modifier_1", "revenue_center_code", "ndc_code"]
"""What a debit and the credit that takes it back have in common, beside units and dollars of opposite sign."""
FILE = ["source_table", "source_file"]
READ_BY_STYLES = [*CANCELS, "source_file", "claim_id", "adjustment", "original_claim_id", "raw_usd"]
READ_BY_STYLES += ["service_unit_quantity", "paid_date"]


def build_feed_styles(
    medical: ibis.Table, pharmacy: ibis.Table, overrides: dict[str, str], least_share: float
) -> ibis.Table:
    """Say of each file of claims how its feed writes adjustments, and on what evidence.

    - `coded`: adjusting records bear a code, and most of them name the claim they adjust.
    - `same_id`: they bear a code and most stand under the number of the claim they adjust.
    - `suffix`: no codes; of the numbers that differ only in a suffix, the share agreeing on person, provider and
      first day of service is at least `least_share`.
    - `debit_credit`: no codes; of the negative lines, the share that takes back an equal positive line is at least
      `least_share`.
    - `none`: nothing of the kind; negative lines are then unexplained (A8.3).

    Parameters
    ----------
    medical, pharmacy : MedicalClaims, PharmacyClaims
        Raw lines.
    overrides : dict
        Feed, as `feed` is written (digits as #), to style: what the data manager knows better.
    least_share : float
        Least agreement for a style without codes.

    Returns
    -------
    FeedStyles

    References
    ----------
    methods.md, A5.6.
    """
    keys = unite_lines(medical, pharmacy, READ_BY_STYLES)
    adjusts = keys.adjustment.isin(ADJUSTING)
    counted = keys.group_by(FILE).agg(
        lines=keys.count(),
        adjusting_lines=_count(adjusts),
        pointing_lines=_count(adjusts & keys.original_claim_id.notnull() & (keys.original_claim_id != keys.claim_id)),
        negative_lines=_count((keys.raw_usd < 0) & _is_uncoded(keys)),
    )
    counted = counted.mutate(feed=counted.source_file.fill_null("").re_replace("[0-9]+", "#"))
    feed = ibis.window(group_by=["source_table", "feed"])
    counted = hold(counted.mutate(feed_adjusts=counted.adjusting_lines.sum().over(feed) > 0))
    repeated = _same_numbers(keys)
    # Only where no code says what a record is, its number and its amount are looked at.
    codeless = counted.filter(~counted.feed_adjusts)
    keys = keys.semi_join(codeless, [_same(keys[name], codeless[name]) for name in FILE])
    versions = _versions(keys)
    versions = versions.group_by(FILE).agg(suffixed_claims=versions.count(), agreeing_claims=_count(versions.agrees))
    credits = _credits(keys)
    found = counted
    for part in (repeated, versions, credits):
        found = found.left_join(part, [_same(found[name], part[name]) for name in FILE])
        found = found.drop(f"{name}_right" for name in FILE)
    evidence = [name for name in found.columns if name.endswith(("_lines", "_claims"))]
    found = found.mutate(**{name: found[name].fill_null(0).sum().over(feed).cast("int64") for name in evidence})
    found = found.drop("feed_adjusts")
    said = found.feed.cases(*overrides.items()) if overrides else ibis.null("string")
    return found.mutate(style=ibis.coalesce(said, _style(found, least_share)), is_configured=said.notnull())


def find_versions(keys: ibis.Table, styles: ibis.Table) -> ibis.Table:
    """List the claims of suffix feeds of which there are several versions, and the number they have in common.

    Returns
    -------
    ibis.Table
        `source_table`, `claim_id`, `target_id`: one row a version, the plain number among them.
    """
    versions = _versions(_in_style(keys, styles, "suffix"))
    return versions.filter(versions.agrees).select(*CLAIM, target_id="base").distinct()


def with_versions(lines: ibis.Table, versions: ibis.Table) -> ibis.Table:
    """Read a suffixed version as the replacement of its number; one that pays and allows nothing, or less, as its void.

    A record that bears a code is what the code says, and now names what it adjusts.
    """
    found = versions.rename(at_table="source_table", at_claim="claim_id")
    same = [lines.source_table == found.at_table, lines.claim_id == found.at_claim]
    later = lines.join(found, same).drop("at_table", "at_claim")
    later = later.filter(later.target_id != later.claim_id)
    record = ibis.window(group_by=[*CLAIM, "paid_date"])
    paid = later.raw_usd.sum().over(record)
    allowed = ibis.coalesce(later.allowed_amount, later.charge_amount).fill_null(0).sum().over(record)
    is_void = (paid < 0) | ((paid == 0) & (allowed <= 0))
    told = later.select(*LINE, "target_id", read_as=ibis.ifelse(is_void, "void", "replacement"))
    lines = with_told(lines, hold(told))
    return lines.mutate(
        adjustment=ibis.ifelse(lines.adjustment == "original", lines.read_as.fill_null("original"), lines.adjustment),
        original_claim_id=ibis.coalesce(lines.target_id, lines.original_claim_id),
    ).drop("target_id", "read_as")


def find_cancelling(keys: ibis.Table, styles: ibis.Table) -> ibis.Table:
    """List the claims of debit-and-credit feeds with a line that another takes back, or that takes one back."""
    credits, debits = _cancelling(_in_style(keys, styles, "debit_credit"))
    return credits.select(CLAIM).union(debits.select(CLAIM)).distinct()


def with_pairs(lines: ibis.Table, styles: ibis.Table) -> ibis.Table:
    """Take both lines of each pair of debit and credit: a credit takes back the latest equal debit still standing.

    In a debit-and-credit feed, among uncoded lines equal but for the sign, in the order of payment. A credit with
    no debit before it stays, and is unexplained; so does a debit that nothing takes back.

    References
    ----------
    methods.md, A5.6.
    """
    files = styles.filter(styles.style == "debit_credit").select(pair_table="source_table", pair_file="source_file")
    same = [lines.source_table == files.pair_table, _same(lines.source_file, files.pair_file)]
    may = lines.semi_join(files, same).filter(lambda t: t.is_open & _is_uncoded(t) & (t.raw_usd != 0))
    may = may.mutate(size_usd=may.raw_usd.abs(), size_units=may.service_unit_quantity.abs(), back=may.raw_usd < 0)
    equal = [*CANCELS, "size_usd", "size_units"]
    may = may.select(*LINE, *[name for name in equal if name not in LINE], "paid_date", "raw_usd", "back")
    order = ["paid_date", "back", "load_sequence"]
    in_order = ibis.window(group_by=equal, order_by=order, rows=(None, 0))
    standing = ibis.ifelse(may.back, -1, 1).sum().over(in_order)
    # A debit raises the number standing to its level; the credit that lowers it from there takes that debit back.
    may = may.mutate(level=standing + may.back.cast("int64"))
    beside = ibis.window(group_by=[*equal, "level"], order_by=order)
    may = may.mutate(
        next_is_credit=may.back.lead().over(beside),
        last_is_debit=~may.back.lag().over(beside),
        credit_date=may.paid_date.lead().over(beside),
    )
    debit, credit = ~may.back & may.next_is_credit, may.back & may.last_is_debit
    pairs = may.filter((debit | credit).fill_null(False))
    told = pairs.select(*LINE, "back", credit_date=ibis.ifelse(pairs.back, ibis.null("date"), pairs.credit_date))
    lines = with_told(lines, hold(told))
    return lines.mutate(
        rule_id=ibis.ifelse(lines.back.notnull(), "A5.6", lines.rule_id), is_open=lines.is_open & lines.back.isnull()
    ).drop("back")


def _style(found: ibis.Table, least_share: float) -> ibis.Value:
    half = found.adjusting_lines / 2
    return ibis.cases(
        ((found.adjusting_lines > 0) & (found.pointing_lines < half) & (found.repeated_lines >= half), "same_id"),
        (found.adjusting_lines > 0, "coded"),
        (_reaches(found.agreeing_claims, found.suffixed_claims, least_share), "suffix"),
        (_reaches(found.credit_lines, found.negative_lines, least_share), "debit_credit"),
        else_="none",
    )


def _reaches(part: ibis.Value, whole: ibis.Value, least_share: float) -> ibis.Value:
    return (whole > 0) & (part >= whole * least_share)


def _same_numbers(keys: ibis.Table) -> ibis.Table:
    """Count a file's adjusting lines whose number also stands on a record that adjusts nothing."""
    marked = keys.select(*FILE, "adjustment", claim=fingerprint(keys, CLAIM))
    adjusting = hold(marked.filter(marked.adjustment.isin(ADJUSTING)))
    plain = hold(marked.filter(marked.adjustment == "original").select("claim").semi_join(adjusting, "claim"))
    found = adjusting.semi_join(plain, "claim")
    return found.group_by(FILE).agg(repeated_lines=found.count())


def _versions(keys: ibis.Table) -> ibis.Table:
    """List the uncoded claims whose number, less a suffix, is another's too; say whether all of one number agree."""
    uncoded = keys.filter(_is_uncoded(keys), keys.claim_id.notnull())
    uncoded = uncoded.select(*CLAIM, "source_file", "person_id", "billing_npi", "claim_start_date", "paid_date")
    # A number that ends in four digits has no suffix; to see that costs less than to search the whole number.
    suffixed = uncoded.filter(~uncoded.claim_id.right(4).re_search("^[0-9]{4}$"), uncoded.claim_id.re_search(SUFFIX))
    suffixed = hold(suffixed.mutate(base=suffixed.claim_id.re_extract(SUFFIX, 1)))
    bases = suffixed.select("source_table", "base").distinct()
    plain = uncoded.semi_join(bases, [uncoded.source_table == bases.source_table, uncoded.claim_id == bases.base])
    lines = suffixed.union(plain.mutate(base=plain.claim_id))
    claims = lines.group_by([*CLAIM, "base", "source_file"]).agg(
        person=lines.person_id.min(),
        npi=lines.billing_npi.min(),
        first=lines.claim_start_date.min(),
        paid=lines.paid_date.max(),
    )
    of_base = ibis.window(group_by=["source_table", "base"])
    one = ibis.literal(True)
    for name in ("person", "npi", "first"):
        text = claims[name].cast("string").fill_null("")
        one &= text.min().over(of_base) == text.max().over(of_base)
    # Numbers that were all paid on one day are parts of a claim, or its lines, and not versions.
    paid = claims.paid.cast("string").fill_null("")
    one &= paid.min().over(of_base) != paid.max().over(of_base)
    claims = claims.mutate(
        agrees=one, first_id=claims.claim_id.min().over(of_base), last_id=claims.claim_id.max().over(of_base)
    )
    return claims.filter(claims.first_id != claims.last_id)


def _credits(keys: ibis.Table) -> ibis.Table:
    """Count a file's uncoded negative lines to which there is an equal positive one."""
    found, _ = _cancelling(keys)
    return found.group_by(FILE).agg(credit_lines=found.count())


def _cancelling(keys: ibis.Table) -> tuple[ibis.Table, ibis.Table]:
    """Find the uncoded negative lines to which there is an equal positive one, and those; by fingerprint."""
    lines = keys.filter(_is_uncoded(keys), keys.raw_usd != 0)
    lines = lines.mutate(size_usd=lines.raw_usd.abs(), size_units=lines.service_unit_quantity.abs())
    lines = lines.select(*FILE, "claim_id", "raw_usd", like=fingerprint(lines, [*CANCELS, "size_units", "size_usd"]))
    # The few negative lines first: the many others are then looked up, and not kept.
    negative = hold(lines.filter(lines.raw_usd < 0))
    debits = hold(lines.filter(lines.raw_usd > 0).semi_join(negative, "like"))
    return negative.semi_join(debits, "like"), debits


def _in_style(keys: ibis.Table, styles: ibis.Table, style: str) -> ibis.Table:
    files = styles.filter(styles.style == style)
    return keys.semi_join(files, [_same(keys[name], files[name]) for name in FILE])


def _is_uncoded(lines: ibis.Table) -> ibis.Value:
    return (lines.adjustment == "original") & lines.original_claim_id.isnull()


def _same(left: ibis.Value, right: ibis.Value) -> ibis.Value:
    return left.identical_to(right)


def _count(flag: ibis.Value) -> ibis.Value:
    return flag.fill_null(False).cast("int64").sum()
