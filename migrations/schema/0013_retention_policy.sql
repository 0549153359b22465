-- How long ended tasks are kept, by namespace; '*' is for those without a row of their own. keep_days NULL: for ever, as without any row.
CREATE TABLE tasker.retention_policies (
  namespace text PRIMARY KEY,
  keep_days int CHECK (keep_days BETWEEN 1 AND 36500),
  set_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Of the tasks of a stretch, those that were deleted. What they were added up to stays, and can not be counted again.
ALTER TABLE tasker.rolled ADD COLUMN gone int NOT NULL DEFAULT 0;
