"""The catalog's schema, one file a change, in order."""
