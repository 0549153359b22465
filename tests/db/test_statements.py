# SPDX-License-Identifier: MIT
"""What C believes of the database: every embedded statement against its head, and the lists of states."""
import glob
import os
import re

from engine import CHAIN, DbTest
from lib import pg

QUERIES = os.path.join(pg.ROOT, "shared", "sql")
STATES = os.path.join(pg.ROOT, "shared", "tbl", "states.h")
IN, OUT = re.compile(r"^-- in:\s*(.*)$", re.M), re.compile(r"^-- out:\s*(.*?)\s*\(([^()]*rows?)\)$", re.M)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Statements(DbTest):
    def oid(self, name):
        return self.c.value("SELECT $1::regtype::oid", name)

    def test_every_statement_is_what_its_head_says(self):
        """The services bind parameters with the types of the head, so the statement must take them as they are."""
        paths = sorted(glob.glob(os.path.join(QUERIES, "*", "*.sql")))
        self.assertGreater(len(paths), 20)
        for path in paths:
            text = read(path)
            with self.subTest(os.path.relpath(path, QUERIES)):
                takes, gives = IN.search(text), OUT.search(text)
                self.assertTrue(takes and gives, "a head with '-- in:' and '-- out: … (n rows)'")
                params = re.findall(r"\$(\d+) ([\w\[\]]+)", takes[1])
                self.assertEqual([int(n) for n, _ in params], list(range(1, len(params) + 1)))
                self.assertEqual({n for n, _ in params}, set(re.findall(r"\$(\d+)", text.split(gives[0])[1])))
                columns = [tuple(c.rsplit(" ", 1)) for c in gives[1].split(", ")]
                self.assertEqual(self.c.describe(text, [self.oid(t) for _, t in params]), [(name, self.oid(t)) for name, t in columns])


class States(DbTest):
    consistent = False  # states set by hand

    def rows(self, which):
        table = re.search(rf"#define {which}\(STATE\)(.*?)\n\n|#define {which}\(STATE\)(.*)\Z", read(STATES), re.S)
        found = re.findall(r'STATE\(\w+, "(\w+)", ([01]), ([01])\)', table[1] or table[2])
        return {name: (terminal == "1", done == "1") for name, terminal, done in found}

    def enum(self, name):
        return self.c.column("SELECT unnest(enum_range(NULL::tasker." + name + "))::text")

    def test_c_and_sql_have_the_same_states_in_the_same_order(self):
        self.assertEqual(list(self.rows("TK_TASK_STATES")), self.enum("task_state"))
        self.assertEqual(list(self.rows("TK_STEP_STATES")), self.enum("step_state"))

    def test_a_state_is_terminal_where_c_says_so(self):
        """A task may be cancelled in every state that is not terminal, and in no other."""
        for state, (terminal, _) in self.rows("TK_TASK_STATES").items():
            with self.subTest(state):
                task, _ = self.start(CHAIN)
                self.c.query("UPDATE tasker.tasks SET state = $2::tasker.task_state WHERE task_uuid = $1", task, state)
                self.assertEqual(self.e.cancel(task)[0].outcome, "terminal" if terminal else "cancelled")

    def test_children_run_after_the_states_that_satisfy(self):
        for state, (_, satisfies) in self.rows("TK_STEP_STATES").items():
            with self.subTest(state):
                task, _ = self.start(CHAIN)
                self.c.query("UPDATE tasker.workflow_steps SET state = $2::tasker.step_state WHERE task_uuid = $1 AND name = 'one'", task, state)
                self.assertEqual("two" in self.e.ready(task), satisfies)
