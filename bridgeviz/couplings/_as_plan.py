"""Arguments that must be couplings."""

from __future__ import annotations

from bridgeviz import _checks as check
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._plan import Plan


def as_plan(value: object, where: str) -> Plan:
    """`value` if it is a coupling, else an `InputError` about the 'plan' of `where`."""
    if not isinstance(value, Plan):
        raise check.fail("plan", where, "a coupling, made by bv.couplings", check.describe(value))
    return value


def as_whole(value: object, where: str) -> Coupling:
    """`value` if it is a coupling with all of its entries, else an `InputError`."""
    whole = value.whole if isinstance(value, Plan) else None
    if whole is None:
        expected = "a coupling, made by bv.couplings (a local one has no plan)"
        raise check.fail("plan", where, expected, check.describe(value))
    return whole
