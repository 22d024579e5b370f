"""From which country is this surname: the bidirectional form of names_gru.

Title:   Surname to country, two bidirectional GRU layers of 100 over packed sequences
Paper:   Schuster and Paliwal 1997, "Bidirectional Recurrent Neural Networks"; otherwise as names_gru
Data:    as names_gru
Metric:  accuracy on the test split, expected 0.84 (full set), MEASURED_EMBEDDED (embedded)
Time:    MEASURED_TIME on two CPU cores
"""

from __future__ import annotations

from dataclasses import replace

from slipway.recipes import names_gru

RECIPE = replace(
    names_gru.RECIPE,
    name="names-bigru",
    title="Surname to country, two bidirectional GRU layers over packed sequences",
    notes='000, "循环神经网络 RNN Advanced: 根据姓名进行国籍预测" (双向)',
    config=names_gru.Config(bidirectional=True),
)
