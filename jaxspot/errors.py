"""What a user can mend is said in one line; everything else keeps its traceback."""


class UserError(Exception):
    """A user's mistake: one line that names file, row and remedy. Commands exit with its code."""

    exit_code = 2


class Interrupted(UserError):
    """The user asked to stop; everything done so far is saved."""

    exit_code = 130
