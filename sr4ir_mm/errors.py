"""The one error type that means 'the user can fix this'."""


class SR4IRError(ValueError):
    """A mistake in a config or in data; its message names the thing and the fix, and `tools/` print just that."""
