"""Conversations that outlast the page: kept for each visitor, listed, opened again, exported."""
