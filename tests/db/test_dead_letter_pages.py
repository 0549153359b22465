# SPDX-License-Identifier: MIT
"""Pages of the dead-letter queue by cursor and by time, and how long entries had been pending when they were closed."""
from engine import new_uuid, of
from test_dead_letters import DeadLetterTest


class Pages(DeadLetterTest):
    def entered(self, n):
        """n entries of every kind there is, at times of which some are the same."""
        self.c.query("""INSERT INTO tasker.dead_letters (dlq_entry_uuid, task_uuid, original_state, dlq_reason, dlq_timestamp, task_snapshot, created_at, updated_at)
            SELECT gen_random_uuid(), gen_random_uuid(), 'blocked_by_failures', (enum_range(NULL::tasker.dlq_reason))[1 + i % 5], t.at, '{"namespace": "shop"}', t.at, t.at
              FROM generate_series(1, $1) i, LATERAL (SELECT now() - (i / 3) * interval '17 minutes' AS at) t""", n)
        self.consistent = False  # they have no tasks

    def pages(self, page):
        """All entries of a call that takes a limit and a cursor, by pages of 7."""
        found, cursor = [], None
        while True:
            got = [e["dlq_entry_uuid"] for e in page(7, cursor)]
            found += got
            if len(got) < 7:
                return found
            cursor = got[-1]

    def test_pages_by_cursor_show_all_once(self):
        self.entered(100)
        queue, entries = "SELECT tasker.investigation_queue($1, NULL, NULL, $2)", "SELECT tasker.list_dead_letters(NULL, NULL, NULL, NULL, NULL, NULL, NULL, $1, 0, $2)"
        for call in (queue, entries):
            whole = [e["dlq_entry_uuid"] for e in self.document(call, 1000, None)]
            self.assertEqual((len(set(whole)), self.pages(lambda n, cursor, c=call: self.document(c, n, cursor))), (100, whole))
        scores = [e["priority_score"] for e in self.document(queue, 1000, None)]
        self.assertEqual(scores, sorted(scores, reverse=True))
        first = [e["dlq_entry_uuid"] for e in self.document(queue, 50, None)]
        self.c.query("UPDATE tasker.dead_letters SET resolution_status = 'cancelled' WHERE dlq_entry_uuid = $1", first[6])
        self.assertEqual([e["dlq_entry_uuid"] for e in self.document(queue, 7, first[6])], first[7:14], "the cursor's own may be closed meanwhile")
        self.assertIsNone(self.c.value(queue, 7, new_uuid()))
        self.assertIsNone(self.c.value(entries, 7, new_uuid()))

    def test_entered_between_two_times(self):
        self.entered(30)
        times = sorted({r.at for r in self.c.query("SELECT dlq_timestamp::text AS at FROM tasker.dead_letters")})
        expected = {r.id for r in self.c.query("SELECT dlq_entry_uuid AS id FROM tasker.dead_letters WHERE dlq_timestamp >= $1 AND dlq_timestamp < $2", times[2], times[5])}
        self.assertEqual(len(expected), 9)
        for call in ("SELECT tasker.investigation_queue(100, $1, $2, NULL)", "SELECT tasker.list_dead_letters(NULL, NULL, NULL, NULL, NULL, $1, $2, 100, 0, NULL)"):
            self.assertEqual({e["dlq_entry_uuid"] for e in self.document(call, times[2], times[5])}, expected)

    def test_how_long_it_was_pending(self):
        def entry():
            task = self.blocked()
            self.c.query("UPDATE tasker.dead_letters SET dlq_timestamp = dlq_timestamp - interval '1 hour' WHERE task_uuid = $1", task)
            return task, self.e.entries(task)[0].dlq_entry_uuid
        _, one = entry()
        update = "SELECT seconds FROM tasker.update_dead_letter($1, $2, 'n', 'kim', NULL)"
        self.assertIsNone(self.c.value(update, one, None), "it is not closed")
        self.assertAlmostEqual(float(self.c.value(update, one, "cancelled")), 3600, delta=600)
        self.assertIsNone(self.c.value(update, one, "permanently_failed"), "it was closed before")
        _, two = entry()
        acted, *_ = self.c.query("SELECT kind, idx FROM tasker.revive_dead_letter($1, 'kim', 'r', $2)", two, new_uuid())
        self.assertEqual(acted.kind, "acted")
        self.assertAlmostEqual(acted.idx, 3600, delta=600)
        for action in ("resolve", "revive"):
            entry()
            changed, = of(self.c.query("SELECT * FROM tasker.bulk_dead_letters($1, NULL, NULL, NULL, NULL, false, 'kim', 'r', NULL, 100, $2)", action, new_uuid()), "changed")
            self.assertAlmostEqual(changed.idx, 3600, delta=600)
        task, _ = entry()
        self.c.query("SELECT * FROM tasker.cancel_task($1, 'kim', 'r', $2)", task, new_uuid())
        closed, = of(self.c.query("SELECT * FROM tasker.close_dead_letters(1000000, NULL, 100)"), "closed")
        self.assertAlmostEqual(closed.idx, 3600, delta=600)
