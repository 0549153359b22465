# SPDX-License-Identifier: MIT
"""A task template as the model knows it: steps by number, and what follows from their edges (docs/templates.md).

Plain data: generate.py makes templates, as_document() is what the real system is given, and growth.py and rules.py read the same
object, so that both sides mean the same graph.
"""
from dataclasses import dataclass, field

STANDARD, DECISION, BATCHABLE, BATCH_WORKER, CONVERGENCE = "standard", "decision", "batchable", "batch_worker", "deferred_convergence"
SOURCES = (DECISION, BATCHABLE)  # steps that bring others into being


@dataclass
class Step:
    name: str
    kind: str = STANDARD
    parents: list = field(default_factory=list)  # numbers of earlier steps
    max_attempts: int = 3
    retryable: bool = True
    backoff: str = "exponential"
    base_ms: int = 1
    cap_ms: int = 20
    timeout_s: int = 0
    on_timeout: str = "retry"
    queue_timeout: int = 0          # seconds, as everywhere; but in the tests' database it counts as milliseconds (test_model.py)
    on_queue_timeout: str = "error"
    events: list = field(default_factory=list)  # conditions; each has a durable event of its own
    parallelism: int = 10
    strategy: str = "continue_on_failure"

    def pause_ms(self, n):
        """The pause after the n-th failure that counts, before it is varied by 15 % and rounded."""
        if self.backoff == "none":
            return 0
        a, b = 1, 1
        for _ in range(n - 1):
            a, b = b, a + b
        factor = {"linear": n, "exponential": 2 ** (n - 1), "fibonacci": a}[self.backoff]
        return min(self.base_ms * factor, self.cap_ms)


class Template:
    def __init__(self, name, steps, timeout_s=0, on_timeout="error"):
        self.name, self.steps, self.timeout_s, self.on_timeout = name, steps, timeout_s, on_timeout
        self.children = [[no for no, s in enumerate(steps) if at in s.parents] for at in range(len(steps))]
        self.ancestors = []
        self.at_start = []
        for no, step in enumerate(steps):
            assert all(p < no for p in step.parents), "parents stand before their children"
            self.ancestors.append(set(step.parents).union(*(self.ancestors[p] for p in step.parents)))
            # growth.md "Which steps exist from the start": no batch workers, no children of decisions, nothing that needs one of those.
            self.at_start.append(step.kind != BATCH_WORKER and not (step.kind == CONVERGENCE and not step.parents)
                                 and all(self.at_start[p] and steps[p].kind != DECISION for p in step.parents))

    def kind(self, no):
        return self.steps[no].kind

    def number(self, name):
        return next((no for no, s in enumerate(self.steps) if s.name == name), None)

    def as_case(self):
        """For a case file; from_case() reads it."""
        plain = Step("")
        return {"steps": [{"name": s.name, "parents": [self.steps[p].name for p in s.parents],
                           **{k: v for k, v in vars(s).items() if k not in ("name", "parents") and v != getattr(plain, k)}} for s in self.steps],
                "timeout_s": self.timeout_s, "on_timeout": self.on_timeout}

    @staticmethod
    def from_case(name, case):
        names = [s["name"] for s in case["steps"]]
        steps = [Step(**{**s, "parents": [names.index(p) for p in s.get("parents", [])]}) for s in case["steps"]]
        return Template(name, steps, case.get("timeout_s", 0), case.get("on_timeout", "error"))

    def as_document(self):
        """What is registered: JSON is YAML."""
        return {"name": self.name, "namespace_name": "model", "version": "1.0.0", "on_timeout": self.on_timeout,
                **({"timeout_seconds": self.timeout_s} if self.timeout_s else {}), "steps": [self._step(s) for s in self.steps]}

    def _step(self, s):
        said = {"name": s.name, "type": s.kind, "handler": {"callable": "test.model"}, "dependencies": [self.steps[p].name for p in s.parents],
                "retry": {"max_attempts": s.max_attempts, "retryable": s.retryable, "backoff": s.backoff, "backoff_base_ms": s.base_ms,
                          "max_backoff_ms": s.cap_ms}}
        if s.timeout_s:
            said.update(timeout_seconds=s.timeout_s, on_timeout=s.on_timeout)
        if s.queue_timeout:
            said.update(queue_timeout_seconds=s.queue_timeout, on_queue_timeout=s.on_queue_timeout)
        if s.events:
            said["publishes_events"] = [{"name": "model." + c, "condition": c, "delivery_mode": "durable"} for c in s.events]
        if s.kind == BATCH_WORKER:
            said["batch_config"] = {"parallelism": s.parallelism, "failure_strategy": s.strategy}
        return said
