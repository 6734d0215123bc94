"""Capitated long-term care: programs are data, this package is the few primitives they are written in.

`member_months` builds the table every program reads; `definitions` reads a program; `cells` sorts member months
into populations, cells and comparison groups and reduces them; `primitives` holds the arithmetic; `rates`,
`liability`, `reconciliation` and `comparison` say what a program pays, who bears what, and what is settled.
No program and no state is named in here.
"""
