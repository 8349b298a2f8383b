"""Haystack, as in its tutorials 30 "Preprocessing Different File Types" and 27 "Creating Your First QA Pipeline".

Indexing: `TextFileToDocument`, `DocumentCleaner`, a splitter, `SentenceTransformersDocumentEmbedder`, `DocumentWriter` into an
`InMemoryDocumentStore`. Answering: `InMemoryEmbeddingRetriever` with its default of 10 passages, tutorial 27's prompt in a
`ChatPromptBuilder`, `OpenAIChatGenerator`. The embedders come without a prefix, their default. Two splitters:

- ``tutorial``: `DocumentSplitter` by 150 words with 50 of overlap, as tutorial 30 has it. Words are told by spaces, which
  Chinese does not write, so that most documents stay whole.
- ``characters``: `RecursiveDocumentSplitter`, which the documentation offers for other units, by 250 characters with 80 of
  overlap, about as much as those words, at paragraphs, lines and the Chinese full stop.

Written for haystack-ai 3.4 and sentence-transformers-haystack 2.0, where the embedders have moved to.
"""

# The frameworks are installed in the peers' environment alone.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.pipelines.exchange import Found, Job, Watch, serve

_TEMPLATE = """
Given the following information, answer the question.

Context:
{% for document in documents %}
    {{ document.content }}
{% endfor %}

Question: {{question}}
Answer:
"""


class Haystack:
    """The tutorials' pipelines, with one of the two splitters."""

    packages: tuple[str, ...] = (
        "haystack-ai",
        "sentence-transformers-haystack",
        "sentence-transformers",
        "openai",
    )

    def __init__(self, job: Job, splitter: str) -> None:
        from haystack import Pipeline
        from haystack.components.builders import ChatPromptBuilder
        from haystack.components.generators.chat import OpenAIChatGenerator
        from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
        from haystack.dataclasses import ChatMessage
        from haystack.document_stores.in_memory import InMemoryDocumentStore
        from haystack.utils import Secret
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
            SentenceTransformersTextEmbedder,
        )

        self._splitter = splitter
        self._store = InMemoryDocumentStore()
        self._watch = Watch()
        self._document_embedder = SentenceTransformersDocumentEmbedder(model=job.embedding)
        self._text_embedder = SentenceTransformersTextEmbedder(model=job.embedding)
        self._retriever = InMemoryEmbeddingRetriever(self._store)
        self._document_embedder.warm_up()
        self._text_embedder.warm_up()
        generator = OpenAIChatGenerator(
            model=job.model,
            api_base_url=job.base_url,
            api_key=Secret.from_token(job.api_key),
            streaming_callback=self._hear,
            generation_kwargs={"temperature": job.temperature, "max_tokens": job.max_tokens},
            timeout=job.timeout,
        )
        # The first two steps in a pipeline of their own, so that the time of the evidence can be told.
        self._retrieving = Pipeline()
        self._retrieving.add_component("text_embedder", self._text_embedder)
        self._retrieving.add_component("retriever", self._retriever)
        self._retrieving.connect("text_embedder.embedding", "retriever.query_embedding")
        self._answering = Pipeline()
        template = [ChatMessage.from_user(_TEMPLATE)]
        self._answering.add_component("prompt_builder", ChatPromptBuilder(template=template))
        self._answering.add_component("llm", generator)
        self._answering.connect("prompt_builder.prompt", "llm.messages")

    def index(self, files: Sequence[Path]) -> int:
        """Run tutorial 30's indexing pipeline."""
        from haystack import Pipeline
        from haystack.components.converters import TextFileToDocument
        from haystack.components.preprocessors import DocumentCleaner
        from haystack.components.writers import DocumentWriter

        pipeline = Pipeline()
        pipeline.add_component("converter", TextFileToDocument())
        pipeline.add_component("cleaner", DocumentCleaner())
        pipeline.add_component("splitter", self._made_splitter())
        pipeline.add_component("embedder", self._document_embedder)
        pipeline.add_component("writer", DocumentWriter(self._store))
        pipeline.connect("converter", "cleaner")
        pipeline.connect("cleaner", "splitter")
        pipeline.connect("splitter", "embedder")
        pipeline.connect("embedder", "writer")
        pipeline.run({"converter": {"sources": list(files)}})
        return int(self._store.count_documents())

    def rank(self, question: str, depth: int) -> list[Found]:
        """The retriever's ranking."""
        return [(str(d.meta["file_path"]), str(d.content)) for d in self._retrieved(question, top_k=depth)]

    def ask(self, question: str, watch: Watch) -> str:
        """Run tutorial 27's pipeline, with a streaming callback."""
        self._watch = watch
        documents = self._retrieved(question)
        watch.mark("evidence")
        response = self._answering.run({"prompt_builder": {"question": question, "documents": documents}})
        return str(response["llm"]["replies"][0].text or "")

    def _retrieved(self, question: str, **options: Any) -> list[Any]:
        found = self._retrieving.run({"text_embedder": {"text": question}, "retriever": options})
        return list(found["retriever"]["documents"])

    def _made_splitter(self) -> Any:
        from haystack.components.preprocessors import DocumentSplitter, RecursiveDocumentSplitter

        if self._splitter == "tutorial":
            return DocumentSplitter(split_by="word", split_length=150, split_overlap=50)
        return RecursiveDocumentSplitter(
            split_length=250, split_overlap=80, split_unit="char", separators=["\n\n", "\n", "。", " "]
        )

    def _hear(self, chunk: Any) -> None:
        if chunk.content:
            self._watch.mark("first_word")


if __name__ == "__main__":
    chosen = sys.argv[1]
    serve(lambda job: Haystack(job, chosen))
