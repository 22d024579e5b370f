"""Does the hypothesis follow from the premise: an LSTM reads both, a classifier compares what it kept of them.

Title:   Natural language inference, LSTMs over packed sequences, merged as [p, h, p - h, p * h]
Paper:   Bowman et al. 2015, "A large annotated corpus for learning natural language inference" (the task)
Data:    SNLI or a subset of it (CC BY-SA 4.0), or synthetic pairs of sentences; see data/snli.py
Metric:  TODO 0
Time:    TODO 0 s core
"""

from __future__ import annotations

from slipway.recipes._snli import recurrent

RECIPE = recurrent("lstm", "Natural language inference, an LSTM encoder of both sentences", notes='003, "高级 RNN"')
