"""CUDA kernels: each waits for the kernel before it, since every launch may come early (cpp/ops/launch.cuh)."""

from __future__ import annotations

import re
from pathlib import Path

KERNEL = re.compile(r"^__global__ void (?:__launch_bounds__\([^)]*\)\s+)?(\w+)\(.*?\)\s*\{\n(.*?)\n\}", re.S | re.M)


def kernels_of(text: str) -> dict[str, str]:
    return {match[1]: match[2] for match in KERNEL.finditer(text)}


def waits(body: str) -> bool:
    """A kernel begins with start_in_order(), or says both words itself and so may read constants in between."""
    return body.lstrip().startswith("start_in_order();") or (
        "let_next_start();" in body and "  wait_for_previous();" in body
    )


def test_every_kernel_waits_for_the_one_before_it(root: Path) -> None:
    sources = [*root.glob("cpp/ops/*.cu"), *root.glob("cpp/ops/*.cuh")]
    found = {f"{path.name}:{name}": body for path in sources for name, body in kernels_of(path.read_text()).items()}
    declared = sum(len(re.findall(r"^__global__", path.read_text(), re.M)) for path in sources)
    assert len(found) == declared > 40
    assert [name for name, body in found.items() if not waits(body)] == []


def test_a_kernel_that_does_not_wait_is_seen() -> None:
    text = "__global__ void __launch_bounds__(4) early(const float* x, float* y) {\n  y[0] = x[0];\n}\n"
    assert [waits(body) for body in kernels_of(text).values()] == [False]
