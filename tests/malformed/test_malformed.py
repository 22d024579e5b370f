"""No file, however broken or hostile, does more to the engine than be refused in one clear message."""

from __future__ import annotations

import contextlib
import re

import numpy as np
import pytest
from corpus import Case, cases, small_models

import slipway
from slipway.errors import SlipwayError

MUTATIONS = 3000
SEED = 20


def load(model: bytes) -> slipway.Session | str:
    """A session, or the text of the refusal. Anything else (a crash, another exception) fails the test."""
    try:
        return slipway.Session(model)
    except SlipwayError as error:
        return str(error)


def run_small(session: slipway.Session) -> None:
    """Run on zeros where the inputs are small; a refusal at run time is as good as one at load time."""
    inputs = {}
    for port in session.inputs:
        shape = tuple(size if isinstance(size, int) else 2 for size in port.shape)
        if np.prod(shape, dtype=float) > 10_000:
            return
        inputs[port.name] = np.zeros(shape, port.dtype)
    with contextlib.suppress(SlipwayError):
        session.run(inputs)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_wrong_file_is_refused_in_words(case: Case) -> None:
    got = load(case.model)
    if case.refusal is None:
        if isinstance(got, slipway.Session):
            run_small(got)
        return
    assert isinstance(got, str), "the file was loaded"
    assert re.search(case.refusal, got), got
    assert got.isprintable(), repr(got)


@pytest.mark.parametrize("name", small_models())
def test_the_models_behind_the_corpus_run(name: str) -> None:
    session = load(small_models()[name].SerializeToString())
    assert isinstance(session, slipway.Session), session
    run_small(session)


@pytest.mark.parametrize("name", small_models())
def test_every_truncation_is_refused(name: str) -> None:
    whole = small_models()[name].SerializeToString()
    for size in range(0, len(whole) - 1, 3):
        got = load(whole[:size])
        # Only what stands behind the graph (opset, metadata) can be lost without notice.
        if isinstance(got, slipway.Session):
            assert len(got.inputs) > 0, f"{size} of {len(whole)} bytes"


@pytest.mark.parametrize("name", small_models())
def test_random_changes_never_crash(name: str) -> None:
    whole = small_models()[name].SerializeToString()
    rng = np.random.default_rng(SEED)
    loaded = 0
    for _ in range(MUTATIONS):
        changed = bytearray(whole)
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(changed)))
            kind = int(rng.integers(4))
            if kind == 0:
                changed[at] = rng.integers(256)
            elif kind == 1:
                changed[at] ^= 1 << int(rng.integers(8))
            elif kind == 2:
                del changed[at : at + int(rng.integers(1, 9))]
            else:
                changed[at:at] = rng.bytes(int(rng.integers(1, 9)))
        got = load(bytes(changed))
        if isinstance(got, slipway.Session):
            loaded += 1
            run_small(got)
    assert 0 < loaded < MUTATIONS, f"seed {SEED}: {loaded} loaded"
