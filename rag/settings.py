"""Settings: defaults, then the library's ``settings.toml``, then ``WENZHENG_*`` variables, then flags.

Settings are read once at the edge (command line, tests) and passed on explicitly; nothing else reads the
environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import SettingsError

ENV_PREFIX = "WENZHENG_"
SETTINGS_FILE = "settings.toml"
_NOT_SHAPING = {"home", "models", "models_source", "models_hub", "host", "port", "language", "chat_api_key"}
_SECRET = ("key", "password", "secret")
_MODELS = ("embedding_model", "rerank")
"""Settings that may name a model's folder."""


class Settings(BaseSettings):
    """All settings of one run. Frozen; unknown keys are refused."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=ENV_PREFIX)

    home: Path = Field(
        default_factory=lambda: user_data_path("wenzheng", appauthor=False),
        description="Folder of one library: catalog, index, originals, settings.toml.",
    )
    models: Path = Field(
        default_factory=lambda: user_data_path("wenzheng-models", appauthor=False),
        description="Folder of the model files, shared between libraries.",
    )

    # Where model files come from
    models_source: Path | None = Field(
        default=None, description="Folder with model files placed by hand, for machines without a network."
    )
    models_hub: str | None = Field(
        default="https://huggingface.co", description="Address of a model hub; empty to skip the hub."
    )

    # Embedding
    embedding_model: str = Field(
        default="e5-small",
        description="A name of the catalogue, or any SentenceTransformer name or folder.",
    )
    embedding_batch: int = Field(
        default=0, ge=0, le=1024, description="Passages encoded together; 0 for what the engine likes best."
    )
    embedding_backend: Literal["auto", "torch", "openvino"] = Field(
        default="auto", description="Engine of the embedding model; auto measures once and takes the faster."
    )

    # Chat model
    chat_model: str = Field(
        default="default",
        description="'default' or 'small' for the embedded model, or the model's name at chat_base_url.",
    )
    chat_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint, for example http://localhost:11434/v1."
    )
    chat_api_key: SecretStr | None = Field(default=None, description="Key of that endpoint.")
    chat_timeout: float = Field(default=120.0, gt=0, description="Seconds without a word before giving up.")
    chat_threads: int = Field(default=0, ge=0, description="Threads of the embedded model; 0 for all cores.")
    chat_context: int = Field(
        default=4096, ge=1024, description="Context length of the embedded model in tokens."
    )
    answer_tokens: int = Field(default=320, ge=16, description="Longest answer in tokens.")

    # Ingestion
    chunk_chars: int = Field(
        default=260, ge=40, le=2000, description="Target length of a chunk in characters."
    )
    keep_originals: bool = Field(default=True, description="Keep a copy of each file for download.")
    ocr: bool = Field(default=True, description="Read scanned pages and pictures.")
    fetch_allow: str = Field(
        default="",
        description="Sites whose pages may be fetched into the library, parted by commas; *.example.cn for all below one.",
    )
    fetch_seconds: float = Field(
        default=30.0, gt=0, le=600, description="Longest time for fetching one address."
    )
    max_file_mb: int = Field(default=64, ge=1, description="Largest file taken in, in megabytes.")
    max_pages: int = Field(default=5000, ge=1, description="Most pages of one file.")
    max_ocr_pages: int = Field(default=300, ge=0, description="Most pages of one file read as pictures.")
    max_image_pixels: int = Field(default=50_000_000, ge=1, description="Largest picture, in pixels.")
    max_text_chars: int = Field(default=20_000_000, ge=1, description="Longest text of one file.")
    max_table_rows: int = Field(default=200_000, ge=1, description="Most table rows of one file.")
    max_archive_files: int = Field(default=10_000, ge=1, description="Most files in one archive.")
    max_archive_mb: int = Field(default=2048, ge=1, description="Largest archive, unpacked, in megabytes.")
    max_archive_ratio: int = Field(default=200, ge=2, description="Greatest compression taken for honest.")
    max_archive_depth: int = Field(default=3, ge=1, description="How deep archives may lie in archives.")
    parse_stall_seconds: float = Field(
        default=30.0, gt=0, description="How long reading a file may go on without a page's progress."
    )
    parse_total_seconds: float = Field(default=1800.0, gt=0, description="How long reading a file may take.")
    parse_memory_mb: int = Field(
        default=1024, ge=256, description="Memory that reading a file may take, in megabytes."
    )

    # Retrieval and answer
    passages: int = Field(default=4, ge=1, le=20, description="Passages given to the chat model.")
    candidates: int = Field(default=50, ge=1, le=500, description="Hits taken from each leg before fusion.")
    rerank: str = Field(
        default="auto",
        min_length=1,
        description="What reads the first passages together with the question where their order is in doubt: 'auto' "
        "for what comes with the program, 'off' for nothing, or a CrossEncoder's folder or name on a hub (owner/name).",
    )
    rewrite: Literal["rules", "model", "off"] = Field(
        default="rules",
        description="How a follow-up question is made to stand alone: by rules, also by the chat model where they "
        "find nothing, or not at all.",
    )
    prompt_chars: int = Field(
        default=900, ge=200, description="Longest evidence given to the chat model, in characters."
    )
    evidence_threshold: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="Probability that the passages, then the answer, answer, under which a question is refused; 0: never.",
    )
    answer_style: Literal["auto", "full", "short"] = Field(
        default="auto",
        description="Whole sentences, or a few words; auto is full, but short in a benchmark whose answers are short.",
    )
    assess: bool = Field(
        default=True,
        description="Ask the chat model how likely what it is shown answers, before it answers. Costs about half a second; "
        "without effect where the endpoint tells no probabilities.",
    )
    translate: bool = Field(
        default=True,
        description="Answer English questions over Chinese documents from the Chinese and translate what stands; off lets the chat "
        "model answer in English at once, which large models do well.",
    )
    correct: bool = Field(
        default=True,
        description="Let the chat model put right, once, the sentences that the documents do not bear out.",
    )
    unsupported: Literal["drop", "strike"] = Field(
        default="drop",
        description="Whether a sentence that the documents do not bear out is left out, or shown struck out.",
    )
    max_question_chars: int = Field(default=2000, ge=1, description="Longest question in characters.")

    # Service
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)
    language: Literal["auto", "zh", "en"] = Field(default="auto", description="Language of the interface.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the base class's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only explicit values and nothing ambient: `load_settings` has merged file, environment and flags."""
        return (init_settings,)

    @property
    def embedded_chat(self) -> bool:
        """Whether the chat model runs in this program's own child process."""
        return self.chat_base_url is None


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Merge defaults, file, environment and flags into `Settings`.

    :param flags: values given on the command line; None values count as not given
    :param environ: the environment, by default the process's own
    :raises SettingsError: on an unknown key (with the nearest known one) or a value that does not fit
    """
    environ = os.environ if environ is None else environ
    known = Settings.model_fields
    env = {}
    for key, value in environ.items():
        if not key.startswith(ENV_PREFIX):
            continue
        name = key.removeprefix(ENV_PREFIX).lower()
        _check_known(name, f"the environment variable {key}", known, lambda n: ENV_PREFIX + n.upper())
        env[name] = value if value != "" else None
    env = {name: value for name, value in env.items() if value is not None or name == "models_hub"}
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    for name in given:
        _check_known(name, f"the setting {name}", known, str)
    home = Path(given.get("home") or env.get("home") or user_data_path("wenzheng", appauthor=False))
    file = home / SETTINGS_FILE
    from_file = _read_file(file)
    for name in from_file:
        _check_known(name, f"the setting {name} in {file}", known, str)
    merged: dict[str, Any] = {**from_file, **env, **given, "home": home}
    for name in ("home", "models", "models_source"):
        if merged.get(name):
            merged[name] = Path(merged[name]).expanduser().absolute()
    reranker = merged.get("rerank")
    if reranker not in ("", None, "auto", "off") and Path(reranker).expanduser().is_dir():
        merged["rerank"] = str(Path(reranker).expanduser().absolute())
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"The setting {name} does not take the value {_shown(name, merged.get(name))}: {first['msg']}.",
            f"Change it in {file}, in {ENV_PREFIX}{name.upper()} or in the flag.",
        ) from error


def shaping_settings(settings: Settings) -> dict[str, Any]:
    """The settings that shape answers, as plain data that a record may hold.

    Folders and the address of the service are left out, and so are keys and passwords; in addresses the user and password and the
    values of a query are "***". Of a model's folder its own name alone is told, for a model that was moved is the same.
    """
    told = settings.model_dump(mode="json", exclude=_NOT_SHAPING)
    for name in _MODELS:
        told[name] = _told_model(told[name])
    return {
        name: _told_address(value) if isinstance(value, str) and "://" in value else value
        for name, value in told.items()
        if not any(word in name.lower() for word in _SECRET)
    }


def _told_model(model: str) -> str:
    """A model's name, without the folders above it where it is named by its place."""
    path = Path(model).expanduser()
    return path.name or model if path.is_absolute() or model.startswith((".", "~")) else model


def _told_address(address: str) -> str:
    """An address without what may be secret in it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "***"
    _, at, host = parts.netloc.rpartition("@")
    query = "&".join(f"{pair.partition('=')[0]}=***" for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, f"***@{host}" if at else host, parts.path, query, ""))


def _shown(name: str, value: object) -> str:
    return "given" if "key" in name else repr(value)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error}.", "Mend or remove it."
        ) from error


def _check_known(name: str, what: str, known: Mapping[str, object], spell: Any) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"Did you mean {spell(near[0])}?" if near else f"Known settings: {', '.join(sorted(known))}."
    raise SettingsError(f"{what[0].upper()}{what[1:]} is not known.", fix)
