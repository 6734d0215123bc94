"""A synthetic Medicaid program in the raw layout, with the truth that was planted in it."""
