"""Findings: each is planted as a fact and found with its severity and cure; a sound machine has none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest

from slipway.bundle import Bundle
from slipway.look.findings import BundleFacts, Facts, find_all, requirements
from slipway.look.machine_facts import gather
from slipway_export.pack import write_sums

SOUND = Facts(
    packages={"torch": "2.14.1+cu130", "onnxruntime-gpu": "1.31.1", "numpy": "2.4"},
    requires=("torch>=2.11", "numpy", "onnxruntime-gpu; sys_platform == 'linux'", "pytest>=8; extra == 'test'"),
    isas=("scalar", "baseline", "avx2", "avx512"),
    chosen_isa="avx512",
    processor_flags=frozenset({"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    glibc=(2, 36),
    driver_cuda=(13, 1),
    torch_cuda=(13, 0),
    cuda_libraries={name: frozenset({13}) for name in ("cudart", "cublas", "cudnn")},
    providers=("CUDAExecutionProvider", "CPUExecutionProvider"),
    engine_devices=(("cuda:0",), ""),
    cache=("cache", True),
    bundles=(BundleFacts("b", None, 10, 20),),
)
NO_LIBRARIES: dict[str, frozenset[int]] = {}

PLANTED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"engine_error": "no module"}, "broken", "engine", "cannot be imported: no module"),
    ({"isa_error": "SLIPWAY_ISA is mmx", "chosen_isa": None}, "broken", "engine", "SLIPWAY_ISA is mmx"),
    ({"chosen_isa": "avx2"}, "warning", "instruction set", "runs avx2 kernels, this processor has avx512"),
    ({"isas": ("scalar", "baseline", "avx2"), "chosen_isa": "avx2"}, "warning", "instruction set", "built without it"),
    ({"packages": SOUND.packages | {"torch": "2.9.0"}}, "broken", "torch", "2.9.0 is too old"),
    ({"torch_error": "no libcudart", "torch_cuda": None}, "broken", "torch", "cannot be imported: no libcudart"),
    ({"packages": {"torch": "2.14", "onnxruntime-gpu": "1"}}, "broken", "numpy", "not installed"),
    ({"packages": SOUND.packages | {"onnxruntime": "1.20"}}, "warning", "onnxruntime", "the same folder"),
    ({"packages": {"torch": "2.14", "numpy": "2"}}, "warning", "onnxruntime", "not installed"),
    ({"glibc": (2, 27)}, "warning", "glibc", "version 2.27"),
    ({"driver_cuda": None}, "note", "cuda", "no NVIDIA driver"),
    ({"torch_cuda": None}, "warning", "cuda", "torch is built without CUDA"),
    ({"driver_cuda": (12, 8), "cuda_libraries": {n: frozenset({12, 13}) for n in SOUND.cuda_libraries}},
     "broken", "cuda", "built for CUDA 13.0, the driver runs 12.8"),
    ({"driver_cuda": (12, 8), "torch_cuda": (12, 6)}, "broken", "cuda", "libraries are of 13, the driver runs 12"),
    ({"providers": ("CPUExecutionProvider",)}, "broken", "onnxruntime", "no CUDA provider"),
    ({"cuda_libraries": NO_LIBRARIES}, "warning", "onnxruntime", "libcudart, libcublas, libcudnn cannot be found"),
    ({"engine_devices": ((), "no plugin")}, "warning", "cuda", "no plugin"),
    ({"variables": {"SLIPWAY_FAST": "1"}}, "note", "SLIPWAY_FAST", "nothing reads"),
    ({"variables": {"SLIPWAY_ISA": "avx512"}}, "note", "SLIPWAY_ISA", "it is avx512"),
    ({"variables": {"SLIPWAY_SPIN_MICROSECONDS": "9"}}, "note", "SLIPWAY_SPIN_MICROSECONDS", "it is 9"),
    ({"variables": {"SLIPWAY_WIDE_UNITS": "0"}}, "note", "SLIPWAY_WIDE_UNITS", "it is 0"),
    ({"variables": {"SLIPWAY_SPIN_MICROSECONDS": "x"}}, "broken", "SLIPWAY_SPIN_MICROSECONDS", "'x'"),
    ({"variables": {"SLIPWAY_CUDA_PLUGIN": "p.so"}}, "broken", "SLIPWAY_CUDA_PLUGIN", "p.so, which is no file"),
    ({"variables": {"SLIPWAY_ORT_LIBRARY": "o.so"}, "files": {"o.so": "folder"}},
     "broken", "SLIPWAY_ORT_LIBRARY", "no file"),
    ({"variables": {"SLIPWAY_OFFLINE": "1"}}, "note", "SLIPWAY_OFFLINE", "nothing is downloaded"),
    ({"variables": {"SLIPWAY_DATA": "d"}}, "broken", "SLIPWAY_DATA", "d, which is no folder"),
    ({"variables": {"SLIPWAY_DATA": "d"}, "files": {"d": "empty folder"}}, "warning", "SLIPWAY_DATA", "is empty"),
    ({"cache": ("c", False)}, "warning", "data", "c cannot be written"),
    ({"bundles": (BundleFacts("b", "damaged"),)}, "broken", "b", "damaged"),
    ({"bundles": (BundleFacts("b", None, 13, 25, "Unsupported model IR version"),)},
     "broken", "b", "onnxruntime 1.31.1 does not load model.onnx (IR version 13, opset 25): Unsupported model IR"),
    ({"bundles": (BundleFacts("b", None, 15, 20, None, "IR version 15 is not supported"),)},
     "broken", "b", "the engine does not load model.onnx (IR version 15, opset 20)"),
]  # fmt: skip


def test_a_sound_machine_has_no_findings() -> None:
    assert find_all(SOUND) == []
    in_use = {"SLIPWAY_DATA": "d", "SLIPWAY_CUDA_PLUGIN": "p"}
    assert find_all(replace(SOUND, variables=in_use, files={"d": "folder", "p": "file"})) == []


@pytest.mark.parametrize(("change", "severity", "subject", "what"), PLANTED, ids=[p[3] for p in PLANTED])
def test_a_planted_fact_is_found_with_its_cure(change: dict[str, Any], severity: str, subject: str, what: str) -> None:
    found = find_all(replace(SOUND, **change))
    assert [(f.severity, f.subject) for f in found] == [(severity, subject)]
    assert what in found[0].what
    assert found[0].cure


def test_what_is_broken_comes_first() -> None:
    found = find_all(replace(SOUND, glibc=(2, 17), driver_cuda=None, engine_error="none"))
    assert [f.severity for f in found] == ["broken", "warning", "note"]


def test_requirements_with_a_condition_are_left_out() -> None:
    assert requirements(SOUND.requires) == [("torch", "2.11"), ("numpy", None)]


def test_the_facts_of_this_machine_make_sense(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("slipway._engine", reason="the engine is not built")
    monkeypatch.delenv("SLIPWAY_ISA", raising=False)
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path))
    facts = gather({"torch": "2.14"}, ())
    assert facts.engine_error is None
    assert facts.chosen_isa in facts.isas
    assert facts.packages["onnx"]
    assert facts.files[str(tmp_path)] == "empty folder"
    assert not [f for f in find_all(facts) if f.subject == "instruction set"]
    monkeypatch.setenv("SLIPWAY_ISA", "mmx")
    assert "mmx" in (gather({}, ()).isa_error or "")


def test_a_bundle_newer_than_its_readers_is_told_apart_from_a_damaged_one(hello_rnn: Path, tmp_path: Path) -> None:
    good = gather({}, [hello_rnn]).bundles[0]
    assert (good.error, good.onnxruntime_error, good.engine_error, good.opset) == (None, None, None, 20)
    newer = Path(shutil.copytree(hello_rnn, tmp_path / "newer"))
    model = onnx.load_model(newer / "model.onnx")
    model.ir_version = 99
    (newer / "model.onnx").write_bytes(model.SerializeToString())
    assert "damaged" in (gather({}, [newer]).bundles[0].error or "")
    write_sums(newer)
    found = gather({}, [newer]).bundles[0]
    assert found.error is None
    assert "99" in (found.onnxruntime_error or "")
    assert "IR version 99 is not supported" in (found.engine_error or "")
    assert Bundle.open(newer)
