"""From which country is this surname: names_gru with plain RNN layers.

Title:   Surname to country, two tanh RNN layers of 100 over packed sequences
Paper:   Elman 1990, "Finding Structure in Time"; otherwise as names_gru
Data:    as names_gru
Metric:  accuracy on the test split 0.832 (full set), 0.702 (embedded); expected 0.82 and 0.68
Time:    64 s (full set), 40 s (embedded) on one core of an AMD EPYC

Everything but the cell is that of names-gru: what the gates of the GRU and of the LSTM are worth is the difference of
the scores. Surnames are short, so it is small.
"""

from __future__ import annotations

from dataclasses import replace

from slipway.recipes import names_gru

RECIPE = replace(
    names_gru.RECIPE,
    name="names-rnn",
    title="Surname to country, two RNN layers over packed sequences",
    notes='000, "循环神经网络 RNN Advanced: 根据姓名进行国籍预测"',
    config=names_gru.Config(cell="rnn"),
    expected={"path": 0.82, "embedded": 0.68},
)
