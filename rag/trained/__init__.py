"""What was learned, as data: weights of the fusion and the reranker."""
