# SPDX-License-Identifier: MIT
"""What is run: the request of each graph, the value every step must have (or what it must hold), and the generated shapes of 100 steps.

Values follow from the input alone: a step is the product of its parents, squared; so each is a power of the even number.
"""
import importlib.util
import json
import os

INPUT = 6
SATURATED = 2**128 - 1  # where the mixed graph stops growing
ROWS, BATCHES = 1000, 5 # of the CSV file
_spec = importlib.util.spec_from_file_location("products", os.path.join(os.path.dirname(__file__), "..", "examples", "data", "products.py"))
products = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(products)


class Graph:
    def __init__(self, namespace, name, expect, tier, steps=None, context=None):
        self.namespace, self.name, self.expect, self.tier = namespace, name, expect, tier
        self.steps, self.context = steps or len(expect), context or {"even_number": INPUT}

    def body(self):
        """A request; @RUN@ is replaced by the client, so that no two tasks are equal."""
        return {"namespace": self.namespace, "name": self.name, "version": "1.0.0", "context": {**self.context, "run": "@RUN@"},
                "initiator": "bench", "source_system": "scripts/bench", "reason": "measure"}

    def write(self, folder):
        """The two files of the client: request and expected values."""
        paths = [os.path.join(folder, f"{self.name}.{what}.json") for what in ("body", "expect")]
        for path, value in zip(paths, (self.body(), self.expect)):
            with open(path, "w", encoding="utf-8") as f:
                json.dump(value, f)
        return paths


class Csv(Graph):
    """Batches over a file, which is written beside the request."""

    def write(self, folder):
        path, size = os.path.join(folder, "products.csv"), ROWS // BATCHES
        totals = products.write(path, ROWS)
        self.context = {"csv_file_path": path, "analysis_mode": "inventory"}
        same = ("total_inventory_value", "max_price", "max_price_product", "category_counts")
        for i in range(BATCHES):
            part = products.totals([products.product(n) for n in range(1 + i * size, 1 + (i + 1) * size)])
            self.expect[f"process_csv_batch_{i + 1:03}"] = holds(processed_count=size, average_rating=part["average_rating"], **{key: part[key] for key in same})
        self.expect["aggregate_csv_results"] = holds(total_processed=ROWS, worker_count=BATCHES, failed_batches=0, **{key: totals[key] for key in same})
        return super().write(folder)


def holds(**members):
    """An object with these members, whatever else is in it."""
    return {"$holds": members}


def powers(**exponents):
    """Integers as far as they fit into 64 bits, then decimal text, as the handlers answer."""
    values = {name: INPUT**n for name, n in exponents.items()}
    return {name: value if value < 2**63 else str(value) for name, value in values.items()}


GRAPHS = {
    "linear": Graph("rust_e2e_linear", "mathematical_sequence", powers(linear_step_1=2, linear_step_2=4, linear_step_3=8, linear_step_4=16), 1),
    "diamond": Graph("rust_e2e_diamond", "diamond_pattern", powers(diamond_start=2, diamond_branch_b=4, diamond_branch_c=4, diamond_end=16), 1),
    "tree": Graph("rust_e2e_tree", "hierarchical_tree", powers(
        tree_root=2, tree_branch_left=4, tree_branch_right=4, tree_leaf_d=8, tree_leaf_e=8, tree_leaf_f=8, tree_leaf_g=8, tree_final_convergence=64), 2),
    "mixed": Graph("rust_e2e_mixed_dag", "complex_dag", {**powers(
        dag_init=2, dag_process_left=4, dag_process_right=4, dag_validate=16, dag_transform=8, dag_analyze=8), "dag_finalize": str(min(INPUT**64, SATURATED))}, 2),
    "conditional": Graph("conditional_approval_rust", "approval_routing", {
        "validate_request": holds(validated=True, amount=10000.0, requester="bench", purpose="to measure"),
        "routing_decision": holds(route_type="dual_approval", amount=10000.0), "manager_approval": holds(approved=True, approved_by="manager", amount=10000.0),
        "finance_review": holds(approved=True, approved_by="finance", amount=10000.0),
        "finalize_approval": holds(approval_path="dual_approval", approved=True, approvals=2, approved_by="manager, finance")}, 2, context={"amount": 10000, "requester": "bench", "purpose": "to measure"}),
    "csv batch": Csv("csv_processing_rust", "csv_product_inventory_analyzer", {
        "analyze_csv": holds(total_rows=ROWS, worker_count=BATCHES), **{f"process_csv_batch_{i + 1:03}": holds() for i in range(BATCHES)},
        "aggregate_csv_results": holds()}, 5),
}


def chain():
    return {f"s{i:03}": [f"s{i - 1:03}"] if i else [] for i in range(100)}


def layers():
    return {f"l{y}_{x}": [f"l{y - 1}_{k}" for k in range(10)] if y else [] for y in range(10) for x in range(10)}


def fan():
    return {"first": [], **{f"m{i:02}": ["first"] for i in range(98)}, "last": [f"m{i:02}" for i in range(98)]}


def mixed():
    steps = {"first": []}
    for i in range(14):
        p = f"g{i:02}_"
        steps |= {p + "init": ["first"], p + "left": [p + "init"], p + "right": [p + "init"], p + "validate": [p + "left", p + "right"],
                  p + "transform": [p + "left"], p + "analyze": [p + "right"], p + "end": [p + "validate", p + "transform", p + "analyze"]}
    return steps | {"last": [f"g{i:02}_end" for i in range(14)]}


def wide(n):
    """One step, then n - 1 that follow it: what one step costs in a task of that size."""
    return {"first": [], **{f"m{i:05}": ["first"] for i in range(n - 1)}}


SHAPES = {"chain": chain(), "layers": layers(), "fan": fan(), "mixed100": mixed(), "wide10": wide(10), "wide100": wide(100), "wide1000": wide(1000), "wide10000": wide(10000),
          "small": {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}, "crowd": wide(10000)}
HANDLERS = {"crowd": "{callable: bench_pause, initialization: {ms: 10}}"}  # of a shape; else bench_constant
LOADS = {name: Graph("bench", f"load_{name}", {"*": 1}, 0, len(steps)) for name, steps in SHAPES.items()}


LARGE = ("wide1000", "wide10000", "crowd")  # only where they are run: a template of 10,000 steps is seconds of start and megabytes of every service


def write_templates(folder, large=False):
    os.makedirs(folder, exist_ok=True)
    for name, steps in SHAPES.items():
        if name in LARGE and not large:
            continue
        lines = [f"name: load_{name}", "namespace_name: bench", "version: 1.0.0", "steps:"]
        for step, parents in steps.items():
            lines += [f"  - name: {step}", f"    dependencies: [{', '.join(parents)}]", f"    handler: {HANDLERS.get(name, '{callable: bench_constant}')}"]
        with open(os.path.join(folder, f"load_{name}.yaml"), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
