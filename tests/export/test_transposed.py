"""Transposed convolutions with a wanted size: exported at any size, and nothing else is touched."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from export_models import OPERATORS, assert_agrees, tensors
from torch import Tensor, nn

from slipway.signature import ImageInput, InputPort, OutputPort, SegmentationOutput, Signature
from slipway_export.capture import Captured, capture
from slipway_export.cases import Pool, cut_images, example_inputs, probe_inputs, verification_cases
from slipway_export.clean import Operator, clean
from slipway_export.transposed import wanted_sizes


class UpAgain(nn.Module):
    """Halve height and width twice, and come back to each size."""

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(2, 3, 3, stride, 1)
        self.down2 = nn.Conv2d(3, 4, 3, stride, 1)
        self.up2 = nn.ConvTranspose2d(4, 3, 3, stride, 1)
        self.up1 = nn.ConvTranspose2d(3, 2, 3, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        small = self.down1(x)
        smaller = self.down2(small)
        back = self.up2(smaller, output_size=[small.size(2), small.size(3)]) + small
        y: Tensor = self.up1(back, output_size=x.size())
        return y


SIGNATURE = tensors(("N", 2, "H", "W"), outputs=[("N", 2, "H", "W")])


def captured(model: nn.Module) -> Captured:
    pool = Pool.of(SIGNATURE)
    return capture(model, SIGNATURE, example_inputs(pool), probe_inputs(pool))


def cleaned(forms: Captured) -> bytes:
    operators = (*OPERATORS, Operator("ConvTranspose", "", 11, 24))
    return clean(forms.onnx, SIGNATURE, name="test", operators=operators, metadata={})


@pytest.mark.filterwarnings("ignore:.*torch.jit.load:FutureWarning")  # deprecated, and part of the bundle
def test_every_form_runs_at_sizes_that_the_export_has_not_seen() -> None:
    torch.manual_seed(0)
    model = UpAgain().eval()
    forms = captured(model)
    assert_agrees(model, SIGNATURE, cleaned(forms))
    assert forms.missing == {}
    assert forms.torchscript is not None
    assert forms.pt2 is not None
    script = torch.jit.load(io.BytesIO(forms.torchscript))  # type: ignore[no-untyped-call]
    program = torch.export.load(io.BytesIO(forms.pt2)).module()
    for size in ((1, 1), (1, 9), (4, 4), (37, 51)):
        x = torch.randn(2, 2, *size)
        with torch.no_grad():
            for form in (script, program):
                torch.testing.assert_close(form(x), model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_stride_of_three_is_cut_from_two_more() -> None:
    torch.manual_seed(0)
    model = UpAgain(3).eval()
    operators = (*OPERATORS, Operator("ConvTranspose", "", 11, 24))
    assert_agrees(
        model, SIGNATURE, clean(captured(model).onnx, SIGNATURE, name="test", operators=operators, metadata={})
    )


def test_torchs_own_forward_is_back_afterwards() -> None:
    before = nn.ConvTranspose2d.forward
    with wanted_sizes(UpAgain()):
        assert nn.ConvTranspose2d.forward is not before
    assert nn.ConvTranspose2d.forward is before
    with pytest.raises(ZeroDivisionError), wanted_sizes(UpAgain()):
        raise ZeroDivisionError
    assert nn.ConvTranspose2d.forward is before
    with wanted_sizes(nn.Linear(2, 2)):
        assert nn.ConvTranspose2d.forward is before


def test_inside_a_size_that_does_not_vary_is_torchs_own() -> None:
    torch.manual_seed(0)
    model, x = UpAgain().eval(), torch.randn(1, 2, 9, 12)
    with torch.no_grad():
        outside = model(x)
        with wanted_sizes(model):
            torch.testing.assert_close(model(x), outside, rtol=0, atol=0)


def images(height: int | None) -> Signature:
    spec = ImageInput(3, height, height, (0.5,) * 3, (0.5,) * 3)
    dims = ("N", 3, "H", "W") if height is None else ("N", 3, height, height)
    return Signature(
        (InputPort("image", "float32", dims, spec),), (OutputPort("scores", ("N", 3, *dims[2:]), SegmentationOutput()),)
    )


def test_large_images_are_cut_for_cases_and_one_stays_whole() -> None:
    frames = [np.random.default_rng(n).integers(0, 256, (200, 131, 3), np.uint8) for n in range(3)]
    cut = cut_images(images(None), frames)
    assert [np.shape(image) for image in cut] == [(90, 127, 3)] * 3
    np.testing.assert_array_equal(cut[1], frames[1][55:145, 2:129])
    cases = {case.name: case.inputs["image"].shape for case in verification_cases(Pool.of(images(None), frames))}
    assert cases["batch_17"] == (17, 3, 90, 127)
    assert cases["size_taller"] == (2, 3, 106, 127)
    assert cases["size_wider"] == (2, 3, 90, 151)
    assert cases["size_whole"] == (1, 3, 200, 131)


def test_small_images_and_images_of_one_size_stay_as_they_are() -> None:
    small = [np.zeros((60, 100, 3), np.uint8)]
    assert np.shape(cut_images(images(None), small)[0]) == (60, 100, 3)
    assert Pool.of(images(None), small).whole is None
    large = [np.zeros((200, 300, 3), np.uint8)]
    assert cut_images(images(28), large) is large
