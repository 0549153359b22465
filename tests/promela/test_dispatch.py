# SPDX-License-Identifier: MIT
"""spin looks at every state of dispatch.pml: nothing is settled twice or lost, everything comes to an end. And it must find what goes wrong
when one rule of the engine is broken, or it would look at nothing. docs/design/promela.md explains the model."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from lib.pg import ROOT

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dispatch.pml")
with open(MODEL, encoding="utf-8") as model:
    LINES = model.read().splitlines()
SAFETY = (["-DSAFETY", "-DNOCLAIM"], ["-w22"])  # how the checker is compiled, and how it is run
LIVENESS = (["-DNFAIR=3"], ["-a", "-f", "-w22"])  # weakly fair: what can go on at all times does some day
SECONDS, MEGABYTES = 240, 2000


def check(kind, optimise="-O2", **macros):
    """What the checker says of the model with these macros: its errors ("" for none), the states it saw, the lines it never reached."""
    folder = tempfile.mkdtemp(prefix="tasker-spin-")
    try:
        defines = [f"-D{name}={value}" for name, value in macros.items()]
        for command in (["spin", *defines, "-a", MODEL],
                        ["cc", "-w", optimise, f"-DMEMLIM={MEGABYTES}", *kind[0], "-o", "pan", "pan.c"]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        out = subprocess.run(["./pan", *kind[1], "-m1000000"], cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS).stdout
    finally:
        shutil.rmtree(folder)
    errors = re.search(r"errors: (\d+)", out)
    assert errors, out  # it did not get that far
    found = re.search(r"^pan:1: (.*?) \(at depth", out, re.M)
    complete = "Search not completed" not in out
    assert complete or found, out  # out of memory or depth: nothing is proved
    return found[1] if found else "", int(re.search(r"(\d+) states, stored", out)[1]) if complete and not found else 0, re.findall(r"dispatch\.pml:(\d+), ", out)


def named():
    """(file, function or what its name begins with, or "") of what the head of the model says is there."""
    first, end = (next(n for n, line in enumerate(LINES) if line.startswith(start)) for start in (" *   here ", " *   lease_ends "))
    for line in LINES[first + 1:end]:
        for path, name in re.findall(r"([\w/.]+\.(?:sql|c))(?:: (\w+))?", line):
            folder = "" if path.startswith(("migrations/", "services/")) else "migrations/functions" if path.endswith(".sql") else "services/orchestrator"
            yield os.path.join(ROOT, folder, path), name


class Names(unittest.TestCase):
    def test_what_the_model_names_is_in_the_code(self):
        found = list(named())
        self.assertGreater(len(found), 15)
        for path, name in found:
            with open(path, encoding="utf-8") as code:
                self.assertTrue(re.search(rf"\b{name}" if name.endswith("_") else rf"\b{name}\(", code.read()) or not name, f"{name} is not in {path}")


class Dispatch(unittest.TestCase):
    def holds(self, kind, **macros):
        error, states, unreached = check(kind, **macros)
        self.assertEqual(error, "")
        print(f"{macros}: {states} states")
        return {LINES[int(n) - 1].strip() for n in unreached}

    # -- two steps and one fault; one step and two --

    def test_nothing_is_settled_twice_or_lost(self):
        never = self.holds(SAFETY, STEPS=2, FAULTS=1, FAILURES=1)
        # A line no run comes to would prove nothing. What stays: ends of processes, and the failure of a last attempt, which is used up by then.
        self.assertEqual(never, {"}", "runs(w, 3)", "runs(w, 7)"})

    def test_nothing_is_settled_twice_or_lost_by_two_faults(self):
        self.holds(SAFETY, STEPS=1, FAULTS=2, FAILURES=0)

    def test_everything_comes_to_an_end(self):
        self.holds(LIVENESS, STEPS=2, FAULTS=1, FAILURES=0)

    def test_everything_comes_to_an_end_after_a_failure(self):
        self.holds(LIVENESS, STEPS=1, FAULTS=1, FAILURES=1)

    # -- steps that are given back --

    def test_what_is_given_back_is_not_lost(self):
        never = self.holds(SAFETY, STEPS=1, FAULTS=1, FAILURES=1, RETURNS=1)
        self.assertEqual({line for line in never if "return" in line or "GIVEN" in line}, set())

    def test_everything_comes_to_an_end_though_it_is_given_back(self):
        self.holds(LIVENESS, STEPS=1, FAULTS=1, FAILURES=0, RETURNS=1)

    # -- broken on purpose --

    def breaks(self, rule, kind, error, steps=2, returns=0):
        """Found within a second, so that compiling it well takes longer than running it."""
        found, _, _ = check(kind, "-O0", STEPS=steps, FAULTS=1, FAILURES=0, RETURNS=returns, **{"BREAK_" + rule: 1})
        self.assertIn(error, found)

    def test_settling_any_attempt_is_found(self):
        self.breaks("SETTLE", SAFETY, "assertion violated (a==attempts[s])")

    def test_an_ack_before_the_commit_is_found(self):
        self.breaks("ACK", SAFETY, "assertion violated ( !(1)||((results[s]>>a)&1))")

    def test_a_lease_that_brings_nothing_back_is_found(self):
        self.breaks("LEASE", LIVENESS, "acceptance cycle")

    def test_a_graph_advanced_in_two_transactions_is_found(self):
        self.breaks("GRAPH", LIVENESS, "acceptance cycle")

    def test_a_result_not_offered_again_is_found(self):
        self.breaks("REPEAT", LIVENESS, "acceptance cycle")

    def test_what_is_given_back_and_acknowledged_before_the_commit_is_found(self):
        self.breaks("RETURN", SAFETY, "assertion violated (( !(1)||(state[s]!=2))||(attempts[s]!=a))", steps=1, returns=1)
