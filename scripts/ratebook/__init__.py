"""From raw Medicaid claims to an evaluation and a rate book: the core, tables in and tables out."""
