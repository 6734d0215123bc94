"""Capitated long-term care: programs are data, this package is the few primitives they are written in.

`member_months` builds the table every program reads, with `stays`; `definitions` reads a program. `profiles` sums the
months no program tells apart, `cells` holds what a program says of one, and `groups` sums them by cell and comparison
group. `primitives` holds the arithmetic, `replicates` the intervals. `rates` prices a cell, `liability` says who bears
which day, `benefits` what members pay for themselves, `reconciliation` what is settled. `comparison` sets all programs
on one population; `risk`, `incentives` and `orders` look at them there. `plots` draws. No program and no state is named
in here.
"""
