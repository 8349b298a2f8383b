"""Stock pipelines that a user would take instead, run over the same documents with the same models.

``python -m benchmarks.peers`` from the project's folder writes ``benchmarks/peers.md`` and ``benchmarks/peers.json``. The
peers live in an environment of their own (``.venv-peers``, from ``requirements.txt``); `pipelines` runs there and imports
nothing of the project.
"""
