"""Networks that people bring beside onnxruntime: where is the engine slower?

    python benchmarks/networks.py                        # all, slowest against onnxruntime first; ten minutes
    python benchmarks/networks.py --only dcgan,unet --threads 2
    python benchmarks/networks.py --json networks.json

Course and torchvision models with random weights, as torch exports them, of one sample and of eight; images have 32 or
64 pixels a side. Both engines give the same answer, within float32's accuracy, before they are timed in turn. Every
call makes its outputs anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from slipway.bench.beside import compare, parser_of, report
from slipway.bench.protocol import Settings

_SETTINGS = Settings(rounds=7, turn_seconds=0.05, cell_seconds=6.0)
_BATCHES = (1, 8)


class Wrapped(nn.Module):
    """A module whose forward is a function of its parts."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        """Call the function with the parts and ``x``."""
        return self.function(self.parts, x)


def _unit(came: int, made: int, size: int = 3, act: type[nn.Module] | None = nn.ReLU, **more: Any) -> nn.Sequential:
    """Convolution, batch normalisation, activation."""
    conv = nn.Conv2d(came, made, size, padding=size // 2, bias=False, **more)
    return nn.Sequential(conv, nn.BatchNorm2d(made), act() if act else nn.Identity())


def _inverted(came: int, made: int, stride: int, act: type[nn.Module], excite: bool = False) -> nn.Sequential:
    """MobileNetV2's block, with squeeze and excitation between where asked."""
    wide = 3 * came
    between: nn.Module = nn.Identity()
    if excite:
        gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, wide // 4, 1), act(), nn.Conv2d(wide // 4, wide, 1)
        )
        between = Wrapped(lambda parts, x: x * torch.sigmoid(parts["gate"](x)), gate=gate)
    deep = _unit(wide, wide, 3, act, stride=stride, groups=wide)
    return nn.Sequential(_unit(came, wide, 1, act), deep, between, _unit(wide, made, 1, None))


def _head(channels: int, classes: int = 10) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def _mobile(act: type[nn.Module], excite: bool) -> nn.Module:
    blocks = [_inverted(16, 24, 2, act, excite), _inverted(24, 24, 1, act, excite), _inverted(24, 40, 2, act, excite)]
    return nn.Sequential(_unit(3, 16, 3, act, stride=2), *blocks, _head(40))


def _unet(up: Callable[[int], nn.Module]) -> nn.Module:
    def forward(p: Any, x: Tensor) -> Tensor:
        first = p["first"](x)
        second = p["second"](p["pool"](first))
        third = p["third"](p["pool"](second))
        second = p["fourth"](torch.cat([p["up_third"](third), second], 1))
        return torch.as_tensor(p["last"](torch.cat([p["up_second"](second), first], 1)))

    units = {"first": _unit(3, 16), "second": _unit(16, 32), "third": _unit(32, 64), "fourth": _unit(96, 32)}
    last = nn.Sequential(_unit(48, 16), nn.Conv2d(16, 2, 1))
    return Wrapped(forward, pool=nn.MaxPool2d(2), up_third=up(64), up_second=up(32), last=last, **units)


def _generator() -> nn.Module:
    layers: list[nn.Module] = []
    for came, made, stride, pad in ((64, 128, 1, 0), (128, 64, 2, 1), (64, 32, 2, 1)):
        layers += [nn.ConvTranspose2d(came, made, 4, stride, pad), nn.BatchNorm2d(made), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())


def _discriminator() -> nn.Module:
    layers: list[nn.Module] = []
    for came, made in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(came, made, 4, 2, 1), nn.BatchNorm2d(made), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(128, 1, 4))


def _dense() -> nn.Module:
    grown = [
        nn.Sequential(nn.BatchNorm2d(16 + 12 * i), nn.ReLU(), nn.Conv2d(16 + 12 * i, 12, 3, padding=1))
        for i in range(4)
    ]

    def forward(p: Any, x: Tensor) -> Tensor:
        x = p["first"](x)
        for i in range(len(grown)):
            x = torch.cat([x, p[f"grown{i}"](x)], 1)
        return torch.as_tensor(p["last"](x))

    return Wrapped(
        forward, first=nn.Conv2d(3, 16, 3, padding=1), last=_head(64), **{f"grown{i}": g for i, g in enumerate(grown)}
    )


def _temporal() -> nn.Module:
    layers: list[nn.Module] = []
    for i in range(4):
        conv = nn.Conv1d(16 if i else 8, 16, 3, padding=2**i, dilation=2**i)
        layers += [conv, nn.BatchNorm1d(16), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 5))


def _encoder(norm_first: bool) -> nn.Module:
    layer = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True, activation="gelu", norm_first=norm_first)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def _recurrent(kind: type[nn.RNNBase]) -> nn.Module:
    def forward(p: Any, x: Tensor) -> Tensor:
        states = p["cells"](p["words"](x))[0]
        weights = functional.softmax(p["score"](torch.tanh(states)), 1)
        return torch.as_tensor(p["last"]((weights * states).sum(1)))

    cells = kind(64, 64, 2, batch_first=True, bidirectional=True)
    return Wrapped(forward, words=nn.Embedding(1000, 64), cells=cells, score=nn.Linear(128, 1), last=nn.Linear(128, 5))


def _vision_transformer() -> nn.Module:
    def forward(p: Any, x: Tensor) -> Tensor:
        return torch.as_tensor(p["last"](p["layers"](p["patches"](x).flatten(2).transpose(1, 2)).mean(1)))

    return Wrapped(forward, patches=nn.Conv2d(3, 128, 4, 4), layers=_encoder(True), last=nn.Linear(128, 10))


def _language_encoder() -> nn.Module:
    forward = lambda p, x: p["last"](p["layers"](p["words"](x)).mean(1))  # noqa: E731
    return Wrapped(forward, words=nn.Embedding(1000, 128), layers=_encoder(False), last=nn.Linear(128, 10))


def _crnn() -> nn.Module:
    def forward(p: Any, x: Tensor) -> Tensor:
        return torch.as_tensor(p["last"](p["cells"](p["convolutions"](x).permute(0, 3, 1, 2).flatten(2))[0]))

    layers = (nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
    cells = nn.LSTM(128, 64, bidirectional=True, batch_first=True)
    return Wrapped(
        forward, convolutions=nn.Sequential(*layers, nn.MaxPool2d((4, 1))), cells=cells, last=nn.Linear(128, 20)
    )


def _volume() -> nn.Module:
    first = (nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2))
    second = (nn.Conv3d(8, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(16, 4))
    return nn.Sequential(*first, *second)


def _autoencoder() -> nn.Module:
    sizes = ((784, 400, nn.ELU), (400, 20, nn.Identity), (20, 400, nn.SELU), (400, 784, nn.Sigmoid))
    layers = [layer for came, made, act in sizes for layer in (nn.Linear(came, made), act())]
    return nn.Sequential(nn.Flatten(), *layers)


def _super_resolution() -> nn.Module:
    layers = (nn.Conv2d(1, 32, 5, padding=2), nn.Tanh(), nn.Conv2d(32, 16, 3, padding=1), nn.Tanh())
    return nn.Sequential(*layers, nn.Conv2d(16, 4, 3, padding=1), nn.PixelShuffle(2))


def _normal_unit(came: int, made: int) -> nn.Sequential:
    """As in DDPM: group normalisation, SiLU, convolution."""
    return nn.Sequential(nn.GroupNorm(8, came), nn.SiLU(), nn.Conv2d(came, made, 3, padding=1))


def _diffusion() -> nn.Module:
    """The noise of a picture, whose first number stands for the time."""
    sizes = {"down": (32, 64), "low": (64, 64), "up": (96, 32)}
    parts: dict[str, nn.Module] = {}
    for name, (came, made) in sizes.items():
        parts |= {f"{name}_first": _normal_unit(came, made), f"{name}_second": _normal_unit(made, made)}
        parts |= {f"{name}_time": nn.Linear(64, made), f"{name}_by": nn.Conv2d(came, made, 1)}

    def block(p: Any, name: str, x: Tensor, time: Tensor) -> Tensor:
        y = p[f"{name}_first"](x) + p[f"{name}_time"](time)[:, :, None, None]
        return torch.as_tensor(p[f"{name}_second"](y) + p[f"{name}_by"](x))

    def forward(p: Any, x: Tensor) -> Tensor:
        angles = x[:, 0, 0, :1] * torch.exp(torch.arange(16) * -0.5)
        time = p["time"](torch.cat([torch.sin(angles), torch.cos(angles)], 1))
        first = p["into"](x)
        low = block(p, "low", block(p, "down", p["halve"](first), time), time)
        both = torch.cat([functional.interpolate(low, scale_factor=2.0), first], 1)
        return torch.as_tensor(p["out"](block(p, "up", both, time)))

    time = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64))
    halve = nn.Conv2d(32, 32, 3, 2, 1)
    return Wrapped(
        forward, into=nn.Conv2d(3, 32, 3, padding=1), halve=halve, time=time, out=_normal_unit(32, 3), **parts
    )


def _style() -> nn.Module:
    """Johnson et al. 2016, with instance normalisation."""

    def unit(came: int, made: int, size: int, stride: int = 1) -> list[nn.Module]:
        conv = nn.Conv2d(came, made, size, stride)
        return [nn.ReflectionPad2d(size // 2), conv, nn.InstanceNorm2d(made, affine=True), nn.ReLU()]

    def residual() -> nn.Module:
        inner = nn.Sequential(*unit(64, 64, 3), *unit(64, 64, 3)[:-1])
        return Wrapped(lambda p, x: x + p["inner"](x), inner=inner)

    up = [nn.Upsample(scale_factor=2), *unit(64, 32, 3), nn.Upsample(scale_factor=2), *unit(32, 16, 3)]
    ends = [nn.ReflectionPad2d(4), nn.Conv2d(16, 3, 9)]
    return nn.Sequential(*unit(3, 16, 9), *unit(16, 32, 3, 2), *unit(32, 64, 3, 2), residual(), residual(), *up, *ends)


def _waves() -> nn.Module:
    """Gated convolutions of growing dilation, as in WaveNet."""

    def forward(p: Any, x: Tensor) -> Tensor:
        x = p["into"](x)
        skipped = torch.zeros(1)
        for i in range(5):
            gate, filtered = p[f"gated{i}"](functional.pad(x, (2**i, 0))).chunk(2, 1)
            both = torch.tanh(filtered) * torch.sigmoid(gate)
            skipped = skipped + p[f"skip{i}"](both)
            x = x + p[f"next{i}"](both)
        return torch.as_tensor(p["last"](torch.relu(skipped)))

    parts: dict[str, nn.Module] = {"into": nn.Conv1d(1, 16, 1), "last": nn.Conv1d(32, 64, 1)}
    for i in range(5):
        gated = nn.Conv1d(16, 32, 2, dilation=2**i)
        parts |= {f"gated{i}": gated, f"skip{i}": nn.Conv1d(16, 32, 1), f"next{i}": nn.Conv1d(16, 16, 1)}
    return Wrapped(forward, **parts)


def _language_decoder() -> nn.Module:
    """GPT of two layers, without dropout."""

    def attend(p: Any, i: int, x: Tensor) -> Tensor:
        heads = [t.unflatten(-1, (4, 32)).transpose(1, 2) for t in p[f"heads{i}"](x).chunk(3, -1)]
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        return torch.as_tensor(p[f"join{i}"](mixed.transpose(1, 2).flatten(2)))

    def forward(p: Any, x: Tensor) -> Tensor:
        x = p["words"](x) + p["places"](torch.arange(x.shape[1]))
        for i in range(2):
            x = x + attend(p, i, p[f"before{i}"](x))
            x = x + p[f"dense{i}"](x)
        return torch.as_tensor(p["last"](x))

    parts: dict[str, nn.Module] = {"words": nn.Embedding(1000, 128), "places": nn.Embedding(64, 128)}
    for i in range(2):
        dense = nn.Sequential(nn.LayerNorm(128), nn.Linear(128, 512), nn.GELU(approximate="tanh"), nn.Linear(512, 128))
        parts |= {f"before{i}": nn.LayerNorm(128), f"heads{i}": nn.Linear(128, 384), f"join{i}": nn.Linear(128, 128)}
        parts[f"dense{i}"] = dense
    last = nn.Sequential(nn.LayerNorm(128), nn.Linear(128, 1000, bias=False))
    return Wrapped(forward, last=last, **parts)


def _images(channels: int, size: int) -> Callable[[int], Tensor]:
    return lambda batch: torch.randn(batch, channels, size, size)


def _words(length: int) -> Callable[[int], Tensor]:
    return lambda batch: torch.randint(0, 1000, (batch, length))


#: Each a module, in training form, and what makes its input for a batch.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], Tensor]]] = {
    "autoencoder": (_autoencoder, _images(1, 28)),
    "bigru-attention": (partial(_recurrent, nn.GRU), _words(20)),
    "bilstm-attention": (partial(_recurrent, nn.LSTM), _words(20)),
    "crnn": (_crnn, lambda batch: torch.randn(batch, 1, 32, 64)),
    "dcgan": (_generator, _images(64, 1)),
    "dense": (_dense, _images(3, 32)),
    "diffusion": (_diffusion, _images(3, 32)),
    "discriminator": (_discriminator, _images(3, 32)),
    "gpt": (_language_decoder, _words(32)),
    "mobile-hardswish": (partial(_mobile, nn.Hardswish, excite=False), _images(3, 64)),
    "mobile-relu6": (partial(_mobile, nn.ReLU6, excite=False), _images(3, 64)),
    "mobile-silu-excite": (partial(_mobile, nn.SiLU, excite=True), _images(3, 64)),
    "style": (_style, _images(3, 64)),
    "super-resolution": (_super_resolution, _images(1, 32)),
    "temporal": (_temporal, lambda batch: torch.randn(batch, 8, 200)),
    "transformer": (_language_encoder, _words(32)),
    "unet-transposed": (partial(_unet, lambda c: nn.ConvTranspose2d(c, c, 2, 2)), _images(3, 64)),
    "unet-upsampled": (partial(_unet, lambda c: nn.Upsample(scale_factor=2, mode="bilinear")), _images(3, 64)),
    "vision-transformer": (_vision_transformer, _images(3, 32)),
    "volume": (_volume, lambda batch: torch.randn(batch, 1, 16, 16, 16)),
    "waves": (_waves, lambda batch: torch.randn(batch, 1, 200)),
    "convnext_tiny": (models.convnext_tiny, _images(3, 64)),
    "densenet121": (models.densenet121, _images(3, 64)),
    "efficientnet_b0": (models.efficientnet_b0, _images(3, 64)),
    "googlenet": (partial(models.googlenet, aux_logits=False, init_weights=False), _images(3, 64)),
    "mnasnet0_5": (models.mnasnet0_5, _images(3, 64)),
    "mobilenet_v2": (models.mobilenet_v2, _images(3, 64)),
    "mobilenet_v3_small": (models.mobilenet_v3_small, _images(3, 64)),
    "regnet_y_400mf": (models.regnet_y_400mf, _images(3, 64)),
    "resnet18": (models.resnet18, _images(3, 64)),
    "resnext50_32x4d": (models.resnext50_32x4d, _images(3, 64)),
    "shufflenet_v2_x0_5": (models.shufflenet_v2_x0_5, _images(3, 64)),
    "squeezenet1_1": (models.squeezenet1_1, _images(3, 64)),
    "vgg11_bn": (models.vgg11_bn, _images(3, 64)),
}


def run_network(name: str, batch: int, threads: int = 1, settings: Settings = _SETTINGS) -> dict[str, Any]:
    """Export a network with random weights and time it, beside onnxruntime, of one batch."""
    torch.manual_seed(0)
    make, sample = NETWORKS[name]
    module = make().eval()
    free = ({0: torch.export.Dim("N")},)
    program = torch.onnx.export(module, (sample(3),), dynamo=True, dynamic_shapes=free, verbose=False)
    if program is None:
        raise RuntimeError(f"{name}: torch.onnx.export made no program")
    model: bytes = program.model_proto.SerializeToString()
    inputs = {program.model_proto.graph.input[0].name: sample(batch).numpy()}
    return compare(f"{name}, batch {batch}", model, inputs, threads, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write JSON where asked."""
    options = parser_of(__doc__, "network").parse_args(arguments)
    chosen = list(NETWORKS) if options.only is None else options.only.split(",")
    if unknown := [name for name in chosen if name not in NETWORKS]:
        sys.stderr.write(f"--only: got {unknown[0]!r}, expected some of {', '.join(NETWORKS)}\n")
        return 2
    report(options, "network", [(name, partial(run_network, name, batch)) for name in chosen for batch in _BATCHES])
    return 0


if __name__ == "__main__":
    sys.exit(main())
