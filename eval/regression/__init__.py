"""Retrieval measured again and again over the samples and small public sets: tables, a history, and what fell.

``python -m eval.regression`` runs it; ``make bench`` does. Each set is asked of its whole corpus, fused as users get it
and with each leg alone, since a fusion that does not beat its better leg is worth nothing.
"""
