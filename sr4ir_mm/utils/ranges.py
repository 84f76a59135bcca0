"""Checks of the numbers that a config gives."""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from ..errors import SR4IRError


def check_number(
    owner: str, low: float = -math.inf, high: float = math.inf, whole: bool = False, **values: Any
) -> None:
    """Check that numbers are finite and within limits.

    Args:
        owner (str): Class or option that takes the numbers, for the message.
        low (float): Smallest value.
        high (float): Largest value.
        whole (bool): Whether only whole numbers are right.
        **values: Numbers by name.

    Raises:
        SR4IRError: If one is not.

    Example:
        >>> check_number('CQMix', low=0, high=1, prob=2)
        Traceback (most recent call last):
            ...
        sr4ir_mm.errors.SR4IRError: CQMix: prob=2 must be between 0 and 1.
    """
    for name, value in values.items():
        if _is_number(value, whole) and low <= value <= high:
            continue
        raise SR4IRError(f'{owner}: {name}={value!r} must be {_wanted(low, high, whole)}.')


def check_positive(owner: str, **values: Any) -> None:
    """Check that numbers are finite and larger than 0.

    Raises:
        SR4IRError: If one is not.
    """
    for name, value in values.items():
        if not (_is_number(value) and value > 0):
            raise SR4IRError(f'{owner}: {name}={value!r} must be a number larger than 0.')


def check_limits(owner: str, low: float = -math.inf, high: float = math.inf, **values: Any) -> None:
    """Check that values are pairs, the smaller number first, of which both are finite and within limits.

    Raises:
        SR4IRError: If one is not.
    """
    for name, value in values.items():
        pair = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
        if len(pair) == 2 and all(_is_number(number) for number in pair) and low <= pair[0] <= pair[1] <= high:
            continue
        raise SR4IRError(
            f'{owner}: {name}={value!r} must be two numbers, the smaller one first, each {_wanted(low, high)}.'
        )


def _is_number(value: Any, whole: bool = False) -> bool:
    kind = Integral if whole else Real
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def _wanted(low: float, high: float, whole: bool = False) -> str:
    kind = 'a whole number' if whole else 'a number'
    if math.isinf(high):
        return kind if math.isinf(low) else f'{kind}, {low} or more'
    return f'{kind} between {low} and {high}' if whole else f'between {low} and {high}'
