"""Instructions planted in documents: what of them gets into answers. Run with ``python -m eval.attacks``.

The threat is indirect prompt injection (Greshake et al. 2023, "Not what you've signed up for"): whoever can write a
document that is taken in, or can have one taken in, writes into the chat model's prompt. Each attack is an ordinary
invented document that answers a question, with an instruction or a falsehood in it that must change nothing of the answer.
"""
