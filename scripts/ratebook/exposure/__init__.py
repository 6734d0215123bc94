"""Who was covered when: spans of coverage, member months, and what was served outside them."""
