"""Loops that put registers aside: which are told."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

KEPT = ["vmovups (%rdi),%ymm1", "vfmadd231ps %ymm0,%ymm1,%ymm2", "vfmadd231ps %ymm0,%ymm1,%ymm3"] * 2
PUT_ASIDE = [*KEPT, "vfmadd213ps 0x108(%rsp),%ymm6,%ymm5", "vmovaps %ymm5,0x108(%rsp)"]
OUTSIDE = ["vmovaps %ymm5,0x108(%rsp)"]


@pytest.fixture(scope="module")
def spills(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("spills")


def instructions(before: list[str], body: list[str]) -> list[tuple[int, str]]:
    begin = 16 + 4 * len(before)
    lines = [*before, *body, "cmp %r11,%rbx", f"jg {begin:x} <multiply+0x10>", "ret"]
    return [(16 + 4 * i, line) for i, line in enumerate(lines)]


def test_a_loop_that_stores_a_sum_to_the_stack_is_told(spills: ModuleType) -> None:
    (loop,) = spills.loops_in("multiply", instructions([], PUT_ASIDE), "ymm")
    assert loop == ("multiply", 5, 1)


@pytest.mark.parametrize(("before", "body"), [([], KEPT), (OUTSIDE, KEPT), ([], [*PUT_ASIDE, "call f"])])
def test_others_are_not(spills: ModuleType, before: list[str], body: list[str]) -> None:
    assert list(spills.loops_in("multiply", instructions(before, body), "ymm")) == []


def test_registers_of_another_size_are_another_instruction_sets(spills: ModuleType) -> None:
    assert list(spills.loops_in("multiply", instructions([], PUT_ASIDE), "zmm")) == []
