"""Which ``nn.Module`` a node of an ONNX file came from, as far as the file says."""

from __future__ import annotations

import ast
from collections.abc import Container

import onnx

_SCOPES, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
#: What torch's exporter notes on a node: the modules around it, outermost first and the operator last; their classes.
MODULE_NOTES = (_SCOPES, _CLASSES)


def module_of(node: onnx.NodeProto, weights: Container[str]) -> str | None:
    """Return the path of a node's module, such as ``inception1.branch1x1``; the model itself has the path ``""``.

    A node without the exporter's notes is placed by the names of its weights (``conv1.weight`` belongs to ``conv1``);
    None where those say nothing either.
    """
    scopes = _list(node, _SCOPES)
    if scopes:
        return scopes[-2] if len(scopes) > 1 else ""
    owners = {name.rpartition(".")[0] for name in node.input if name in weights and "." in name}
    return owners.pop() if len(owners) == 1 else None


def class_of(node: onnx.NodeProto) -> str | None:
    """Return the class of a node's module, such as ``torch.nn.modules.conv.Conv2d``, or None if nothing says it."""
    classes = _list(node, _CLASSES)
    return classes[-2] if len(classes) > 1 else None


def _list(node: onnx.NodeProto, key: str) -> list[str]:
    """Return a note that holds a list of texts as Python writes it; another form counts as none."""
    note = next((entry.value for entry in node.metadata_props if entry.key == key), "")
    try:
        value = ast.literal_eval(note) if note else []
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []
