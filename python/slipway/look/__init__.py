"""What a model is and what a machine has, as facts: cards, pictures of graphs, findings.

Nothing here is measured (that is ``slipway.bench``) and nothing is printed (that is ``slipway.cli``).
"""
