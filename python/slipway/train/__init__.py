"""Training: settings, batches, the loop, checkpoints and curves. ``train`` is the door; nothing here prints."""

from slipway.train._trained import Trained as Trained
from slipway.train.checkpoint import Checkpoint as Checkpoint
from slipway.train.checkpoint import load_trained as load_trained
from slipway.train.loop import Run as Run
from slipway.train.loop import train as train
from slipway.train.progress import Progress as Progress
from slipway.train.settings import resolve as resolve
from slipway.train.settings import resolve_device as resolve_device
