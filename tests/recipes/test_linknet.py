"""linknet: its blocks, its data, its score, and sizes of all kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from slipway.data import camvid
from slipway.errors import DataError, UsageError
from slipway.recipes._linknet import ConvBlock, ConvBlockWithoutSequential, DeconvBlock, EncoderBlock, SegmentationModel
from slipway.recipes._recipe import Result
from slipway.recipes.linknet import (
    IGNORED,
    RECIPE,
    WEIGHTS,
    Config,
    SceneModel,
    data,
    larger,
    loss,
    pictures,
    road_iou,
    road_or_not,
    smaller,
)

SMALL = Config(width=8)


def write_camvid(folder: Path, size: tuple[int, int] = (10, 14), count: int = 2) -> None:
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for room in (folder / part, folder / f"{part}annot"):
            room.mkdir(parents=True)
        for n in range(count):
            image, target = camvid.draw_scene(rng, *size)
            Image.fromarray(image).save(folder / part / f"{n}.png")
            Image.fromarray(target).save(folder / f"{part}annot" / f"{n}.png")


@pytest.mark.parametrize("act", [True, False])
def test_both_forms_of_the_block_are_one_function(act: bool) -> None:
    torch.manual_seed(0)
    one, other = ConvBlock(3, 5, 3, 2, 1, act=act), ConvBlockWithoutSequential(3, 5, 3, 2, 1, act=act)
    names = {"conv": "conv_block.0", "bn": "conv_block.1"}
    state = one.state_dict()
    other.load_state_dict(
        {name: state[name.replace(name.split(".")[0], names[name.split(".")[0]])] for name in other.state_dict()}
    )
    x = torch.randn(2, 3, 9, 8)
    torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)
    assert bool((one(x) < 0).any()) is not act


@pytest.mark.parametrize("size", [(8, 8), (7, 8), (1, 3)])
def test_a_decoder_comes_back_to_the_encoders_size(size: tuple[int, int]) -> None:
    x = torch.randn(2, 4, *size)
    halved = EncoderBlock(4, 8)(x)
    assert halved.shape == (2, 8, -(-size[0] // 2), -(-size[1] // 2))
    assert DeconvBlock(8, 4, 3, 2, 1)(halved, list(size)).shape == x.shape


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (33, 64), (37, 51), (64, 96), (65, 66)])
@pytest.mark.parametrize("scores_after_relu", [True, False])
def test_every_size_gets_scores_of_its_size(size: tuple[int, int], scores_after_relu: bool) -> None:
    torch.manual_seed(0)  # else all six scores of one pixel may be positive by chance
    model = SegmentationModel(3, 8, scores_after_relu).eval()
    with torch.no_grad():
        scores = model(torch.randn(2, 3, *size))
    assert scores.shape == (2, 3, *size)
    assert bool((scores < 0).any()) is not scores_after_relu


def test_the_default_sizes_are_those_of_the_notes() -> None:
    shapes = {n: tuple(p.shape) for n, p in SegmentationModel().named_parameters() if p.dim() == 4}
    assert shapes["init_conv.conv_block.0.weight"] == (64, 3, 7, 7)
    assert shapes["encoder4.block1.0.conv_block.0.weight"] == (512, 256, 3, 3)
    assert shapes["decoder4.deconv.conv_transpose.weight"] == (128, 128, 3, 3)
    assert shapes["final_deconv1.conv_transpose.weight"] == (64, 32, 3, 3)
    assert shapes["final_deconv2.conv_transpose.weight"] == (32, 2, 2, 2)


def test_the_score_counts_road_and_leaves_out_what_has_no_class() -> None:
    predicted = torch.tensor([[1, 1, 0, 0, 1, 0]])
    targets = torch.tensor([[1, 0, 1, 0, IGNORED, IGNORED]], dtype=torch.uint8)
    for road, classes in ((1, 2), (camvid.ROAD, len(camvid.LABELS))):
        labels = torch.where(targets == 1, road, targets).to(torch.uint8)[:, None]
        scores = nn.functional.one_hot(predicted * road, classes).permute(0, 2, 1)[:, :, None].float()
        assert road_iou(scores, labels) == (1.0, 3.0)


def test_the_loss_is_the_mean_over_pixels_with_a_class() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    targets = torch.randint(0, 4, (2, 3, 5)).to(torch.uint8)
    targets[0, 1] = IGNORED
    expected = nn.functional.cross_entropy(scores, targets.long(), ignore_index=IGNORED)
    torch.testing.assert_close(loss(scores, targets), expected)
    scores = torch.randn(2, 11, 3, 5, dtype=torch.float64)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    expected = nn.functional.cross_entropy(scores, targets.long(), weights, ignore_index=IGNORED)
    torch.testing.assert_close(loss(scores, targets), expected, rtol=1e-6, atol=0)
    assert loss(scores, torch.full_like(targets, IGNORED)) == 0


def test_road_or_not_and_eleven_classes_have_the_same_road() -> None:
    two, eleven = data("embedded", Config()), data("embedded", Config(classes=11))
    assert set(two.test.targets.unique().tolist()) == {0, 1, IGNORED}
    assert (len(two.labels), len(eleven.labels)) == (2, 11)
    np.testing.assert_array_equal(two.test.targets == 1, eleven.test.targets == camvid.ROAD)
    np.testing.assert_array_equal(two.test.targets == IGNORED, eleven.test.targets == IGNORED)
    with pytest.raises(UsageError, match="classes is 3, expected 2"):
        data("embedded", Config(classes=3))


def test_the_network_learns_all_classes_where_two_are_asked_for() -> None:
    dataset = data("embedded", SMALL)
    assert set(dataset.train.targets.unique().tolist()) <= {*range(11), IGNORED}
    assert dataset.train.targets.max() > 1
    assert dataset.train.targets.shape == (40 * 48, 30, 50)
    assert dataset.train.raws[0].shape == (30, 50, 3)
    both = data("embedded", replace(SMALL, all_classes=False, shrink=1, pieces=0))
    assert set(both.train.targets.unique().tolist()) == {0, 1, IGNORED}
    assert both.train.raws[0].shape == (camvid.HEIGHT, camvid.WIDTH, 3)
    with pytest.raises(UsageError, match="shrink is 2 and pieces 0"):
        data("embedded", replace(SMALL, pieces=0))


def test_road_or_not_keeps_the_probability_of_road() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 11, 3, 4, dtype=torch.float64)
    expected = scores.softmax(dim=1)[:, camvid.ROAD]
    torch.testing.assert_close(road_or_not(scores).softmax(dim=1)[:, 1], expected)


def test_a_picture_made_smaller_holds_means_and_scores_made_larger_repeat() -> None:
    image = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]
    assert smaller(image, 2).tolist() == [[[[3.0, 4.5], [7.5, 9.0]]]]
    assert smaller(image, 1) is image
    assert larger(torch.tensor([[1.0, 2.0]])[None, None], 2).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (33, 64)])
def test_the_model_scores_every_size_and_takes_pieces_as_they_are(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = SceneModel(SMALL)
    with torch.no_grad():
        assert model.train()(torch.rand(2, 3, *size)).shape == (2, 11, *size)
        image = torch.rand(2, 3, *size)
        scores = model.eval()(image)
        halved = larger(road_or_not(model.net(smaller(image, 2))), 2)
    assert scores.shape == (2, 2, *size)
    torch.testing.assert_close(scores, halved[:, :, : size[0], : size[1]])


def test_a_folder_is_read_pair_by_pair(tmp_path: Path) -> None:
    write_camvid(tmp_path / "CamVid")
    for request in (tmp_path, tmp_path / "CamVid"):
        dataset = camvid.load(str(request))
        assert dataset.train.targets.shape == (2, 10, 14)
        assert dataset.train.raws[0].shape == (10, 14, 3)
        assert dataset.source.kind == "path"


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    write_camvid(tmp_path / "a")
    Image.fromarray(np.full((10, 14), 12, np.uint8)).save(tmp_path / "a" / "testannot" / "1.png")
    with pytest.raises(DataError, match="has class 12, expected 0 to 11"):
        camvid.load(str(tmp_path / "a"))
    (tmp_path / "a" / "testannot" / "1.png").unlink()
    with pytest.raises(DataError, match="cannot read image"):
        camvid.load(str(tmp_path / "a"))
    write_camvid(tmp_path / "b")
    Image.fromarray(np.zeros((9, 14), np.uint8)).save(tmp_path / "b" / "trainannot" / "0.png")
    with pytest.raises(DataError, match="expected one class per pixel"):
        camvid.load(str(tmp_path / "b"))
    Image.fromarray(np.zeros((10, 14), np.uint8)).save(tmp_path / "b" / "train" / "0.png")
    with pytest.raises(DataError, match=r"b/train/0\.png is \[10, 14\], expected a picture of three colours"):
        camvid.load(str(tmp_path / "b"))


def test_drawn_scenes_are_the_same_every_time_and_differ_between_splits() -> None:
    first, second = camvid.load("embedded"), camvid.load("embedded")
    np.testing.assert_array_equal(first.train.raws, second.train.raws)
    np.testing.assert_array_equal(first.test.targets, second.test.targets)
    assert "synthetic" in first.source.name
    assert not any(np.array_equal(a, b) for a in first.train.raws for b in first.test.raws)


def test_the_overlay_is_drawn_the_same_twice() -> None:
    torch.manual_seed(0)
    dataset = data("embedded", SMALL)
    module = RECIPE.build(SMALL, dataset).eval()
    result = Result(SMALL, RECIPE.training, dataset, RECIPE.signature(SMALL, dataset), module, 0, [])
    first = pictures(result)["overlay"]
    assert first.startswith(b"\x89PNG")
    assert first == pictures(replace(result, seed=1))["overlay"]
