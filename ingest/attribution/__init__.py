"""Who speaks where in a document: "区住建局局长田禾表示，……". Pure.

The reading is by wording alone and prefers to miss: where the speaker of a sentence is in doubt, it has none. Work is
done on a levelled copy of the text (simplified script, lower case, one form of punctuation) of the same length, so
that offsets hold for the text itself, with quotations masked, so that what is quoted is not taken for narration.
"""

from ingest.attribution.reading import attribute

__all__ = ["attribute"]
