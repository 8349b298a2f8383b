"""A document's whole text beside the chat, at the cited place, and the file that it came from."""
