"""CMRC 2018 in its own form: a list of contexts, each with its questions (Cui et al. 2019, arXiv 1810.07366).

``[{"context_id", "context_text", "title", "qas": [{"query_id", "query_text", "answers": ["..."]}]}]``
"""

from __future__ import annotations

from typing import Any

from eval.benchmarks.corpus import Cases, Texts, lang_of, main_script
from eval.benchmarks.reading import record
from eval.cases import Benchmark, Case


def is_cmrc(value: Any) -> bool:
    """Whether a JSON value has this form."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and not {"context_id", "context_text"}.isdisjoint(value[0])
    )


def load_cmrc(value: Any, place: str, name: str) -> Benchmark:
    """Read the form from its JSON value: one document for each distinct context, which is gold and given.

    Questions without a word, of which the published file has some, are passed over.

    :param place: the file's name, for errors
    :raises SourceError: a record is malformed
    """
    contexts = [record(item, f"{place}, [{i}]") for i, item in enumerate(value)]
    default = main_script(context.text("context_text") for context in contexts)
    texts, cases = Texts(), Cases()
    for context in contexts:
        id_, text = context.identifier("context_id"), context.text("context_text", blank=False)
        if id_ in texts.documents and texts.documents[id_].text != text:
            raise context.wrong(f'repeats the id "{id_}" with another text', f"重复了编号“{id_}”，而文本不同")
        document = texts.add(id_, text, context.optional_text("title"), default=default)
        for qa in context.records("qas"):
            question = qa.text("query_text")
            if not question.strip():
                continue
            answers = tuple(dict.fromkeys(a.strip() for a in qa.texts("answers") if a.strip()))
            if not answers:
                raise qa.wrong('has no answer in "answers"', "的“answers”中没有答案")
            case = Case(
                id=qa.identifier("query_id"),
                question=question,
                answers=answers,
                gold=(document,),
                lang=lang_of(question, default),
                type="span",
                given=(document,),
            )
            cases.add(case, qa)
    return Benchmark(name, "cmrc", tuple(texts.documents.values()), tuple(cases.cases))
