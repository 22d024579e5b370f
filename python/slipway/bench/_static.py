"""The model's file with numbers in place of its symbolic dimensions, for runtimes that want to know them."""

from __future__ import annotations

from slipway.bench.competitor import Job
from slipway.bundle import ONNX


def with_static_shapes(job: Job) -> bytes:
    """Return the ONNX file with the shapes of the job's inputs written into inputs and outputs."""
    import onnx

    model = onnx.load_from_string(job.bundle.read(ONNX))
    sizes: dict[str, int] = {}
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        for dim, size in zip(dims, job.inputs[value.name].shape, strict=True):
            if dim.dim_param:
                sizes[dim.dim_param] = size
            dim.dim_value = size
    for value in model.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]
    del model.graph.value_info[:]
    return bytes(model.SerializeToString())
