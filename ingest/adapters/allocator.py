"""The C library's memory in a process that makes and frees large blocks all the time."""

import ctypes

KEPT_BYTES = 16 * 1024 * 1024
"""How much free memory each of the C library's heaps may keep; a batch's blocks take half of it."""

LARGE_BYTES = 8 * 1024 * 1024
"""Blocks from this size on go back to the kernel at once."""

# Options of mallopt(3).
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3


def keep_freed_blocks() -> None:
    """Let freed blocks be used again, and not go back to the kernel with every batch.

    A batch is built, copied and compressed in blocks of megabytes. By glibc's own measure they are
    handed back each time, and then every page of them has to be found and cleared anew. Does
    nothing where the C library has no such setting.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
