"""Alembic migrations of the catalog; `rag.catalog` runs them on opening."""
