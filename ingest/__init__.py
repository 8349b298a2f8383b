"""Turns files into chunks in the library."""
