# SPDX-License-Identifier: MIT
"""Whose turn it is to apply the policies, how far it has come, and months that nothing is left of."""
import uuid

from engine import CHAIN, DbTest, of
from test_analytics import old_id

ANN, BOB = (str(uuid.uuid4()) for _ in range(2))


class RetentionRun(DbTest):
    def policy(self, *namespaces):
        for namespace in namespaces:
            self.c.query("INSERT INTO tasker.namespaces (namespace_uuid, name, created_at) VALUES (gen_random_uuid(), $1, now()) ON CONFLICT DO NOTHING", namespace)
            self.assertEqual(self.c.value("SELECT tasker.set_retention($1, 30, false)", namespace), "set")

    def turn(self, who, conn=None):
        return [(r.namespace, r.after_uuid) for r in (conn or self.c).query("SELECT * FROM tasker.retention_turn($1, 60)", who)]

    def done(self, who, namespace, after=None, tasks=0, every=3600):
        rows = self.c.query("SELECT * FROM tasker.retention_done($1, $2, $3, $4, $5, $6)", who, namespace, after, tasks, 4 * tasks, every)
        return [(r.is_over, r.tasks, r.steps) for r in rows]

    def test_one_goes_through_all_namespaces_and_rests(self):
        self.policy("b", "a")
        at = old_id(1)
        self.assertEqual(self.turn(ANN), [("a", None)])
        self.assertEqual(self.turn(BOB), [], "it is Ann's")
        self.assertEqual(self.done(ANN, "a", at, 5), [(False, 5, 20)])
        self.assertEqual(self.turn(ANN), [("a", at)])
        self.assertEqual(self.done(ANN, "a"), [(False, 5, 20)])
        self.assertEqual(self.turn(ANN), [("b", None)])
        self.assertEqual(self.done(ANN, "b", tasks=1), [(True, 6, 24)])
        self.assertEqual((self.turn(ANN), self.turn(BOB)), ([], []), "for an hour")
        self.c.query("UPDATE tasker.retention_run SET due_at = clock_timestamp()")
        self.assertEqual(self.turn(BOB), [("a", None)])
        self.assertEqual(self.done(BOB, "a"), [(False, 0, 0)], "counted anew")

    def test_the_next_goes_on_where_one_died(self):
        self.policy("a")
        self.turn(ANN)
        self.done(ANN, "a", at := old_id(1), 5)
        self.c.query("UPDATE tasker.retention_run SET held_until = clock_timestamp()")
        self.assertEqual(self.turn(BOB), [("a", at)])
        self.assertEqual(self.done(ANN, "a", old_id(2), 7), [], "she was only slow: the turn is his, and how far it is says he")
        self.assertEqual(self.turn(ANN), [])
        self.assertEqual(self.done(BOB, "a", tasks=1), [(True, 6, 24)])

    def test_nobody_waits_for_the_row(self):
        self.policy("a")
        with self.connect() as other:
            other.script("BEGIN")
            self.assertEqual(self.turn(ANN, other), [("a", None)])
            self.assertEqual(self.turn(BOB), [])
            other.script("ROLLBACK")
        self.assertEqual(self.turn(BOB), [("a", None)])

    def test_without_a_policy_nothing_is_to_do(self):
        self.assertEqual(self.turn(ANN), [(None, None)])
        self.assertEqual(self.done(ANN, None), [(True, 0, 0)])
        self.assertEqual(self.turn(ANN), [])

    def test_a_policy_taken_away_in_the_middle(self):
        self.policy("a", "b")
        self.turn(ANN)
        self.c.query("SELECT tasker.set_retention('a', NULL, true), tasker.set_retention('b', NULL, true)")
        self.assertEqual(self.done(ANN, "a"), [(True, 0, 0)])

    def test_empty_months(self):
        template = self.e.register(CHAIN)
        old = [old_id(24 * 100), old_id(24 * 200)]
        out = of(self.e.create(template, n=2, credit=2, task=old), "assign")
        while out:
            out = of(self.e.settle(out, credit={"shop": 10}), "assign")
        self.c.value("SELECT tasker.make_history_months(2)")
        there = {str(r.month) for r in self.c.query("SELECT month FROM tasker.history_months(NULL, NULL) WHERE month < now() - interval '2 months'")}
        self.assertEqual(len(there), 2)
        self.assertEqual(self.c.query("SELECT * FROM tasker.empty_months()"), [])
        self.c.script("BEGIN; SELECT tasker.delete_tasks(ARRAY['" + old[0] + "'::uuid])")
        empty = [str(r.month) for r in self.c.query("SELECT * FROM tasker.empty_months()")]
        self.assertEqual((len(empty), set(empty) < there), (1, True), "neither those with tasks, nor this month and those to come")
        self.assertEqual(self.c.value("SELECT outcome FROM tasker.drop_history($1::date)", empty[0]), "dropped")
        self.assertEqual(self.c.query("SELECT * FROM tasker.empty_months()"), [])
        self.c.script("COMMIT")
