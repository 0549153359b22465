# SPDX-License-Identifier: MIT
"""Where the reference's fixtures are present: all of its templates register, and those with C handlers run unchanged with the
results the reference states. Without fixtures everything here is skipped."""
import glob
import json
import os
import re
import unittest

from lib.system import FIXTURES, OWN, System, request

FILES = sorted(glob.glob(os.path.join(FIXTURES, "task_templates", "**", "*.yaml"), recursive=True))
ORDER = {"customer": {"id": 12345, "name": "Ada", "email": "ada@example.com"},
         "items": [{"sku": "WIDGET-001", "quantity": 2, "price": 29.99}, {"sku": "GADGET-002", "quantity": 1, "price": 149.99}],
         "payment": {"method": "credit_card", "token": "tok"}, "shipping": {"method": "standard", "address": {"city": "London"}}}
CART = {"cart_items": [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}],
        "customer_info": {"email": "ada@example.com", "name": "Ada"},
        "payment_info": {"method": "card", "token": "tok_test_valid", "amount": 124.76}}
USER = {"user_info": {"email": "ada@example.com", "name": "Ada", "plan": "pro"}}
# (namespace, name, context) → state, steps, {step: result or members of it}
RUNS = [
    ("rust_e2e_linear", "mathematical_sequence", {"even_number": 6}, "complete", 4, {f"linear_step_{i}": 6 ** 2 ** i for i in (1, 2, 3, 4)}),
    ("rust_e2e_diamond", "diamond_pattern", {"even_number": 6}, "complete", 4,
     {"diamond_start": 36, "diamond_branch_b": 6 ** 4, "diamond_branch_c": 6 ** 4, "diamond_end": 6 ** 16}),
    ("rust_e2e_tree", "hierarchical_tree", {"even_number": 6}, "complete", 8, {"tree_final_convergence": str(6 ** 64)}),
    ("rust_e2e_mixed_dag", "complex_dag", {"even_number": 6}, "complete", 7, 
     {"dag_init": 36, "dag_process_left": 6 ** 4, "dag_process_right": 6 ** 4, "dag_validate": 6 ** 16, "dag_transform": 6 ** 8, "dag_analyze": 6 ** 8,
      "dag_finalize": str(2 ** 128 - 1)}),
    ("rust_e2e_order_fulfillment", "business_workflow", ORDER, "complete", 4, 
     {"validate_order": {"order_total": 209.97}, "process_payment": {"amount_charged": 209.97}, "ship_order": {"carrier": "UPS", "shipping_cost": 8.99}}),
    ("rust_e2e_retry", "retry_mechanics_test", {}, "complete", 1, {"fail_twice_then_succeed": {"attempts_before_success": 3}}),
    ("rust_e2e_retry", "retry_exhaustion_test", {}, "blocked_by_failures", 1, {}),
    ("resolver_tests_rust", "method_dispatch_rust", {"data": {"amount": 100, "reason": "x"}}, "complete", 4,
     {"validate_step_rust": {"invoked_method": "validate"}, "process_step_rust": {"invoked_method": "process", "processed_amount": 110.0},
      "refund_step_rust": {"invoked_method": "refund", "refund_amount": 100}, "default_call_step_rust": {"invoked_method": "call"}}),
    ("ecommerce_rs", "ecommerce_order_processing_rs", CART, "complete", 5, 
     {"validate_cart": {"subtotal": 109.97, "tax": 8.8, "shipping": 5.99, "total": 124.76}}),
    ("data_pipeline_rs", "analytics_pipeline_rs", {"pipeline_id": "p"}, "complete", 8,
     {"aggregate_metrics": {"total_revenue": 3199.73, "revenue_per_customer": 639.95, "inventory_turnover_indicator": 5.5647, "inventory_reorder_alerts": 0},
      "generate_insights": {"health_score": {"score": 100, "max_score": 100, "rating": "Excellent"}}}),
    ("microservices_rs", "user_registration_rs", USER, "complete", 5, 
     {"setup_billing_profile": {"status": "active"}, "send_welcome_sequence": {"channels_used": ["email", "in_app"]}, "update_user_status": {"status": "active"}}),
    ("customer_success_rs", "customer_success_process_refund_rs",
     {"ticket_id": "t1", "customer_id": "c1", "customer_email": "a@example.com", "refund_amount": 5000}, "complete", 5,
     {"update_ticket_status": {"new_status": "resolved"}}),
    ("payments_rs", "payments_process_refund_rs", {"payment_id": "pay_1", "refund_amount": 5000}, "complete", 4,
     {"update_payment_records": {"payment_status": "refunded"}}),
    ("conditional_approval_rust", "approval_routing", {"amount": 500, "requester": "a", "purpose": "b"}, "complete", 4,
     {"finalize_approval": {"approval_path": "auto"}}),
    ("conditional_approval_rust", "approval_routing", {"amount": 1000, "requester": "a", "purpose": "b"}, "complete", 4,
     {"routing_decision": {"route_type": "manager_only"}, "finalize_approval": {"approval_path": "manager_only"}}),
    ("conditional_approval_rust", "approval_routing", {"amount": 5000, "requester": "a", "purpose": "b"}, "complete", 5,
     {"routing_decision": {"route_type": "dual_approval"}, "finalize_approval": {"approval_path": "dual_approval"}}),
    ("conditional_approval_rust", "approval_routing", {"amount": 0, "requester": "a", "purpose": "b"}, "blocked_by_failures", 2, {}),
    ("conditional_approval_rust", "approval_routing", {"amount": 7500, "requester": "a", "purpose": "b"}, "complete", 5,
     {"finalize_approval": {"approval_path": "dual_approval"}}),
    ("data_processing", "large_dataset_processor", {"dataset_size": 5000}, "complete", 7,
     {"aggregate_results": {"total_processed": 5000, "worker_count": 5}}),
    ("data_processing", "large_dataset_processor", {"dataset_size": 1000}, "complete", 3, {"aggregate_results": {"total_processed": 1000, "worker_count": 1}}),
    ("data_processing", "large_dataset_processor", {"dataset_size": 1001}, "complete", 4, {"aggregate_results": {"total_processed": 1001, "worker_count": 2}}),
    ("data_processing", "large_dataset_processor", {"dataset_size": 25000}, "complete", 12, {"aggregate_results": {"total_processed": 25000, "worker_count": 10}}),
    ("data_processing", "large_dataset_processor", {"dataset_size": 50}, "complete", 3,
     {"aggregate_results": {"total_processed": 50, "worker_count": 0}}),
    ("combined_workflow_test", "diamond_decision_batch_processor", {"numbers": [2, 4, 6, 8, 10, 12]}, "complete", 9,
     {"aggregate_even_results": {"total_processed": 6, "total_sum": 42}}),
    ("combined_workflow_test", "diamond_decision_batch_processor", {"numbers": list(range(1, 11))}, "complete", 9,
     {"aggregate_even_results": {"total_processed": 5, "total_sum": 30}}),
    ("combined_workflow_test", "diamond_decision_batch_processor", {"numbers": [1, 3, 5, 7, 9, 11, 2, 4]}, "complete", 9,
     {"aggregate_odd_results": {"total_processed": 6, "total_sum": 36}}),
    ("csv_processing_rust", "csv_product_inventory_analyzer", {"csv_file_path": os.path.join(FIXTURES, "products.csv"), "analysis_mode": "inventory"},
     "complete", 7, {"aggregate_csv_results": {"total_processed": 1000, "worker_count": 5, "total_inventory_value": 35588047.0, "max_price": 13999.99,
                                               "max_price_product": "Rolex Submariner Watch"},
                     "process_csv_batch_003": {"processed_count": 200, "total_inventory_value": 7117609.4}}),
    ("csv_processing_rust", "csv_product_inventory_analyzer", {"csv_file_path": os.path.join(FIXTURES, "products_empty.csv")}, "complete", 3,
     {"aggregate_csv_results": {"total_processed": 0, "scenario": "no_batches"}}),
    ("rust_e2e_batch_retry", "batch_resumption_test", {}, "complete", 2, {"checkpoint_fail_batch_001": {"resumed_from": 50, "running_total": 5050}}),
    ("python_e2e_checkpoint_yield", "checkpoint_yield_test", {"total_items": 100, "items_per_checkpoint": 25}, "complete", 3,
     {"aggregate_results": {"total_processed": 100, "running_total": 5050, "test_passed": True}}),
    ("python_e2e_checkpoint_yield", "checkpoint_yield_test", {"total_items": 100, "items_per_checkpoint": 20, "fail_after_items": 50}, "complete", 3,
     {"checkpoint_yield_batch_001": {"resumed_from": 40, "running_total": 5050}}),
    ("test_sql", "boundary_max_attempts_zero", {}, "complete", 1, {}),
    ("test_sql", "boundary_max_attempts_one", {}, "complete", 1, {}),
    ("test_sql", "boundary_max_attempts_three", {}, "complete", 1, {}),
    ("test_sql", "boundary_non_retryable_first", {}, "complete", 1, {}),
    ("test_sql", "boundary_non_retryable_retries", {}, "complete", 1, {}),
]


def apply(rest, path):
    with open(path, "rb") as f:
        return request(f"{rest}/v1/templates?file={os.path.basename(path)}", "POST", f.read(), {"Content-Type": "application/yaml"})


def namespace(path):
    with open(path, encoding="utf-8") as f:
        found = re.search(r"^namespace_name:\s*[\"']?([\w]+)", f.read(), re.M)
    return found[1] if found else "default"


@unittest.skipUnless(FILES, f"no fixtures in {FIXTURES}")
class Templates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System(templates=(OWN,), env={"TASKER_WORKER_NAMESPACES": ",".join(sorted({namespace(f) for f in FILES}))})
        cls.addClassCleanup(cls.s.stop)
        cls.answers = {f: apply(cls.s.rest, f) for f in FILES}

    def test_every_template_registers(self):
        refused = {os.path.relpath(f, FIXTURES): a.body[:300] for f, a in self.answers.items() if a.status != 201}
        self.assertEqual(refused, {})
        stored = self.s.value("SELECT count(*) FROM tasker.named_tasks nt JOIN tasker.namespaces ns USING (namespace_uuid) WHERE ns.name <> 'tests'")
        self.assertEqual(stored, len({(a.json["namespace"], a.json["name"], a.json["version"]) for a in self.answers.values()}))
        print(f"{len(FILES)} templates registered")

    def test_again_changes_nothing(self):
        again = [apply(self.s.rest, f) for f in FILES]
        self.assertEqual({a.status for a in again}, {200})
        self.assertEqual({json.loads(a.body)["outcome"] for a in again}, {"unchanged"})

    def test_those_with_c_handlers_run(self):
        for ns, name, context, state, steps, results in RUNS:
            with self.subTest(name):
                task = self.s.run(ns, name, context)
                self.assertEqual((task["status"], task["total_steps"]), (state, steps))
                for step, expected in results.items():
                    found = task["by_name"][step]["results"]["result"]
                    self.assertEqual({k: found[k] for k in expected} if isinstance(expected, dict) else found, expected)
        self.s.doctor()
