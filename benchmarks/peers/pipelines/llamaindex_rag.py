"""LlamaIndex, as in "Starter Tutorial (Using Local LLMs)" (developers.llamaindex.ai, framework/getting_started).

`SimpleDirectoryReader`, `VectorStoreIndex.from_documents` with the default `SentenceSplitter` (1024 tokens, 200 of overlap),
`as_query_engine` with its default of 2 passages and the response mode "compact"; ``streaming=True`` as in "Streaming". The
tutorial's Ollama is `OpenAILike` here, with the endpoint's context window. `HuggingFaceEmbedding` as it comes adds its own
instruction only to models that it knows by name. Its tokenizer and NLTK data come in the package of llama-index-core, so
that nothing is fetched. Written for llama-index-core 0.14.
"""

# The frameworks are installed in the peers' environment alone.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.pipelines.exchange import Found, Job, Watch, serve


class LlamaIndex:
    """The tutorial's index and query engine."""

    packages: tuple[str, ...] = (
        "llama-index-core",
        "llama-index-embeddings-huggingface",
        "llama-index-llms-openai-like",
        "sentence-transformers",
    )

    def __init__(self, job: Job) -> None:
        from llama_index.core import Settings
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from llama_index.llms.openai_like import OpenAILike

        Settings.embed_model = HuggingFaceEmbedding(model_name=job.embedding)
        Settings.llm = OpenAILike(
            model=job.model,
            api_base=job.base_url,
            api_key=job.api_key,
            is_chat_model=True,
            context_window=job.context,
            temperature=job.temperature,
            max_tokens=job.max_tokens,
            timeout=job.timeout,
        )
        self._index: Any = None
        self._engine: Any = None

    def index(self, files: Sequence[Path]) -> int:
        """Read the folder into a `VectorStoreIndex`."""
        from llama_index.core import SimpleDirectoryReader, VectorStoreIndex

        documents = SimpleDirectoryReader(str(files[0].parent)).load_data()
        self._index = VectorStoreIndex.from_documents(documents)
        self._engine = self._index.as_query_engine(streaming=True)
        return len(self._index.docstore.docs)

    def rank(self, question: str, depth: int) -> list[Found]:
        """The retriever's ranking."""
        found = self._index.as_retriever(similarity_top_k=depth).retrieve(question)
        return [(str(node.metadata["file_name"]), node.get_content()) for node in found]

    def ask(self, question: str, watch: Watch) -> str:
        """Stream the query engine's answer; its two steps are called one by one, to tell the time of the evidence."""
        from llama_index.core.schema import QueryBundle

        bundle = QueryBundle(question)
        nodes = self._engine.retrieve(bundle)
        watch.mark("evidence")
        said: list[str] = []
        for text in self._engine.synthesize(bundle, nodes).response_gen:
            if text:
                watch.mark("first_word")
                said.append(text)
        return "".join(said)


if __name__ == "__main__":
    serve(LlamaIndex)
