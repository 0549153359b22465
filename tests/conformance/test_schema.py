# SPDX-License-Identifier: MIT
"""Our JSON Schema against another implementation of draft 2020-12 (python-jsonschema): random schemas and values must be judged alike. A failure
prints what to repeat it with."""
import json
import os
import random
import subprocess
import tempfile
import unittest

import jsonschema

from lib.system import BUILD

SEED = int(os.environ.get("TASKER_SEED", "20260101"))
NAMES = ["a", "b", "c", "ab"]
VALUES = [None, True, False, 0, 1, 1.0, -2, 2.5, 10, "", "a", "ab", "ü", "abc"]
HANDLER = "steps: [{name: one, handler: {callable: x}}]\n"


def value(r, depth=3):
    kind = r.random()
    if depth and kind < 0.25:
        return [value(r, depth - 1) for _ in range(r.randrange(4))]
    if depth and kind < 0.6:
        return {name: value(r, depth - 1) for name in r.sample(NAMES, r.randrange(len(NAMES)))}
    return r.choice(VALUES)


def schema(r, depth=3):
    def one():
        return schema(r, depth - 1)

    def some():
        return [one() for _ in range(r.randrange(1, 4))]

    if not depth or r.random() < 0.1:
        return r.choice([True, False, {}, {"type": "integer"}, {"type": "string"}, {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y"}])
    keywords = {
        "type": lambda: r.choice(["null", "boolean", "integer", "number", "string", "array", "object", ["array", "object"], ["object", "string", "null"]]),
        "enum": lambda: [value(r, 1) for _ in range(3)], "const": lambda: value(r, 1),
        "minimum": lambda: r.choice([0, 1, 1.5]), "maximum": lambda: r.choice([1, 2.5, 10]), "exclusiveMinimum": lambda: r.choice([0, 1]),
        "exclusiveMaximum": lambda: r.choice([1, 10]), "multipleOf": lambda: r.choice([1, 2, 0.5]),
        "minLength": lambda: r.randrange(3), "maxLength": lambda: r.randrange(4), "pattern": lambda: r.choice(["^a", "b$", "[^a-z]", "^.{1,2}$"]),
        "minItems": lambda: r.randrange(3), "maxItems": lambda: r.randrange(4), "uniqueItems": lambda: r.random() < 0.7,
        "minProperties": lambda: r.randrange(3), "maxProperties": lambda: r.randrange(4), "required": lambda: r.sample(NAMES, r.randrange(3)),
        "properties": lambda: {n: one() for n in r.sample(NAMES, r.randrange(1, 4))}, "patternProperties": lambda: {r.choice(["^a", "b"]): one()},
        "additionalProperties": one, "propertyNames": one, "dependentRequired": lambda: {r.choice(NAMES): r.sample(NAMES, 1)},
        "dependentSchemas": lambda: {r.choice(NAMES): one()}, "prefixItems": some, "items": one, "contains": one, "minContains": lambda: r.randrange(3),
        "maxContains": lambda: r.randrange(1, 3), "allOf": some, "anyOf": some, "oneOf": some, "not": one, "if": one, "then": one, "else": one,
        "unevaluatedProperties": one, "unevaluatedItems": one, "$ref": lambda: r.choice(["#/$defs/x", "#/$defs/y", "#named"]),
    }
    return {name: keywords[name]() for name in r.sample(sorted(keywords), r.randrange(1, 5))}


def whole(r):
    made = schema(r)
    made = made if isinstance(made, dict) else {"allOf": [made]}
    return {**made, "$defs": {"x": schema(r, 1) if r.random() < 0.5 else {"type": "object", "properties": {"a": {"type": "integer"}}},
                              "y": {"type": ["object", "array", "null"], "properties": {"b": {"$ref": "#/$defs/y"}}},
                              "z": {"$anchor": "named", "properties": {"c": True}, "required": ["c"]}}}


class Against(unittest.TestCase):
    def test_random_schemas_and_values(self):
        r = random.Random(SEED)
        fits = 0
        with tempfile.TemporaryDirectory() as folder:
            for at in range(250):
                made = whole(r)
                path = os.path.join(folder, "t.yaml")
                with open(path, "w", encoding="utf-8") as f:
                    f.write("name: t\nnamespace_name: n\nversion: 1.0.0\n" + HANDLER + "input_schema: " + json.dumps(made, ensure_ascii=False) + "\n")
                if at % 10 == 0:
                    self.judged(path, made, value(r))
                for given in (value(r), value(r)):
                    fits += self.judged(path, made, given)
        self.assertGreater(fits, 50, "both answers come up")
        self.assertLess(fits, 450)

    def judged(self, path, made, given):
        done = subprocess.run([os.path.join(BUILD, "bin", "tasker"), "template", "validate", path, "--context", json.dumps(given)], capture_output=True,
                              text=True, check=False)
        said = f"seed {SEED}: {json.dumps(made)} and {json.dumps(given)}: {done.stdout}{done.stderr}"
        self.assertIn(done.returncode, (0, 1), said)
        if "refers to itself without going deeper" in done.stdout: # where the other one would run out of stack, if it came by
            return False
        expected = jsonschema.Draft202012Validator(made).is_valid(given)
        self.assertEqual(done.returncode == 0, expected, said)
        if not expected:
            self.assertIn("the context does not fit input_schema: /", done.stdout)
        return expected
