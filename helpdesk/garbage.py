"""Python's search for garbage, put off while a process loads what it keeps."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """What the block makes stays for as long as the process: it is not searched, neither meanwhile nor later.

    For processes that make one application and serve it; each search of it would take a tenth of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
