"""From someone else's files to the raw tables of our contract."""
