#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one Python test module by its path: tests/run_module.py tests/e2e/test_graphs.py [-k PATTERN]. Says what it counted."""
import importlib.util
import os
import sys
import unittest


def main():
    path = os.path.abspath(sys.argv[1])
    sys.path[:0] = [os.path.dirname(path), os.path.dirname(os.path.dirname(path))]
    name = os.path.basename(path)[:-3]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    if "-k" in sys.argv:
        loader.testNamePatterns = [f"*{sys.argv[sys.argv.index('-k') + 1]}*"]
    result = unittest.TextTestRunner(verbosity=2).run(loader.loadTestsFromModule(module))
    broken = [test for test, _ in result.failures + result.errors] + result.unexpectedSuccesses
    failed = len({getattr(test, "test_case", test) for test in broken})  # a test counts once, whatever its subtests do
    print(f"RESULT passed={max(0, result.testsRun - failed - len(result.skipped))} failed={failed} skipped={len(result.skipped)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
