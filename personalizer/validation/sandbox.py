"""The full sandbox: no network, nothing to write but a scratch folder in memory, one process.

Linux has it through bubblewrap. macOS and Windows offer nothing that a program without rights can
use for all of that, so there model-written code is not run.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

__all__ = ["HOME", "SCRATCH_BYTES", "seccomp_program", "unavailable", "wrapped"]

SCRATCH_BYTES = 64_000_000
"""Size of the folder that a test may write into."""

HOME = "/tmp/home"  # noqa: S108 - inside the sandbox, where everything is its own
_SCRATCH = ("/dev/shm", "/tmp")  # noqa: S108
_READABLE = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl/certs",
    "/etc/fonts",
    "/nix/store",
    "/opt",
)


@cache
def unavailable() -> str | None:
    """Why there is no full sandbox here, in one line; None where there is one."""
    if not sys.platform.startswith("linux"):
        return "tests that a model wrote are run only in a full sandbox, which needs Linux"
    if shutil.which("bwrap") is None:
        return (
            "tests that a model wrote are run only in a sandbox: install bubblewrap "
            "(apt install bubblewrap, dnf install bubblewrap)"
        )
    if _architecture() is None:
        return f"the sandbox does not know this processor, {os.uname().machine}"
    command, handle = wrapped(["/bin/true"], readable=[], folder=Path("/"))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, pass_fds=[handle]
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    finally:
        os.close(handle)
    if done.returncode:
        why = next(iter(done.stderr.strip().splitlines()), f"exit {done.returncode}")
        return f"bubblewrap may not make a sandbox here ({why}): allow user namespaces"
    return None


def wrapped(
    command: Sequence[str],
    *,
    readable: Sequence[Path],
    folder: Path,
    writable: Sequence[Path] = (),
) -> tuple[list[str], int]:
    """A command line that runs another in the sandbox, and a file descriptor to pass and close.

    Args:
        readable: Files and folders that it may read, beside the system's own.
        folder: Where it starts; must be readable.
        writable: Folders that it may write; none for code that a model wrote.
    """
    line = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    line += ["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "sandbox"]
    line += ["--clearenv", "--setenv", "HOME", HOME, "--setenv", "LANG", "C.UTF-8"]
    for path in (*_READABLE, *(str(p) for p in Path("/etc").glob("java*"))):
        line += ["--ro-bind-try", path, path]
    size = ["--size", str(SCRATCH_BYTES)]
    line += ["--proc", "/proc", "--dev", "/dev"]
    for scratch in _SCRATCH:
        line += [*size, "--tmpfs", scratch]
    line += ["--dir", HOME]
    for one in dict.fromkeys(readable):
        line += ["--ro-bind", str(one), str(one)]
    for one in writable:
        line += ["--bind", str(one), str(one)]
    for made in ("/dev", "/"):  # memory without bound, where everything is bound into
        line += ["--remount-ro", made]
    handle = os.memfd_create("seccomp", 0)
    os.write(handle, seccomp_program())
    os.lseek(handle, 0, os.SEEK_SET)
    line += ["--seccomp", str(handle), "--chdir", str(folder), "--", *command]
    return line, handle


_DENIED: dict[str, tuple[int, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
}
"""What the sandboxed process may not ask of the kernel, with its numbers on x86_64 and aarch64, or
None where there is no such call: other processes, and the parts of the kernel that no test needs
and that most ways out of a sandbox go through."""
_CLONE = (56, 220)
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""By which number the kernel names a machine; in the order of the numbers above."""
_CLONE3 = 435
_CLONE_THREAD = 0x00010000


def _architecture() -> str | None:
    machine = os.uname().machine
    return machine if machine in _MACHINES else None


def seccomp_program() -> bytes:
    """A seccomp filter as the kernel reads it: threads may start, processes may not.

    ``clone3`` is said not to exist, so that the C library falls back to ``clone``, whose flags a
    filter can see. Calls of another machine's numbering end the process.
    """
    name = _architecture() or "x86_64"
    column, machine = list(_MACHINES).index(name), _MACHINES[name]
    load, equal, bits, give = 0x20, 0x15, 0x45, 0x06
    allow, kill, refuse, missing = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
    rows = [(load, 0, 0, 4), (equal, 1, 0, machine), (give, 0, 0, kill), (load, 0, 0, 0)]
    if name == "x86_64":
        rows += [(0x35, 0, 1, 0x40000000), (give, 0, 0, kill)]  # the x32 numbering
    for number in (numbers[column] for numbers in _DENIED.values()):
        rows += [(equal, 0, 1, number), (give, 0, 0, refuse)] if number is not None else []
    rows += [(equal, 0, 1, _CLONE3), (give, 0, 0, missing)]
    rows += [(equal, 0, 3, _CLONE[column]), (load, 0, 0, 16), (bits, 1, 0, _CLONE_THREAD)]
    rows += [(give, 0, 0, refuse), (give, 0, 0, allow)]
    return b"".join(struct.pack("HBBI", *row) for row in rows)
