"""Learns what `rag/trained` holds: the weights of the fusion and the reranker's difference.

Three steps, each a command: ``python -m eval.training.candidates``, ``... .reranker``, ``... .fusion``. README.md in this
folder tells what they were run on, under which licences, and what came out.
"""
