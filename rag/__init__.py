"""Answers questions from the library."""
