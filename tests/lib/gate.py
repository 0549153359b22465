# SPDX-License-Identifier: MIT
"""A place where handlers of tests stand still until the test lets them go on, however slow either is: {"gate": gate.path} in the context."""
import os
import tempfile


class Gate:
    """Handlers wait while it is closed: while the file is there. Open behind `with`, also when the test fails."""

    def __init__(self, system):
        handle, self.path = tempfile.mkstemp(prefix="gate-", dir=system.dir)
        os.close(handle)

    def open(self):
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()
