import ctypes
import os
import subprocess
import sys

from jaxspot.process import keep_freed_memory


def test_memory_is_kept_where_glibc_is():
    code = "from jaxspot.process import keep_freed_memory; print(keep_freed_memory())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    glibc = sys.platform == "linux" and "glibc" in os.confstr("CS_GNU_LIBC_VERSION")
    assert found.stdout.strip() == str(glibc)


def test_other_allocators_are_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False
