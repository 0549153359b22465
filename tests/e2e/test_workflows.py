# SPDX-License-Identifier: MIT
"""Every example workflow through the whole system: REST in, handlers on a worker, results out, rows in the database."""
from lib.contexts import CART, ORDER
from lib.single import Single


def result(task, step):
    return task["by_name"][step]["results"]["result"]


def error(task, step):
    return task["by_name"][step]["results"]["error"]


class Workflows(Single):
    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.s.metric(self.s.rest, "tasker_orchestrator_sweeper_repairs_total"), 0)

    def complete(self, namespace, name, context, steps, **fields):
        task = self.s.run(namespace, name, context, **fields)
        self.assertEqual((task["status"], task["execution_status"], task["total_steps"], task["completed_steps"]),
                         ("complete", "all_complete", steps, steps), task)
        self.assertEqual({s["current_state"] for s in task["by_name"].values()}, {"complete"})
        self.assertIsNotNone(task["completed_at"])
        return task

    def blocked(self, namespace, name, context):
        task = self.s.run(namespace, name, context)
        self.assertEqual((task["status"], task["execution_status"]), ("blocked_by_failures", "blocked_by_failures"), task)
        return task

    # -- graphs --

    def test_linear_is_n_to_the_16(self):
        for n in (6, 8, 100):
            task = self.complete("rust_e2e_linear", "mathematical_sequence", {"even_number": n}, 4)
            self.assertEqual([int(result(task, f"linear_step_{i}")) for i in (1, 2, 3, 4)], [n ** 2, n ** 4, n ** 8, n ** 16])

    def test_numbers_beyond_64_bits_in_a_context_reach_the_handlers(self):
        task = self.complete("rust_e2e_linear", "mathematical_sequence", {"even_number": 6, "more": [1e20, -1.5e19, 1e300]}, 4)
        self.assertEqual(result(task, "linear_step_1"), 36)

    def test_diamond_joins_both_branches(self):
        task = self.complete("rust_e2e_diamond", "diamond_pattern", {"even_number": 6}, 4)
        self.assertEqual(result(task, "diamond_end"), 2821109907456)
        end = task["by_name"]["diamond_end"]
        self.assertEqual((end["total_parents"], end["completed_parents"]), (2, 2))

    def test_tree_is_n_to_the_64_as_text(self):
        task = self.complete("rust_e2e_tree", "hierarchical_tree", {"even_number": 6}, 8)
        self.assertEqual(result(task, "tree_final_convergence"), str(6 ** 64))

    def test_mixed_graph_saturates(self):
        task = self.complete("rust_e2e_mixed_dag", "complex_dag", {"even_number": 6}, 7)
        self.assertEqual(result(task, "dag_validate"), 6 ** 16)
        self.assertEqual(result(task, "dag_finalize"), str(2 ** 128 - 1))

    def test_an_odd_number_fails_for_good_and_stops_the_graph(self):
        task = self.blocked("rust_e2e_linear", "mathematical_sequence", {"even_number": 7})
        self.assertEqual([task["by_name"][f"linear_step_{i}"]["current_state"] for i in (1, 2, 3, 4)], ["error", "pending", "pending", "pending"])
        self.assertEqual(error(task, "linear_step_1")["error_type"], "ValidationError")
        self.assertIn("7", error(task, "linear_step_1")["message"])

    # -- business --

    def test_order(self):
        task = self.complete("rust_e2e_order_fulfillment", "business_workflow", ORDER, 4)
        self.assertEqual(result(task, "validate_order")["order_total"], 209.97)
        self.assertEqual(result(task, "process_payment")["amount_charged"], 209.97)
        self.assertEqual((result(task, "ship_order")["carrier"], result(task, "ship_order")["shipping_cost"]), ("UPS", 8.99))

    def test_an_empty_order_is_accepted_and_fails_in_validation(self):
        task = self.blocked("rust_e2e_order_fulfillment", "business_workflow", {**ORDER, "items": []})
        self.assertEqual(error(task, "validate_order")["error_type"], "ValidationError")

    def test_shop(self):
        task = self.complete("ecommerce_rs", "ecommerce_order_processing_rs", CART, 5)
        cart = result(task, "validate_cart")
        self.assertEqual((cart["subtotal"], cart["tax"], cart["shipping"], cart["total"]), (109.97, 8.8, 5.99, 124.76))
        self.assertRegex(result(task, "create_order")["order_number"], r"^ORD-\d{8}-[0-9a-f]{8}$")

    def test_a_declined_card_is_not_tried_again(self):
        task = self.blocked("ecommerce_rs", "ecommerce_order_processing_rs",
                            {**CART, "payment_info": {**CART["payment_info"], "token": "tok_test_declined"}})
        self.assertEqual((task["by_name"]["process_payment"]["attempts"], error(task, "process_payment")["error_type"]), (1, "PaymentDeclined"))

    def test_pipeline(self):
        task = self.complete("data_pipeline_rs", "analytics_pipeline_rs", {"pipeline_id": "p1"}, 8)
        metrics = result(task, "aggregate_metrics")
        self.assertEqual((metrics["total_revenue"], metrics["revenue_per_customer"], metrics["inventory_turnover_indicator"],
                          metrics["inventory_reorder_alerts"]), (3199.73, 639.95, 5.5647, 0))
        self.assertEqual(result(task, "generate_insights")["health_score"], {"score": 100, "max_score": 100, "rating": "Excellent"})

    def test_registration_by_plan(self):
        for plan, billing, channels in (("free", "skipped_free_plan", ["email", "in_app"]), ("pro", "active", ["email", "in_app"]),
                                        ("enterprise", "active", ["email", "in_app", "sms"])):
            with self.subTest(plan):
                task = self.complete("microservices_rs", "user_registration_rs",
                                     {"user_info": {"email": "ada@example.com", "name": "Ada", "plan": plan}}, 5)
                self.assertEqual(result(task, "setup_billing_profile")["status"], billing)
                self.assertEqual(result(task, "send_welcome_sequence")["channels_used"], channels)

    def test_own_preferences_replace_defaults(self):
        user = {"email": "ada@example.com", "name": "Ada", "plan": "pro"}
        task = self.complete("microservices_rs", "user_registration_rs",
                             {"user_info": {**user, "preferences": {"email_notifications": False, "theme": "dark"}}}, 5)
        self.assertEqual(result(task, "initialize_preferences")["preferences"],
                         {"email_notifications": False, "marketing_emails": True, "product_updates": True, "weekly_digest": True,
                          "priority_support": False, "theme": "dark"})
        self.assertEqual(result(task, "send_welcome_sequence")["channels_used"], ["in_app"])
        for bad in ({'a"b': 1}, {"a\nb": 1}, {"theme": "x" * 100}, {f"p{i}": 1 for i in range(33)}):
            with self.subTest(str(bad)[:40]):
                task = self.blocked("microservices_rs", "user_registration_rs", {"user_info": {**user, "preferences": bad}})
                self.assertEqual(error(task, "initialize_preferences")["error_type"], "ValidationError")

    def test_refunds_of_two_teams(self):
        task = self.complete("customer_success_rs", "customer_success_process_refund_rs",
                             {"ticket_id": "ticket_1", "customer_id": "gold_7", "customer_email": "a@example.com", "refund_amount": 20000}, 5)
        self.assertEqual((result(task, "check_refund_policy")["customer_tier"], result(task, "get_manager_approval")["auto_approved"]), ("gold", True))
        task = self.complete("payments_rs", "payments_process_refund_rs", {"payment_id": "pay_1", "refund_amount": 5000}, 4)
        self.assertEqual(result(task, "update_payment_records")["payment_status"], "refunded")
        task = self.blocked("payments_rs", "payments_process_refund_rs", {"payment_id": "pay_test_gateway_error_1", "refund_amount": 5000})
        self.assertEqual(task["by_name"]["process_gateway_refund"]["attempts"], 1)

    # -- retries and handlers --

    def test_two_failures_then_success(self):
        task = self.complete("rust_e2e_retry", "retry_mechanics_test", {}, 1)
        self.assertEqual((result(task, "fail_twice_then_succeed")["attempts_before_success"], task["by_name"]["fail_twice_then_succeed"]["attempts"]), (3, 3))
        rows = self.s.sql("SELECT attempt, success FROM tasker.step_results WHERE task_uuid = $1 ORDER BY attempt", task["task_uuid"])
        self.assertEqual([(r.attempt, r.success) for r in rows], [(1, False), (2, False), (3, True)])

    def test_attempts_are_used_up(self):
        task = self.blocked("rust_e2e_retry", "retry_exhaustion_test", {})
        self.assertEqual((task["by_name"]["always_fail"]["attempts"], task["by_name"]["always_fail"]["current_state"]), (3, "error"))

    def test_single_outcomes(self):
        self.complete("test_errors", "success_only", {}, 1)
        task = self.blocked("test_errors", "permanent_error_only", {"error_message": "as told"})
        self.assertEqual((task["by_name"]["permanent_error_step"]["attempts"], error(task, "permanent_error_step")["message"]), (1, "as told"))
        task = self.blocked("test_errors", "retryable_error_only", {})
        self.assertEqual(task["by_name"]["retryable_error_step"]["attempts"], 2)

    def test_boundaries_of_attempts(self):
        for name in ("max_attempts_zero", "max_attempts_one", "max_attempts_three", "non_retryable_first", "non_retryable_retries"):
            self.complete("test_sql", f"boundary_{name}", {}, 1)

    def test_methods_of_one_handler(self):
        task = self.complete("resolver_tests_rust", "method_dispatch_rust", {"data": {"amount": 100, "reason": "x"}}, 4)
        self.assertEqual([result(task, f"{step}_step_rust")["invoked_method"] for step in ("validate", "process", "refund", "default_call")],
                         ["validate", "process", "refund", "call"])
        self.assertEqual(result(task, "process_step_rust")["processed_amount"], 110)
        task = self.blocked("resolver_tests_rust", "method_dispatch_rust", {"data": {}})
        self.assertEqual(error(task, "validate_step_rust")["error_type"], "validation_error")

    def test_the_audit_trail_tells_every_step(self):
        task = self.complete("rust_e2e_linear", "mathematical_sequence", {"even_number": 8}, 4)
        audit = self.s.call("GET", f"/v1/tasks/{task['task_uuid']}/workflow_steps/{task['by_name']['linear_step_1']['step_uuid']}/audit").json
        self.assertTrue(audit)
        self.assertEqual((audit[0]["task_uuid"], audit[0]["step_name"], audit[0]["to_state"], audit[0]["success"]),
                         (task["task_uuid"], "linear_step_1", "enqueued_for_orchestration", True))  # the state in which a worker hands in
