"""Does the hypothesis follow from the premise: an LSTM reads both, a classifier compares what it kept of them.

Title:   Natural language inference, LSTMs over packed sequences, merged as [p, h, p - h, p * h]
Paper:   Bowman et al. 2015, "A large annotated corpus for learning natural language inference" (the task)
Data:    SNLI or a subset of it (CC BY-SA 4.0), or synthetic pairs of sentences; see data/snli.py
Metric:  accuracy on the test split 0.498 (subset, 983 pairs: chance 0.34), 1.000 (embedded); expected 0.42 and 0.85
Time:    10 s (subset), 14 s (embedded) on one core of an AMD EPYC
"""

from __future__ import annotations

from slipway.recipes._snli import recurrent

RECIPE = recurrent(
    "lstm",
    "Natural language inference, an LSTM encoder of both sentences",
    notes='003, "高级 RNN"',
    expected={"path": 0.42, "embedded": 0.85},
)
