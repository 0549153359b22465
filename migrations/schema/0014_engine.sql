-- How much of a worker a namespace has beside others that it serves (docs/design/fairness.md), and who said so.
ALTER TABLE tasker.namespaces
  ADD COLUMN weight        int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
  ADD COLUMN weight_by     text,
  ADD COLUMN weight_reason text,
  ADD COLUMN weight_at     timestamptz;
