"""What the same services would have cost at one year's prices: units times the base year's price of their code."""

from __future__ import annotations

import ibis
import pandas as pd

from ratebook.errors import RatebookError
from ratebook.tables import read_codes

ALL = "all"
KEY = ["category", "code", "is_crossover", "service_year"]
"""What has one price in one year. A modifier can name another service (a month and not 15 minutes), so it is part of
the code; what Medicaid pays beside Medicare is another price than what it pays alone."""
CENTS = "decimal(14, 2)"
EXACT = "decimal(24, 6)"
WAYS = ("units", "code", "category", "nominal")
"""How a line was repriced."""
INDEX = ["category", "service_year", "index_value"]
NO_PRICE = "no code with a price in this year and in the base year"


def read_index(paths: list[str], base_year: int) -> pd.DataFrame | None:
    """Read a price index of the user's: a csv with `category` (or all), `service_year`, `index_value`; None without a file.

    Raises
    ------
    RatebookError
        If a column, or the base year, is missing, or a value is no number above 0.
    """
    if not paths:
        return None
    found = pd.concat([read_codes(path) for path in paths])
    absent = [name for name in INDEX if name not in found]
    if absent:
        raise RatebookError(
            f"the price index of config.yaml cost.prices.index_file lacks columns: {', '.join(absent)}"
        )
    for name in INDEX[1:]:
        found[name] = pd.to_numeric(found[name], errors="coerce")
    if not ((found.index_value > 0) & found.service_year.notna()).all():
        raise RatebookError(
            "the price index of config.yaml cost.prices.index_file has values that are no number above 0"
        )
    if not (found.service_year == base_year).any():
        raise RatebookError(f"the price index of config.yaml cost.prices.index_file lacks the base year {base_year}")
    return found[INDEX]


def reprice_claims(claims: ibis.Table, prices: dict, index: pd.DataFrame | None = None) -> ibis.Table:
    """Give every line its cost at the prices of the base year, and say how that was found.

    `units`: units times the base year's mean price of the procedure or drug code. `code`: a line priced by
    revenue code, or with unusable units, keeps its place among its code's prices: cost times the code's mean price
    in the base year over that in its own year. `category`: its code has too few lines in either year and borrows
    the price change of its category, or where that has none, of all categories. `nominal`: nothing to borrow; the
    cost stays as paid. A line that cost nothing still does.

    Parameters
    ----------
    claims : ibis.Table
        As `Claims`.
    prices : dict
        `form`: own (the above, from the claims themselves), index (cost times the index of the base year over that
        of the service year, of the category or of `all`) or nominal (no change). `base_year`, `min_lines`: fewest
        lines of a code in a year from which a price is read.
    index : pandas.DataFrame, optional
        With the form `index`: `category`, `service_year`, `index_value`.

    Returns
    -------
    ibis.Table
        The claims with `real_cost_usd` and `repricing`.

    References
    ----------
    methods.md, D7.
    """
    lines = _keyed(claims)
    if prices["form"] == "nominal":
        return lines.mutate(real_cost_usd=lines.cost_usd, repricing=ibis.literal("nominal"))
    if prices["form"] == "index":
        given = _given_factors(index, prices["base_year"])
        lines = _with_factor(lines, given)
        return _priced(lines, units_price=ibis.null("float64"), code_factor=ibis.null("float64"))
    codes = code_prices(lines, prices["base_year"], prices["min_lines"])
    lines = _with_factor(lines, _factors(code_index(codes)))
    codes = codes.select(*KEY, "base_price", "code_factor")
    lines = lines.left_join(codes, KEY).drop([f"{name}_right" for name in KEY])
    has_schedule = lines.is_usable & (lines.hcpcs_code.notnull() | lines.ndc_code.notnull())
    return _priced(lines, has_schedule.ifelse(lines.base_price, ibis.null("float64")), lines.code_factor)


def price_index(claims: ibis.Table, prices: dict, index: pd.DataFrame | None = None) -> ibis.Table:
    """Say, by category and year, how prices stood beside the base year, and how many dollars were repriced how.

    Laspeyres weighs price changes by what was used in the base year, Paasche by what was used in the year itself;
    Fisher is the root of their product. Only codes with a price in both years count.

    Parameters
    ----------
    claims, prices, index
        As `reprice_claims` takes them.

    Returns
    -------
    ibis.Table
        As `PriceIndex`.

    References
    ----------
    methods.md, D7.
    """
    lines = reprice_claims(claims, prices, index)
    nothing = ibis.literal(0).cast(CENTS)
    sums = lines.group_by("category", "service_year").agg(
        cost_usd=lines.cost_usd.sum(),
        real_cost_usd=lines.real_cost_usd.sum(),
        lines=lines.count(),
        **{f"{way}_share": (lines.repricing == way).ifelse(lines.cost_usd, nothing).sum() for way in WAYS},
    )
    counted = [name for name in sums.columns if name not in ("category", "service_year")]
    dollars = [name for name in counted if name != "lines"]
    every = sums.group_by("service_year").agg(**{name: sums[name].sum() for name in counted})
    every = every.mutate(category=ibis.literal(ALL)).select(*sums.columns)
    sums = ibis.union(
        sums.mutate(**{name: sums[name].cast("decimal(24, 2)") for name in dollars}),
        every.mutate(**{name: every[name].cast("decimal(24, 2)") for name in dollars}),
    )
    whole = sums.cost_usd.cast("float64").nullif(0.0)
    sums = sums.mutate(**{f"{way}_share": sums[f"{way}_share"].cast("float64") / whole for way in WAYS})
    found = sums
    for part in (_persons(claims), _indices(claims, prices, index)):
        found = found.left_join(part, ["category", "service_year"]).drop("category_right", "service_year_right")
    return found.mutate(
        base_year=ibis.literal(prices["base_year"], "int64"),
        reason=found.fisher.isnull().ifelse(ibis.literal(NO_PRICE), ibis.null("string")),
    )


def _persons(claims: ibis.Table) -> ibis.Table:
    lines = claims.select("person_id", "category", service_year=claims.service_start_date.year().cast("int64"))
    by_category = lines.group_by("category", "service_year").agg(persons=lines.person_id.nunique())
    every = lines.group_by("service_year").agg(persons=lines.person_id.nunique())
    return ibis.union(by_category, every.mutate(category=ibis.literal(ALL)).select(*by_category.columns))


def code_prices(lines: ibis.Table, base_year: int, min_lines: int) -> ibis.Table:
    """Find each code's mean price in each year and in the base year: dollars over units, of usable lines."""
    usable = lines.filter(lines.is_usable)
    sums = usable.group_by(KEY).agg(
        lines=usable.count(), dollars=usable.cost_usd.sum().cast("float64"), units=usable.units.sum().cast("float64")
    )
    sums = sums.mutate(price=(sums.lines >= min_lines).ifelse(sums.dollars / sums.units, ibis.null("float64")))
    base = sums.filter((sums.service_year == base_year) & sums.price.notnull())
    base = base.select(*KEY[:-1], base_price=base.price, base_units=base.units)
    joined = sums.left_join(base, KEY[:-1]).drop([f"{name}_right" for name in KEY[:-1]])
    return joined.mutate(code_factor=joined.base_price / joined.price)


def code_index(codes: ibis.Table) -> ibis.Table:
    """Put the codes' prices together by category and year, and over all categories."""
    matched = codes.filter(codes.code_factor.notnull())
    every = ibis.union(matched, matched.mutate(category=ibis.literal(ALL)))

    def total(dollars: ibis.Value) -> ibis.Value:
        """Sum as decimals: in any order the same."""
        return dollars.cast(EXACT).sum().cast("float64")

    sums = every.group_by("category", "service_year").agg(
        laspeyres=total(every.price * every.base_units) / total(every.base_price * every.base_units),
        paasche=total(every.dollars) / total(every.base_price * every.units),
        codes=every.count(),
    )
    return sums.mutate(fisher=(sums.laspeyres * sums.paasche).sqrt())


def _keyed(claims: ibis.Table) -> ibis.Table:
    """Add the year, the code that has a price, and whether its units can be multiplied with it."""
    modifier = claims.hcpcs_modifier_1.fill_null("")
    code = ibis.coalesce(
        claims.hcpcs_code + ibis.literal(" ") + modifier,
        ibis.literal("drug ") + claims.ndc_code,
        ibis.literal("revenue ") + claims.revenue_center_code,
    )
    is_whole = claims.units_flag.isnull() & ~claims.is_money_only.fill_null(False)
    usable = is_whole & (claims.units > 0) & (claims.cost_usd > 0) & code.notnull()
    return claims.mutate(
        service_year=claims.service_start_date.year().cast("int64"),
        code=code,
        is_crossover=claims.is_crossover.fill_null(False),
        is_usable=usable.fill_null(False),
    )


def _with_factor(lines: ibis.Table, factors: ibis.Table) -> ibis.Table:
    """Join the category's price change to each line, or where it has none, that of all categories."""
    by_year = factors.filter(factors.category == ALL).select("service_year", all_factor="factor")
    lines = lines.left_join(factors, ["category", "service_year"]).drop("category_right", "service_year_right")
    lines = lines.left_join(by_year, "service_year").drop("service_year_right")
    return lines.mutate(category_factor=ibis.coalesce(lines.factor, lines.all_factor)).drop("factor", "all_factor")


def _priced(lines: ibis.Table, units_price: ibis.Value, code_factor: ibis.Value) -> ibis.Table:
    cost = lines.cost_usd.cast("float64")
    by_units = lines.units.cast("float64") * units_price
    repricing = ibis.cases(
        (by_units.notnull(), "units"),
        (code_factor.notnull(), "code"),
        (lines.category_factor.notnull(), "category"),
        else_="nominal",
    )
    real = ibis.coalesce(by_units, cost * code_factor, cost * lines.category_factor, cost)
    cents = (real * 100).round().cast("int64")
    return lines.mutate(real_cost_usd=(cents / 100).cast(CENTS), repricing=repricing)


def _factors(indices: ibis.Table) -> ibis.Table:
    return indices.select("category", "service_year", factor=1 / indices.fisher)


def _given_factors(index: pd.DataFrame, base_year: int) -> ibis.Table:
    given = _given(index)
    base = given.filter(given.service_year == base_year).select("category", base_value="index_value")
    joined = given.left_join(base, "category").drop("category_right")
    return joined.select("category", "service_year", factor=joined.base_value / joined.index_value)


def _given(index: pd.DataFrame) -> ibis.Table:
    columns = {"category": "str", "service_year": "int64", "index_value": "float64"}
    return ibis.memtable(index[list(columns)].astype(columns))


def _indices(claims: ibis.Table, prices: dict, index: pd.DataFrame | None) -> ibis.Table:
    """Give the index the lines were repriced by; a user's index stands for all three formulas."""
    if prices["form"] == "index":
        factors = _given_factors(index, prices["base_year"])
        value = 1 / factors.factor
        return factors.select(
            "category", "service_year", laspeyres=value, paasche=value, fisher=value, codes=ibis.literal(0, "int64")
        )
    return code_index(code_prices(_keyed(claims), prices["base_year"], prices["min_lines"]))
