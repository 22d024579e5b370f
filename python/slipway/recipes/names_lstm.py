"""From which country is this surname: names_gru with LSTM layers.

Title:   Surname to country, two LSTM layers of 100 over packed sequences
Paper:   Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; otherwise as names_gru
Data:    as names_gru
Metric:  accuracy on the test split 0.846 (full set), 0.712 (embedded); expected 0.83 and 0.69
Time:    130 s (full set), 71 s (embedded) on one core of an AMD EPYC

The notes explain the LSTM and train the GRU; everything but the cell is that of names-gru. The last layer reads the
hidden state, not the cell state.
"""

from __future__ import annotations

from dataclasses import replace

from slipway.recipes import names_gru

RECIPE = replace(
    names_gru.RECIPE,
    name="names-lstm",
    title="Surname to country, two LSTM layers over packed sequences",
    notes='000, "循环神经网络 RNN Basic: LSTM" and "RNN Advanced: 根据姓名进行国籍预测"',
    config=names_gru.Config(cell="lstm"),
    expected={"path": 0.83, "embedded": 0.69},
)
