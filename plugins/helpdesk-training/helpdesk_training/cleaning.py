"""Text as it is kept."""


def storable(text: str) -> str:
    """Text as databases take it and browsers send it: without NUL and halves of characters, lines end alike."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\r\n", "\n").replace("\r", "\n").strip()
