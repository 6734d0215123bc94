"""Errors whose messages are known to hold no person's row, id, date or amount."""


class RatebookError(Exception):
    """The user can mend this: the message names the file, column, key or setting to change.

    Only errors of this kind have their message printed. The message of any other exception may
    quote data, so `steps.step` keeps it out of every log.
    """


class BrokenContract(RatebookError):
    """A table does not keep its contract; the message counts the rows, and shows none."""


class NoExposure(RatebookError):
    """No member-month stands behind a rate: it is undefined, not zero."""
