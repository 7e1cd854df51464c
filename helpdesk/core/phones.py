"""Phone numbers as they are compared: whoever types one writes it as they like."""

SHORTEST = 5


def phone_key(text: str | None) -> str | None:
    """The digits of a number from the last to the first, without the zeros before it; None where there is none.

    "+49 176 123-45" and "0049 17612345" are the same, and "0176 12345" is how both begin: the prefix of a country
    stands at the end, where it may be missing.
    """
    # "+49 (0)176": the zero in brackets is dialled within the country only.
    plain = (text or "").replace("(0)", "")
    digits = "".join(filter(str.isdecimal, plain))
    if not digits.isascii():
        digits = "".join(str(int(sign)) for sign in digits)
    digits = digits.lstrip("0")
    return digits[::-1][:64] or None


def searched_key(text: str) -> str | None:
    """The key of what somebody looks for, where it is a number of at least five digits and nothing else."""
    if any(sign.isalpha() or sign in "@#" for sign in text):
        return None
    key = phone_key(text)
    return key if key is not None and len(key) >= SHORTEST else None
