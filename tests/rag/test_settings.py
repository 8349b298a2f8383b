from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from rag.errors import SettingsError
from rag.settings import Settings, load_settings, shaping_settings


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("passages = 2\ncandidates = 20\nport = 1111\n", encoding="utf-8")
    environ = {"WENZHENG_CANDIDATES": "30", "WENZHENG_PORT": "2222", "OTHER": "x"}
    settings = load_settings({"home": tmp_path, "port": 3333}, environ)
    assert (settings.passages, settings.candidates, settings.port) == (2, 30, 3333)


def test_the_library_folder_comes_from_the_environment(tmp_path: Path) -> None:
    settings = load_settings({}, {"WENZHENG_HOME": str(tmp_path), "WENZHENG_MODELS": str(tmp_path / "m")})
    assert (settings.home, settings.models) == (tmp_path, tmp_path / "m")


@pytest.mark.parametrize(
    ("flags", "environ", "said"),
    [
        ({"pasages": 3}, {}, "Did you mean passages"),
        ({}, {"WENZHENG_CHAT_MODLE": "x"}, "Did you mean WENZHENG_CHAT_MODEL"),
        ({"passages": "many"}, {}, "passages does not take the value 'many'"),
        ({"port": 70000}, {}, "port does not take the value 70000"),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_do(
    tmp_path: Path, flags: dict[str, object], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings({"home": tmp_path, **flags}, environ)


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("passages = = 2", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"settings\.toml cannot be read"):
        load_settings({"home": tmp_path}, {})
    (tmp_path / "settings.toml").write_text("unknown_key = 2", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"unknown_key in .*settings\.toml is not known"):
        load_settings({"home": tmp_path}, {})


def test_settings_do_not_change_and_do_not_show_the_key() -> None:
    settings = Settings(chat_api_key="secret-value")  # type: ignore[arg-type]
    assert "secret-value" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1


def test_what_shapes_answers_is_told_without_secrets_and_folders() -> None:
    address = "https://user:pass-word-1@host:8443/v1?key=pass-word-1"
    told = shaping_settings(
        Settings(chat_api_key=SecretStr("pass-word-1"), chat_base_url=address, passages=7)
    )
    assert (told["passages"], told["chat_base_url"]) == (7, "https://***@host:8443/v1?key=***")
    assert not {"home", "models", "port", "chat_api_key"} & set(told)
    assert "pass-word-1" not in str(told)


def test_settings_that_are_named_after_secrets_are_left_out() -> None:
    class Later(Settings):
        proxy_password: str = "pass-word-1"
        search_key: str = "pass-word-1"

    told = shaping_settings(Later())
    assert not {"proxy_password", "search_key", "chat_api_key", "home"} & set(told)
    assert "pass-word-1" not in str(told)
    assert {"chunk_chars", "answer_tokens"} <= set(told)
