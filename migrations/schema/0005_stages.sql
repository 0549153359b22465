-- Where an attempt was when, for tasker.task_timeline: µs since 1970 of {the commit that assigned it, by the orchestrator's clock; its arrival, by
-- the worker's; then how long it waited for a permit and how long its handler took, in µs; the result's arrival, by the orchestrator's clock}.
-- 0: unknown. Written with the result, never changed; results of before have NULL.
ALTER TABLE tasker.step_results ADD COLUMN stages bigint[];
