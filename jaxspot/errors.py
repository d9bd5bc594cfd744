"""What a user can mend is said in one line; everything else keeps its traceback."""


class UserError(Exception):
    """A user's mistake: one line that names file, row and remedy. Commands exit with 2."""
