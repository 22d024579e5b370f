"""The modules of LinkNet, as the notes build them from blocks; any height and width from 1 up.

An encoder block halves height and width (rounded up), a decoder block doubles them; because of the rounding the
decoder is told the size it has to come back to, that of the encoder's input at the same level. The last block has a
kernel of 2, which can only give even sizes: there an odd picture's last row or column of scores is cut off.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvBlock(nn.Module):
    """Convolution, batch normalisation and, where ``act``, ReLU, as one ``nn.Sequential``."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int, pad: int, bias: bool = True, act: bool = True):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inp, out, kernel, stride, pad, bias=bias), nn.BatchNorm2d(out)]
        self.conv_block = nn.Sequential(*layers, *([nn.ReLU()] if act else []))

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inp, H, W] to [N, out, H', W']."""
        y: Tensor = self.conv_block(x)
        return y


class ConvBlockWithoutSequential(nn.Module):
    """The same block with an attribute per layer, the notes' other form; its graph is easier to read."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int, pad: int, bias: bool = True, act: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inp, out, kernel, stride, pad, bias=bias)
        self.bn = nn.BatchNorm2d(out)
        self.relu = nn.ReLU() if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inp, H, W] to [N, out, H', W']."""
        y: Tensor = self.relu(self.bn(self.conv(x)))
        return y


class DeconvBlock(nn.Module):
    """Transposed convolution to a wanted size and, unless ``bare``, batch normalisation and ReLU."""

    def __init__(self, inp: int, out: int, kernel: int, stride: int, pad: int, bare: bool = False):
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(inp, out, kernel, stride, pad)
        self.batchnorm = nn.Identity() if bare else nn.BatchNorm2d(out)
        self.relu = nn.Identity() if bare else nn.ReLU()

    def forward(self, x: Tensor, output_size: list[int]) -> Tensor:
        """Map [N, inp, H, W] to [N, out, *output_size]; ``output_size`` is (H', W')."""
        y: Tensor = self.relu(self.batchnorm(self.conv_transpose(x, output_size=output_size)))
        return y


class EncoderBlock(nn.Module):
    """Two residual blocks of ResNet; the first halves height and width, so its shortcut is a convolution too."""

    def __init__(self, inp: int, out: int) -> None:
        super().__init__()
        self.block1 = nn.Sequential(ConvBlock(inp, out, 3, 2, 1), ConvBlock(out, out, 3, 1, 1))
        self.block2 = nn.Sequential(ConvBlock(out, out, 3, 1, 1), ConvBlock(out, out, 3, 1, 1))
        self.residue = ConvBlock(inp, out, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, inp, H, W] to [N, out, (H + 1) / 2, (W + 1) / 2]."""
        out1: Tensor = self.block1(x)
        out2: Tensor = self.block2(out1 + self.residue(x))
        return out2 + out1


class DecoderBlock(nn.Module):
    """Transposed convolution between two 1x1 convolutions, with a quarter of the channels."""

    def __init__(self, inp: int, out: int) -> None:
        super().__init__()
        self.conv1 = ConvBlock(inp, inp // 4, 1, 1, 0)
        self.deconv = DeconvBlock(inp // 4, inp // 4, 3, 2, 1)
        self.conv2 = ConvBlock(inp // 4, out, 1, 1, 0)

    def forward(self, x: Tensor, output_size: list[int]) -> Tensor:
        """Map [N, inp, H, W] to [N, out, *output_size]."""
        y: Tensor = self.conv2(self.deconv(self.conv1(x), output_size))
        return y


class EvenLight(nn.Module):
    """Take each picture's own mean and deviation out of each of its channels: dusk and noon become alike."""

    def forward(self, image: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, C, H, W]; a channel of one colour becomes zeros."""
        centred = image - _mean(image)
        return centred / torch.sqrt(_mean(centred * centred) + 1e-5)


class SegmentationModel(nn.Module):
    """LinkNet: scores for every pixel.

    Args:
        classes: Number of classes.
        width: Channels of the first block, a multiple of 4; 64 in the notes.
        scores_after_relu: Whether the scores pass batch normalisation and ReLU, as in the notes.
        dropout: Share of the deepest level's channels dropped.
    """

    def __init__(
        self, classes: int = 2, width: int = 64, scores_after_relu: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.even_light = EvenLight()
        self.init_conv = ConvBlock(3, width, 7, 2, 3)
        self.init_maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.encoder1 = EncoderBlock(width, width)
        self.encoder2 = EncoderBlock(width, 2 * width)
        self.encoder3 = EncoderBlock(2 * width, 4 * width)
        self.encoder4 = EncoderBlock(4 * width, 8 * width)
        self.dropout = nn.Dropout2d(dropout)
        self.decoder4 = DecoderBlock(8 * width, 4 * width)
        self.decoder3 = DecoderBlock(4 * width, 2 * width)
        self.decoder2 = DecoderBlock(2 * width, width)
        self.decoder1 = DecoderBlock(width, width)
        self.final_deconv1 = DeconvBlock(width, width // 2, 3, 2, 1)
        self.final_conv = ConvBlock(width // 2, width // 2, 3, 1, 1)
        self.final_deconv2 = DeconvBlock(width // 2, classes, 2, 2, 0, bare=not scores_after_relu)

    def forward(self, image: Tensor) -> Tensor:
        """Map images [N, 3, H, W] to scores [N, classes, H, W]."""
        init_conv = self.init_conv(self.even_light(image))
        init_maxpool = self.init_maxpool(init_conv)
        e1 = self.encoder1(init_maxpool)
        e2 = self.encoder2(e1)
        e3 = self.encoder3(e2)
        e4 = self.dropout(self.encoder4(e3))
        d4 = self.decoder4(e4, _size(e3)) + e3
        d3 = self.decoder3(d4, _size(e2)) + e2
        d2 = self.decoder2(d3, _size(e1)) + e1
        d1 = self.decoder1(d2, _size(init_maxpool))
        final_deconv1 = self.final_deconv1(d1, _size(init_conv))
        final_conv = self.final_conv(final_deconv1)
        scores: Tensor = self.final_deconv2(final_conv, [2 * final_conv.size(2), 2 * final_conv.size(3)])
        return cut(scores, image.size(2), image.size(3))


def _mean(x: Tensor) -> Tensor:
    """Mean over height and width, [N, C, 1, 1]; row by row, because some runtimes add up one value after the other."""
    return x.mean(dim=3, keepdim=True).mean(dim=2, keepdim=True)


def cut(x: Tensor, height: int, width: int) -> Tensor:
    """Return the first rows and columns of [N, C, H, W]; unlike a slice, with sizes that torch 2.11 can follow."""
    return x.narrow(2, 0, height).narrow(3, 0, width)


def _size(x: Tensor) -> list[int]:
    """Height and width of [N, C, H, W]."""
    return [x.size(2), x.size(3)]
