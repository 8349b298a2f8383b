"""Repairs text that a byte-level edit of a GBK page has put out of step.

How the damage comes about. A page is stored as GBK, two bytes a Chinese character. A tool that knows nothing
of characters searches it for byte pairs and puts something after each match (a pinyin annotation) or before it
(a mark at the end of a sentence), also where the pair is the second byte of one character and the first of the
next. Decoding then meets a first byte without a second: it shows a question mark and reads on one byte late.

    original   績(BF 83) 為(9E E9) 全(C8 AB) 市(CA D0) ... 貢(D8 95) 獻(AB 49)      and 83 9E is 優, yōu
    damaged    績(BF 83) ?(9E) yōu) 槿(E9 C8) nothing(AB CA) 写(D0 ..) ... 暙(95 AB) I(49)

An ASCII-range second byte, or another such cut, brings it in step again. Pairs in the three user-defined zones
of GBK (AAA1-AFFE, F8A1-FEFE, A140-A7A0) have no character and vanish; full-width ASCII may have become
half-width.

How it is undone. For each suspected place all original texts that would look like this are laid out as a
lattice: which byte was lost, where pairs vanished, where the text is in step again. An annotation is evidence:
what it stands behind must be a character of that reading. A path's probability is that of its characters under
a language model (jieba's word frequencies, mixed with the words of the document itself); since the damage is
deterministic, nothing else enters. The sum over all paths competes with the text as it stands and must win by
`_MARGIN`. Within the best path a character whose posterior is under `_CERTAIN` becomes U+FFFD, and so does a
stretch with many of them: a gap can be seen, an invented word cannot. (Both numbers are in `repairing`.)
"""

from ingest.mojibake.language import is_word
from ingest.mojibake.repairing import Repair, find
from ingest.mojibake.signs import GAP

__all__ = ["GAP", "Repair", "find", "is_word"]
