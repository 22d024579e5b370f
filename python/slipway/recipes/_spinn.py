"""SPINN: reads a bracketed sentence by shifting words onto a stack and reducing its two top entries to one.

Bowman et al. 2016, "A Fast Unified Model for Parsing and Sentence Understanding". The notes keep a Python list per
sentence; here the stack of a batch is one tensor with a depth per sentence, so that a step is the same few operators
for every sentence, and the loop over them can be exported. An entry is a hidden and a cell state side by side, 2D.

Any sequence of tokens has a meaning: a bracket that closes with fewer than two entries on the stack does nothing, and
the result is the top of the stack, zeros where it is empty.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slipway.loops import TimeLoop

#: Place of the closing bracket in the vocabulary: 0 is the opening one and padding, every greater place is a word.
CLOSE = 1
#: The notes' numbers of the moves; 0 is none.
REDUCE, SHIFT = 2, 3


class Reduce(nn.Module):
    """A tree LSTM: two entries and the tracker's state become one entry.

    Args:
        size: D, the size of a hidden state.
        tracker_size: The size of the tracker's hidden state.
    """

    def __init__(self, size: int, tracker_size: int) -> None:
        super().__init__()
        self.left = nn.Linear(size, 5 * size)
        self.right = nn.Linear(size, 5 * size, bias=False)
        self.track = nn.Linear(tracker_size, 5 * size, bias=False)

    def forward(self, left: Tensor, right: Tensor, tracking: Tensor) -> Tensor:
        """Map entries [N, 2D] and tracking [N, tracker_size] to entries [N, 2D]."""
        left_hidden, left_memory = left.chunk(2, 1)
        right_hidden, right_memory = right.chunk(2, 1)
        gates = self.left(left_hidden) + self.right(right_hidden) + self.track(tracking)
        a, i, f1, f2, o = gates.chunk(5, 1)
        memory = a.tanh() * i.sigmoid() + f1.sigmoid() * left_memory + f2.sigmoid() * right_memory
        return torch.cat((o.sigmoid() * memory.tanh(), memory), dim=1)


class Tracker(nn.Module):
    """An LSTM cell that watches the next word and the two top entries, and may predict the next move.

    Args:
        size: D, the size of a hidden state.
        tracker_size: The size of its own hidden state.
        predict: Whether it has the layer that scores the moves.
    """

    def __init__(self, size: int, tracker_size: int, predict: bool) -> None:
        super().__init__()
        self.rnn = nn.LSTMCell(3 * size, tracker_size)
        self.transition = nn.Linear(tracker_size, 4) if predict else None

    def forward(self, word: Tensor, top: Tensor, second: Tensor, hidden: Tensor, memory: Tensor) -> list[Tensor]:
        """Map entries [N, 2D] and its state [N, tracker_size] x 2 to its new state, and, if it predicts, scores [N, 4].

        The place of a score is the number of the move.
        """
        seen = torch.cat((word.chunk(2, 1)[0], top.chunk(2, 1)[0], second.chunk(2, 1)[0]), dim=1)
        hidden, memory = self.rnn(seen, (hidden, memory))
        if self.transition is None:
            return [hidden, memory]
        return [hidden, memory, self.transition(hidden)]


class Step(nn.Module):
    """One move of every sentence of a batch, as a step of ``TimeLoop``.

    State: stack float [N, S, 2D] whose rows 0 and 1 are zeros and stand below every sentence, depth int64 [N] (entries
    on the stack), shifted int64 [N] (words read), the tracker's hidden and memory float [N, tracker_size], and, in
    train mode of a predicting tracker, the loss of its predictions so far, float [N].
    Fixed: words float [N, B, 2D], zeros from each sentence's last word on; number of words int64 [N], below B.
    """

    def __init__(self, size: int, tracker_size: int, predict: bool) -> None:
        super().__init__()
        self.reduce = Reduce(size, tracker_size)
        self.tracker = Tracker(size, tracker_size, predict)
        self.predict = predict
        self.reduce_move, self.shift_move = REDUCE, SHIFT  # TorchScript sees no globals

    def forward(self, move: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
        """Make the moves int64 [N]; a predicting tracker follows them in train mode only, and then learns them."""
        stack, depth, shifted = state[0], state[1], state[2]
        entries = _rows(stack, torch.stack((depth, depth + 1), dim=1))
        second, top = entries[:, 0], entries[:, 1]
        word = _rows(fixed[0], shifted.unsqueeze(1)).squeeze(1)
        tracked = self.tracker(word, top, second, state[3], state[4])
        can_shift, can_reduce = shifted < fixed[1], depth >= 2
        if self.predict and not self.training:
            scores = tracked[2]
            shift = can_shift & ((scores[:, self.shift_move] > scores[:, self.reduce_move]) | ~can_reduce)
            reduce = can_reduce & ~shift
        else:
            shift, reduce = can_shift & (move == self.shift_move), can_reduce & (move == self.reduce_move)
        kept = torch.where(reduce.unsqueeze(1), self.reduce(second, top, tracked[0]), top)
        new = torch.where(shift.unsqueeze(1), word, kept)
        shifts, reduces = shift.long(), reduce.long()
        depth = depth + shifts - reduces
        stack = stack.scatter(1, _places(depth.unsqueeze(1) + 1, stack), new.unsqueeze(1))
        after = [stack, depth, shifted + shifts, tracked[0], tracked[1]]
        if self.predict and self.training:
            loss = nn.functional.cross_entropy(tracked[2], move, reduction="none")
            after.append(state[5] + torch.where(move == 0, torch.zeros_like(loss), loss))
        return after


class Parse(nn.Module):
    """Takes bracketed sentences apart into words and moves."""

    def __init__(self) -> None:
        super().__init__()
        self.close, self.reduce_move, self.shift_move = CLOSE, REDUCE, SHIFT  # TorchScript sees no globals

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return words, their number, and moves.

        Args:
            tokens: Brackets and words, int64 [T, N].
            lengths: Number of tokens of each sentence, int64 [N].

        Returns:
            words int64 [T + 1, N] without brackets, 0 behind the last; their number int64 [N]; moves int64 [T + 1, N],
            0 behind the last.
        """
        real = torch.arange(tokens.size(0), device=tokens.device).unsqueeze(1) < lengths.to(tokens.device)
        is_word = real & (tokens > self.close)
        is_move = is_word | (real & (tokens == self.close))
        moves = torch.where(is_word, self.shift_move, self.reduce_move)
        return _compact(tokens, is_word), is_word.long().sum(dim=0), _compact(moves, is_move)


class Spinn(nn.Module):
    """Encodes bracketed sentences; with ``predict`` a trained tracker finds the brackets by itself.

    Args:
        size: D, the size of a hidden state and of the result.
        tracker_size: The size of the tracker's hidden state.
        predict: Ignore the brackets in eval mode; in train mode, learn to predict them.
    """

    def __init__(self, size: int, tracker_size: int, predict: bool) -> None:
        super().__init__()
        self.loop = TimeLoop(Step(size, tracker_size, predict))
        self.tracker_size = tracker_size
        self.predict = predict

    def forward(self, words: Tensor, count: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
        """Return encoded sentences float [N, D] and the mean loss of each sentence's predicted moves, float [N].

        Args:
            words: The words' entries, float [N, B, 2D], zeros from each sentence's last word on.
            count: Number of words of each sentence, int64 [N], below B.
            moves: ``SHIFT``, ``REDUCE``, and 0 at the end, int64 [steps, N].
        """
        n, rows = words.size(0), words.size(1)
        steps = (moves != 0).sum(dim=0)
        if self.predict and not self.training:
            steps = 2 * count - 1
            moves = torch.zeros(2 * rows, n, dtype=torch.int64, device=words.device)  # not read
        hidden = words.new_zeros(n, self.tracker_size)
        stack = words.new_zeros(n, rows + 1, words.size(2))
        state = [stack, torch.zeros_like(count), torch.zeros_like(count), hidden, torch.zeros_like(hidden)]
        if self.predict and self.training:
            state.append(words.new_zeros(n))
        state = self.loop(moves, steps.max(), state, [words, count])
        top = _rows(state[0], state[1].unsqueeze(1) + 1).squeeze(1)
        loss = state[-1] / steps if self.predict and self.training else words.new_zeros(n)
        return top.chunk(2, 1)[0], loss


def _compact(values: Tensor, kept: Tensor) -> Tensor:
    """Move the kept values [T, N] to the front of each column of [T + 1, N]; the rest is 0."""
    end = torch.full_like(values, values.size(0))
    places = torch.where(kept, kept.long().cumsum(dim=0) - 1, end)
    empty = torch.zeros_like(torch.cat((values, values[:1])))
    return empty.scatter_add(0, places, torch.where(kept, values, torch.zeros_like(values)))


def _rows(x: Tensor, places: Tensor) -> Tensor:
    """Pick rows [N, K, D] of x [N, S, D] by their places [N, K]."""
    return x.gather(1, _places(places, x))


def _places(places: Tensor, x: Tensor) -> Tensor:
    return places.unsqueeze(2).expand(-1, -1, x.size(2))
