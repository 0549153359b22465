# SPDX-License-Identifier: MIT
"""Our canonical JSON against somebody else's RFC 8785 (the PyPI package rfc8785), over made-up values: same value, same bytes.

RFC 8785 knows doubles only, ours knows integers of 64 bits too. Between 2^53 and 2^63 it writes both exactly, so that one value has one text;
there the two differ on purpose, and the other refuses integers."""
import json
import math
import os
import random
import struct
import subprocess
import unittest

import rfc8785

from lib.system import BUILD

SEED = int(os.environ.get("TASKER_SEED", "8785"))
VALUES = 20000
INTEGER_MAX = 2 ** 53 - 1
CHARACTERS = "abz019 \"\\/\b\f\n\r\t\x01\x1f\x7f\x80\u00e9\u20ac\u2028\u2029\ud7ff\ue000\ufb33\uffff\U00010000\U0001f600\U0010ffff<&>"


class Values(random.Random):
    def number(self):
        value = self.any_number()
        return value if not 2 ** 53 < abs(value) < 2 ** 63 else 0

    def any_number(self):
        kind = self.randrange(6)
        if kind == 0:
            return self.randint(-INTEGER_MAX, INTEGER_MAX)
        if kind == 1:
            return self.randint(-100, 100)
        if kind == 2:
            return self.uniform(-1, 1) * 10.0 ** self.randint(-320, 308)
        if kind == 3:
            return round(self.uniform(-1e6, 1e6), self.randrange(6))
        if kind == 4:
            return self.choice([0.0, -0.0, 1.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e21, 1e20, 1e-6, 1e-7, 2.0 ** 53, 2.0 ** 64])
        while True:
            value, = struct.unpack("<d", self.randbytes(8))
            if math.isfinite(value):
                return value

    def text(self):
        return "".join(self.choice(CHARACTERS) for _ in range(self.randrange(8)))

    def value(self, depth=0):
        kind = self.randrange(4 if depth > 4 else 7)
        if kind < 2:
            return self.number()
        if kind == 2:
            return self.text()
        if kind == 3:
            return self.choice([None, True, False])
        if kind < 6:
            return {self.text(): self.value(depth + 1) for _ in range(self.randrange(6))}
        return [self.value(depth + 1) for _ in range(self.randrange(6))]


class Canonical(unittest.TestCase):
    def test_same_value_same_bytes(self):
        values = Values(SEED)
        made = [values.value() for _ in range(VALUES)]
        lines = "".join(json.dumps(v, ensure_ascii=values.random() < 0.5) + "\n" for v in made).encode("utf-8", "surrogatepass")
        done = subprocess.run([os.path.join(BUILD, "tests", "canonical")], input=lines, capture_output=True, check=True)
        ours = done.stdout.split(b"\n")[:-1]
        self.assertEqual(len(ours), VALUES)
        for value, text in zip(made, ours):
            self.assertEqual(text, rfc8785.dumps(value), f"seed {SEED}: {value!r}")
        self.assertGreater(len(set(ours)), VALUES // 2)
