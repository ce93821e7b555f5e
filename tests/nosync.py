"""Runs a program for which `fsync` fails, as on a disk that cannot sync: a filter of the kernel.

    python nosync.py ERRNO PROGRAM [ARGUMENT …]

Linux on x86-64 or ARM64 only. Source: seccomp(2), "classic" BPF.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

SYSTEM_CALLS = {"x86_64": (0xC000003E, (74, 75, 277)), "aarch64": (0xC00000B7, (82, 83, 84))}
"""By machine: how the kernel names it, and its numbers of fsync, fdatasync, sync_file_range."""
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2


def is_possible() -> bool:
    """Whether this machine has such filters."""
    return sys.platform == "linux" and platform.machine() in SYSTEM_CALLS


def fail_syncs(errno_: int) -> None:
    """Let each sync of this process, and of its children, fail with `errno_`.

    Raises:
        OSError: the kernel takes no filter.
    """
    _, numbers = SYSTEM_CALLS[platform.machine()]
    program = [(LOAD, 0, 0, 0)]  # the number of the call stands first in seccomp_data
    for number in numbers:
        program += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL_WITH | errno_)]
    program.append((RETURN, 0, 0, ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("H6xP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(SET_SECCOMP, FILTER, head, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter for system calls here")


if __name__ == "__main__":
    fail_syncs(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
