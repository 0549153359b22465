# SPDX-License-Identifier: MIT
"""Dead letters from several sides at once: each task is found once, a revival and what ends the task come one after the other."""
import threading

from engine import Engine, kinds, of
from test_dead_letters import DeadLetterTest


class Races(DeadLetterTest):
    def side_by_side(self, *calls):
        """Every call on a connection of its own, all at once."""
        engines, results, gate = [Engine(self.connect()) for _ in calls], [None] * len(calls), threading.Barrier(len(calls))

        def run(i):
            gate.wait()
            results[i] = calls[i](engines[i])
        threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return results

    def test_two_orchestrators_find_each_task_once(self):
        tasks = {self.old(minutes=100)[0] for _ in range(20)}
        rows = sum(self.side_by_side(*[lambda e: e.detect()] * 4), [])
        rows += self.e.detect()
        self.assertEqual(sorted(r.task_uuid for r in of(rows, "done")), sorted(tasks))
        self.assertEqual(self.c.value("SELECT count(*) FROM tasker.dead_letters"), 20)

    def test_revive_and_cancel(self):
        for _ in range(20):
            task = self.blocked()
            entry = self.e.entries(task)[0].dlq_entry_uuid
            revived, cancelled, again = self.side_by_side(lambda e, n=entry: e.revive(n), lambda e, t=task: e.cancel(t), lambda e, n=entry: e.revive(n))
            self.assertEqual((self.e.task(task).state, cancelled[0].outcome), ("cancelled", "cancelled"))
            outcome = sorted(kinds(r).keys() & {"acted", "ended", "unchanged"} for r in (revived, again))
            self.assertIn(outcome, ([{"acted"}, {"unchanged"}], [{"ended"}, {"ended"}], [{"unchanged"}, {"acted"}], [{"ended"}, {"acted"}], [{"acted"}, {"ended"}]))
            self.assertEqual(self.e.messages(), 0)

    def test_revive_and_detect_and_tidy(self):
        tasks = [self.old(minutes=100)[0] for _ in range(10)]
        self.e.detect()
        self.side_by_side(lambda e: e.bulk_letters(), lambda e: e.tidy(), lambda e: e.detect(), lambda e: e.bulk_letters(), lambda e: e.tidy())
        self.assertEqual({self.e.task(t).state for t in tasks}, {"steps_in_process"})
        self.assertEqual({e.resolution_status for t in tasks for e in self.e.entries(t)}, {"manually_resolved"})
