"""Eager PyTorch: the model rebuilt by its recipe's own code with the bundle's weights. The reference of all others."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import WEIGHTS, Bundle
from slipway.errors import BundleError, SlipwayError, UnavailableError
from slipway.runtime._inputs import batch_axis, check_inputs
from slipway.runtime.protocol import Arrays
from slipway.signature import LengthInput, Signature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from slipway.recipes._recipe import Dataset, Recipe


@dataclass(frozen=True)
class EagerModel:
    """A module on the CPU in eval mode, called with arrays; see :meth:`of`."""

    module: nn.Module
    signature: Signature
    threads: int = 1
    precise: bool = False

    @staticmethod
    def of(module: nn.Module, signature: Signature, threads: int = 1) -> EagerModel:
        """Take a copy of a module; the module itself stays as it is."""
        return EagerModel(copy.deepcopy(module).cpu().eval(), signature, threads)

    def double(self) -> EagerModel:
        """Return the same model in fp64; it takes and gives float64 where this one has float32."""
        return EagerModel(copy.deepcopy(self.module).double(), self.signature, self.threads, precise=True)

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        import torch

        checked = check_inputs(self.signature, inputs)
        dtype = torch.float64 if self.precise else torch.float32
        with torch.no_grad(), torch_settings(dtype, self.threads):
            return call_any_order(self.module, self.signature, checked, dtype)


@dataclass(frozen=True)
class Eager:
    """The runtime; ``recipe`` is needed for bundles that a user's own recipe file made.

    A bundle never decides which file is run as code: its own note of the recipe file is only shown.
    """

    recipe: Recipe | None = None
    name: str = "eager"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        try:
            import safetensors.torch  # noqa: F401
        except ImportError as error:
            return f"{error}; install torch and safetensors"
        return None

    def load(self, bundle: Bundle, threads: int = 1) -> EagerModel:
        """Rebuild the model from the recipe's name, the recorded config and ``weights.safetensors``."""
        import safetensors.torch

        recipe = self.recipe or _builtin(bundle)
        if recipe.name != bundle.recipe:
            raise UnavailableError(f"bundle {bundle.path} was made by recipe {bundle.recipe}, got {recipe.name}")
        config, dataset = config_of(bundle, recipe), _dataset(bundle)
        try:
            weights = safetensors.torch.load(bundle.read(WEIGHTS))
        except safetensors.SafetensorError as error:
            raise BundleError(f"{WEIGHTS} of bundle {bundle.path} cannot be read: {error}") from error
        # Settings of a stranger may make a built-in recipe raise anything; what an own file raises is told by its line.
        misfits = Exception if self.recipe is None else RuntimeError
        try:
            if self.recipe is None:
                _check_sizes(recipe, config, dataset, weights)
            module = recipe.build(config, dataset)
            module.load_state_dict(weights)
        except SlipwayError:
            raise
        except misfits as error:
            reason = (str(error) or type(error).__name__).splitlines()[-1].strip()
            raise UnavailableError(
                f"the weights of bundle {bundle.path} do not fit what recipe {recipe.name} builds now: {reason}"
            ) from error
        return EagerModel(module.eval(), bundle.signature, threads)


def config_of(bundle: Bundle, recipe: Recipe) -> Any:
    """Return the settings that a bundle was trained with.

    Raises:
        BundleError: They are not those of the recipe.
    """
    noted = bundle.provenance.get("config")
    try:
        return dataclasses.replace(recipe.config, **{key: _tuple(value) for key, value in (noted or {}).items()})
    except (AttributeError, TypeError, ValueError) as error:
        raise BundleError(f"bundle {bundle.path} has other settings than recipe {recipe.name}: {error}") from error


def call_any_order(
    module: Any, signature: Signature, inputs: Mapping[str, NDArray[np.generic]], dtype: torch.dtype
) -> dict[str, NDArray[np.generic]]:
    """Call a module; one that insists on sorted lengths (``enforce_sorted=True``) gets them sorted, and undone after.

    Such a module refuses what its exported forms accept; each item's result does not depend on the order.
    """
    lengths = next((inputs[p.name] for p in signature.inputs if isinstance(p.spec, LengthInput)), None)
    try:
        return _call(module, signature, inputs, dtype)
    except RuntimeError as error:
        if lengths is None or "enforce_sorted" not in str(error):
            raise
    order = np.argsort(-lengths.astype(np.int64), kind="stable")
    outputs = _call(module, signature, _reordered(signature.inputs, inputs, order), dtype)
    return _reordered(signature.outputs, outputs, np.argsort(order))


def _call(
    module: Any, signature: Signature, inputs: Mapping[str, NDArray[np.generic]], dtype: torch.dtype
) -> dict[str, NDArray[np.generic]]:
    import torch

    tensors = [torch.from_numpy(np.array(inputs[port.name])) for port in signature.inputs]
    outputs = module(*(t.to(dtype) if t.is_floating_point() else t for t in tensors))
    if isinstance(outputs, torch.Tensor):
        outputs = (outputs,)
    if len(outputs) != len(signature.outputs):
        raise SlipwayError(f"the model gives {len(outputs)} outputs, its signature declares {len(signature.outputs)}")
    return {port.name: output.detach().numpy() for port, output in zip(signature.outputs, outputs, strict=True)}


def _reordered(ports: Any, arrays: Mapping[str, NDArray[np.generic]], order: NDArray[np.intp]) -> dict[str, Any]:
    axes = {port.name: batch_axis(port) for port in ports}
    return {
        name: array if (axis := axes[name]) is None else np.take(array, order, axis) for name, array in arrays.items()
    }


@contextmanager
def plain_attention() -> Iterator[None]:
    """Keep torch off its fast path of attention: it exists in no exported form, and drops steps that are padding."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def torch_settings(dtype: torch.dtype, threads: int) -> Iterator[None]:
    """Set the type that a module's own ``torch.zeros`` and ``float()`` give, and the number of threads, for torch.

    Attention takes its usual path, as in :func:`plain_attention`.
    """
    import torch

    from slipway.runtime._in_double import InDouble

    before = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)
    try:
        with plain_attention(), InDouble() if dtype is torch.float64 else nullcontext():
            yield
    finally:
        torch.set_default_dtype(before[0])
        torch.set_num_threads(before[1])


def _builtin(bundle: Bundle) -> Recipe:
    from slipway.recipes import load_builtin, recipe_names

    origin = bundle.provenance.get("recipe_path")
    if origin or bundle.recipe not in recipe_names():
        raise UnavailableError(
            f"bundle {bundle.path} was made by {origin or 'a recipe that is not built in'}; "
            "verify and run take it with --recipe FILE.py:NAME, which runs that file"
        )
    return load_builtin(bundle.recipe)


def _check_sizes(recipe: Recipe, config: Any, dataset: Dataset, weights: Mapping[str, torch.Tensor]) -> None:
    """Build the module without memory first: settings of a stranger may ask for any amount of it."""
    import torch

    with torch.device("meta"):
        expected = {name: list(value.shape) for name, value in recipe.build(config, dataset).state_dict().items()}
    got = {name: list(value.shape) for name, value in weights.items()}
    differing = sorted(name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name))
    if differing:
        name = differing[0]
        raise ValueError(f"{name} has shape {got.get(name)}, expected {expected.get(name)}")


def _dataset(bundle: Bundle) -> Dataset:
    """What ``build`` may use of a data set: its labels and facts; there are no rows."""
    import torch

    from slipway.recipes._recipe import Dataset, Source, Split

    nothing = Split((), torch.empty(0))
    try:
        facts = {name: _tuple(value) for name, value in bundle.provenance.get("facts", {}).items()}
        source = Source(**bundle.provenance["data"])
    except (AttributeError, KeyError, TypeError) as error:
        raise BundleError(f"bundle {bundle.path}: its provenance does not say what data it is of: {error}") from error
    return Dataset(nothing, nothing, bundle.signature.labels, source, facts)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
