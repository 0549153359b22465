-- How much of a worker a namespace has beside others that it serves (docs/design/fairness.md), and who said so.
ALTER TABLE tasker.namespaces
  ADD COLUMN weight        int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
  ADD COLUMN weight_by     text,
  ADD COLUMN weight_reason text,
  ADD COLUMN weight_at     timestamptz;

-- A request may say what happens at its deadline; a task with a run_at may start before it (a person) or after (nobody was there).
ALTER TABLE tasker.tasks
  ADD COLUMN on_timeout text CHECK (on_timeout IN ('error', 'cancel')), -- NULL: as its template says
  ADD COLUMN timeout_s  int,         -- of one that starts later: so long from its start; its deadline has it already
  ADD COLUMN started_at timestamptz; -- of one that started later: when it did
