"""From which country is this surname: the bidirectional form of names_gru.

Title:   Surname to country, two bidirectional GRU layers of 100 over packed sequences
Paper:   Schuster and Paliwal 1997, "Bidirectional Recurrent Neural Networks"; otherwise as names_gru
Data:    as names_gru
Metric:  accuracy on the test split 0.848 (full set), 0.725 (embedded); expected 0.84 and 0.70
Time:    240 s (full set), 120 s (embedded) on one core of an AMD EPYC
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
