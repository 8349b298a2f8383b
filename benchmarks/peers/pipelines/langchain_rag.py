"""LangChain, as in "Build a RAG agent with LangChain", section "RAG chains" (docs.langchain.com/oss/python/langchain/rag).

Splitter: `RecursiveCharacterTextSplitter` with the tutorial's 1000 characters and 200 of overlap, and the separators that
its page "Splitting recursively" gives for languages without word boundaries. Store: Chroma. `similarity_search` returns
its default of 4 passages, which `dynamic_prompt` puts into the tutorial's system message. Embeddings:
`HuggingFaceEmbeddings` as it comes, that is, without E5's "query: " and "passage: ". Written for langchain 1.4,
langchain-chroma 1.1, langchain-huggingface 1.2.
"""

# The frameworks are installed in the peers' environment alone.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.pipelines.exchange import Found, Job, Watch, serve


class LangChain:
    """The tutorial's two-step chain."""

    packages: tuple[str, ...] = (
        "langchain",
        "langchain-core",
        "langchain-text-splitters",
        "langchain-chroma",
        "langchain-huggingface",
        "langchain-openai",
        "chromadb",
        "sentence-transformers",
    )

    def __init__(self, job: Job) -> None:
        from langchain.agents import create_agent
        from langchain.agents.middleware import ModelRequest, dynamic_prompt
        from langchain_chroma import Chroma
        from langchain_huggingface import HuggingFaceEmbeddings
        from langchain_openai import ChatOpenAI

        self._store = Chroma(
            collection_name="example_collection",
            embedding_function=HuggingFaceEmbeddings(model_name=job.embedding),
        )
        self._watch = Watch()
        model: Any = ChatOpenAI(
            model=job.model,
            base_url=job.base_url,
            api_key=job.api_key,  # type: ignore[arg-type]
            temperature=job.temperature,
            max_tokens=job.max_tokens,  # type: ignore[call-arg]
            timeout=job.timeout,
        )

        @dynamic_prompt
        def prompt_with_context(request: ModelRequest[Any]) -> str:
            """Inject context into state messages."""
            retrieved = self._store.similarity_search(str(request.state["messages"][-1].text))
            self._watch.mark("evidence")
            content = "\n\n".join(document.page_content for document in retrieved)
            return f"You are a helpful assistant. Use the following context in your response:\n\n{content}"

        self._agent: Any = create_agent(model, tools=[], middleware=[prompt_with_context])

    def index(self, files: Sequence[Path]) -> int:
        """Split the files and add them to Chroma."""
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000,
            chunk_overlap=200,
            add_start_index=True,
            separators=["\n\n", "\n", " ", ".", ",", "\u200b", "\uff0c", "\u3001", "\uff0e", "\u3002", ""],
        )
        documents = [
            Document(page_content=file.read_text(encoding="utf-8"), metadata={"source": file.name})
            for file in files
        ]
        return len(self._store.add_documents(documents=splitter.split_documents(documents)))

    def rank(self, question: str, depth: int) -> list[Found]:
        """The retriever's ranking."""
        found = self._store.similarity_search(question, k=depth)
        return [(str(document.metadata["source"]), document.page_content) for document in found]

    def ask(self, question: str, watch: Watch) -> str:
        """Stream the chain's answer."""
        self._watch = watch
        said: list[str] = []
        asked = {"messages": [{"role": "user", "content": question}]}
        for message, _ in self._agent.stream(asked, stream_mode="messages"):
            if message.text:
                watch.mark("first_word")
                said.append(str(message.text))
        return "".join(said)


if __name__ == "__main__":
    serve(LangChain)
