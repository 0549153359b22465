# SPDX-License-Identifier: MIT
"""What each of the 25 native templates does with which context, and every value that comes of it: the acceptance list of the workflows.

A Run says the task's last state, its steps at creation and in the end, and per step a dict of the result's members, or `fails(...)`. A value is compared:
a pattern by search, a dict member by member (more members may be there), a fraction to six places, anything else exactly.
"""
import math
import re

from lib.contexts import CART, ORDER

ID = r"-?[0-9a-f]{12}(_\d)?$"
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
USER = {"email": "ada@example.com", "name": "Ada"}
TICKET = {"ticket_id": "t1", "customer_id": "c1", "customer_email": "a@example.com", "refund_amount": 5000}
REFUND = {"payment_id": "pay_1", "refund_amount": 5000}
EVENT_ORDER = {"order_id": "9f2b4c1e-7d3a-4e55-8a60-2f1f6d0c9b11", "customer_id": "c7", "amount": 12.5}


def prefixed(prefix):
    return re.compile("^" + re.escape(prefix) + ID)


class fails:
    """A step in error: its error's type, its code, how often it was tried, and whether it might have been tried again."""

    def __init__(self, error_type, code=None, attempts=1, retryable=False):
        self.error_type, self.code, self.attempts, self.retryable = error_type, code, attempts, retryable


class Run:
    def __init__(self, name, context, steps, results, state="complete", first=None, attempts=None, parents=None, without=()):
        self.namespace, self.name = name.split("/")
        self.context, self.steps, self.results, self.state = context, steps, results, state
        self.first = first or steps       # steps the task is created with
        self.attempts = attempts or {}    # of steps that needed more than one
        self.parents = parents or {}
        self.without = without            # beginnings of names of steps that must not have come into being

    def __str__(self):
        return f"{self.namespace}/{self.name} {str(self.context)[:60]}"


def differs(expected, found, at=""):
    """Where what was found is not what was expected; None: nowhere."""
    if isinstance(expected, re.Pattern):
        return None if isinstance(found, str) and expected.search(found) else f"{at}: {expected.pattern} expected, found {found!r}"
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return f"{at}: an object expected, found {found!r}"
        for key, value in expected.items():
            if key not in found:
                return f"{at}/{key}: is missing"
            if wrong := differs(value, found[key], f"{at}/{key}"):
                return wrong
        return None
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{at}: {len(expected)} elements expected, found {found!r}"
        return next((w for i, e in enumerate(expected) if (w := differs(e, found[i], f"{at}/{i}"))), None)
    if isinstance(expected, float):
        same = isinstance(found, (int, float)) and math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-6)
    else:
        same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return None if same else f"{at}: {expected!r} expected, found {found!r}"


def shapes():
    """worker.md 9.5, 10.1 to 10.4"""
    tree = [f"tree_{n}" for n in ("branch_left", "branch_right")]
    leaves = [f"tree_leaf_{n}" for n in "defg"]
    for n in (6, 8):
        yield Run("rust_e2e_linear/mathematical_sequence", {"even_number": n}, 4, {f"linear_step_{i}": n ** 2 ** i for i in (1, 2, 3, 4)})
    for wrong in ({"even_number": 7}, {}):
        yield Run("rust_e2e_linear/mathematical_sequence", wrong, 4, {"linear_step_1": fails("ValidationError")}, "blocked_by_failures")
    yield Run("rust_e2e_diamond/diamond_pattern", {"even_number": 6}, 4,
              {"diamond_start": 36, "diamond_branch_b": 6 ** 4, "diamond_branch_c": 6 ** 4, "diamond_end": 2821109907456}, parents={"diamond_end": 2})
    yield Run("rust_e2e_tree/hierarchical_tree", {"even_number": 6}, 8,
              {"tree_root": 36, **dict.fromkeys(tree, 6 ** 4), **dict.fromkeys(leaves, 6 ** 8), "tree_final_convergence": str(6 ** 64)}, parents={"tree_final_convergence": 4})
    yield Run("rust_e2e_mixed_dag/complex_dag", {"even_number": 6}, 7,
              {"dag_init": 36, "dag_process_left": 6 ** 4, "dag_process_right": 6 ** 4, "dag_validate": 6 ** 16, "dag_transform": 6 ** 8, "dag_analyze": 6 ** 8,
               "dag_finalize": str(2 ** 128 - 1)}, parents={"dag_validate": 2, "dag_finalize": 3})


def orders():
    """worker.md 9.5, 10.5"""
    name = "rust_e2e_order_fulfillment/business_workflow"
    for method, carrier, cost, days in (("standard", "UPS", 8.99, 5), ("express", "FedEx", 15, 2), ("overnight", "FedEx", 25, 1)):
        yield Run(name, {**ORDER, "shipping": {**ORDER["shipping"], "method": method}}, 4, {
            "validate_order": {"customer_id": 12345, "customer_email": "ada@example.com", "order_total": 209.97, "validated_at": TIME, "validation_status": "complete",
                               "validated_items": [{"sku": "WIDGET-001", "quantity": 2, "unit_price": 29.99, "line_total": 59.98},
                                                   {"sku": "GADGET-002", "quantity": 1, "unit_price": 149.99, "line_total": 149.99}]},
            "reserve_inventory": {"reservation_id": prefixed("RES-"), "expires_in_minutes": 15, "reservation_status": "confirmed",
                                  "reservations": [{"sku": "WIDGET-001", "quantity_reserved": 2, "remaining_stock": 98},
                                                   {"sku": "GADGET-002", "quantity_reserved": 1, "remaining_stock": 199}]},
            "process_payment": {"payment_id": prefixed("PAY-"), "transaction_id": prefixed("TXN-"), "amount_charged": 209.97, "gateway_fee": 6.09,
                                "payment_method": "credit_card", "payment_status": "completed"},
            "ship_order": {"carrier": carrier, "shipping_method": method, "shipping_cost": cost, "delivery_days": days, "estimated_delivery": TIME,
                           "address": {"city": "London"}}}, parents={"process_payment": 2, "ship_order": 3})
    for change, step, error in (({"items": []}, "validate_order", fails("ValidationError")), ({"customer": {"name": "Ada"}}, "validate_order", fails("ValidationError")),
                                ({"items": [{"sku": "NONE-1", "quantity": 1, "price": 1}]}, "validate_order", fails("ValidationError", "UNKNOWN_SKU")),
                                ({"items": [{"sku": "WIDGET-001", "quantity": 0, "price": 1}]}, "validate_order", fails("ValidationError")),
                                ({"items": [{"sku": "WIDGET-001", "quantity": 1, "price": -1}]}, "validate_order", fails("ValidationError")),
                                ({"items": [{"sku": "WIDGET-001", "quantity": 1, "price": 50000.01}]}, "validate_order",
                                 fails("ORDER_TOTAL_TOO_HIGH", "ORDER_TOTAL_TOO_HIGH")),
                                ({"items": [{"sku": "WIDGET-002", "quantity": 51, "price": 1}]}, "reserve_inventory",
                                 fails("INSUFFICIENT_STOCK", "INSUFFICIENT_STOCK", attempts=3, retryable=True)),
                                ({"payment": {"method": "credit_card"}}, "process_payment", fails("ValidationError")),
                                ({"shipping": {"method": "standard"}}, "ship_order", fails("ValidationError"))):
        yield Run(name, {**ORDER, **change}, 4, {step: error}, "blocked_by_failures")


def outcomes():
    """worker.md 9.3, 9.4, 9.9, 9.12"""
    yield Run("rust_e2e_retry/retry_mechanics_test", {}, 1, {"fail_twice_then_succeed": {"attempts_before_success": 3, "fail_count": 2}},
              attempts={"fail_twice_then_succeed": 3})
    yield Run("rust_e2e_retry/retry_exhaustion_test", {}, 1, {"always_fail": fails("TransientError", attempts=3, retryable=True)}, "blocked_by_failures")
    for name in ("max_attempts_zero", "max_attempts_one", "max_attempts_three", "non_retryable_first", "non_retryable_retries"):
        yield Run(f"test_sql/boundary_{name}", {}, 1, {"boundary_test_step": {"step": "boundary_test_step"}})
    for amount in (100, 250):
        yield Run("resolver_tests_rust/method_dispatch_rust", {"data": {"amount": amount, "reason": "x"}}, 4, {
            "validate_step_rust": {"invoked_method": "validate", "validated": True, "amount": float(amount)},
            "process_step_rust": {"invoked_method": "process", "processed_amount": amount * 1.1},
            "refund_step_rust": {"invoked_method": "refund", "refund_amount": float(amount), "reason": "x", "refund_id": prefixed("refund_")},
            "default_call_step_rust": {"invoked_method": "call"}})
    yield Run("resolver_tests_rust/method_dispatch_rust", {"data": {"reason": "x"}}, 4, {"validate_step_rust": fails("validation_error")}, "blocked_by_failures")
    yield Run("dlq_test/dlq_staleness_test", {"test_input": 42}, 2, {f"dlq_step_{n}": {"step": f"dlq_step_{n}", "test_input": 42} for n in (1, 2)})


def shop():
    """worker.md 9.11, 10.11"""
    name = "ecommerce_rs/ecommerce_order_processing_rs"
    lines = [{"product_id": 1, "name": "Widget A", "price": 29.99, "quantity": 2, "line_total": 59.98},
             {"product_id": 2, "name": "Widget B", "price": 49.99, "quantity": 1, "line_total": 49.99}]
    yield Run(name, CART, 5, {
        "validate_cart": {"validated_items": lines, "item_count": 2, "subtotal": 109.97, "tax": 8.8, "shipping": 5.99, "total": 124.76},
        "process_payment": {"payment_id": prefixed("pay_"), "transaction_id": prefixed("txn_"), "amount_charged": 124.76, "currency": "USD",
                            "payment_method_type": "card", "status": "completed"},
        "update_inventory": {"total_items_reserved": 3, "inventory_log_id": prefixed("log_"), "updated_products": [
            {"product_id": 1, "reservation_id": prefixed("rsv_"), "previous_stock": 100, "new_stock": 98},
            {"product_id": 2, "reservation_id": prefixed("rsv_"), "previous_stock": 50, "new_stock": 49}]},
        "create_order": {"order_id": prefixed("order_"), "order_number": re.compile(r"^ORD-\d{8}-[0-9a-f]{8}$"), "status": "confirmed", "total_amount": 124.76, "items": lines,
                         "customer_email": "ada@example.com", "payment_id": prefixed("pay_"), "created_at": TIME, "estimated_delivery": TIME},
        "send_confirmation": {"email_sent": True, "recipient": "ada@example.com", "order_number": re.compile("^ORD-"), "message_id": prefixed("msg_"), "sent_at": TIME}})

    def cart(step, error, items=None, **payment):
        return Run(name, {**CART, **({"cart_items": items} if items else {}), "payment_info": {**CART["payment_info"], **payment}}, 5, {step: error}, "blocked_by_failures")
    yield cart("validate_cart", fails("ProductNotFound", "PRODUCT_NOT_FOUND"), [{"product_id": 99, "quantity": 1}])
    yield cart("validate_cart", fails("InsufficientStock", "INSUFFICIENT_STOCK"), [{"product_id": 3, "quantity": 26}])
    yield cart("process_payment", fails("AmountMismatch", "PAYMENT_AMOUNT_MISMATCH"), amount=124.74)
    yield cart("process_payment", fails("PaymentDeclined"), token="tok_test_declined")
    yield cart("process_payment", fails("InsufficientFunds"), token="tok_test_insufficient_funds")


def pipeline():
    """worker.md 9.11, 10.12"""
    extracted = {"record_count": 5, "extracted_at": TIME}
    yield Run("data_pipeline_rs/analytics_pipeline_rs", {"pipeline_id": "p"}, 8, {
        "extract_sales_data": extracted, "extract_inventory_data": extracted, "extract_customer_data": extracted,
        "transform_sales": {"total_revenue": 3199.73, "record_count": 5, "product_sales": {"P-100": 849.88, "P-200": 1299.88, "P-300": 1049.97}},
        "transform_inventory": {"total_quantity_on_hand": 575, "reorder_alerts": 0},
        "transform_customers": {"total_customers": 5, "total_lifetime_value": 30500.0, "avg_customer_value": 6100.0},
        "aggregate_metrics": {"total_revenue": 3199.73, "total_inventory_quantity": 575, "total_customers": 5, "total_customer_lifetime_value": 30500.0,
                              "avg_customer_value": 6100.0, "revenue_per_customer": 639.95, "inventory_turnover_indicator": 5.5647, "inventory_reorder_alerts": 0},
        "generate_insights": {"total_insights": 3, "health_score": {"score": 100, "max_score": 100, "rating": "Excellent"}, "generated_at": TIME}},
        parents={"aggregate_metrics": 3})


def people():
    """worker.md 9.11, 10.13, 10.14"""
    name = "microservices_rs/user_registration_rs"
    for plan, billing, channels, support in (("free", {"status": "skipped_free_plan", "billing_required": False}, ["email", "in_app"], False),
                                             ("pro", {"status": "active", "price": 29.99, "billing_cycle": "monthly", "billing_id": prefixed("billing_")}, ["email", "in_app"], False),
                                             ("enterprise", {"status": "active", "price": 299.99, "billing_cycle": "monthly"}, ["email", "in_app", "sms"], True)):
        yield Run(name, {"user_info": {**USER, "plan": plan}}, 5, {
            "create_user_account": {"user_id": prefixed("user_"), "email": USER["email"], "name": "Ada", "plan": plan, "status": "created", "created_at": TIME},
            "setup_billing_profile": {"plan": plan, **billing},
            "initialize_preferences": {"preferences_id": prefixed("prefs_"), "preferences": {"email_notifications": True, "priority_support": support}, "custom_count": 0},
            "send_welcome_sequence": {"channels_used": channels, "messages_sent": len(channels), "welcome_sequence_id": prefixed("welcome_")},
            "update_user_status": {"status": "active", "plan": plan, "email": USER["email"], "billing_status": billing["status"], "channels": channels}})
    known = {"email": "existing@example.com", "name": "Existing User", "plan": "free"}
    yield Run(name, {"user_info": known}, 5, {"create_user_account": {"status": "already_exists"}})
    yield Run(name, {"user_info": {**known, "plan": "pro"}}, 5, {"create_user_account": fails("USER_CONFLICT", "USER_CONFLICT")}, "blocked_by_failures")
    yield Run(name, {"user_info": {**USER, "email": "nobody", "plan": "pro"}}, 5, {"create_user_account": fails("ValidationError")}, "blocked_by_failures")

    name = "customer_success_rs/customer_success_process_refund_rs"
    for customer, tier, days, amount_max, approval in (("c1", "standard", 30, 10000.0, True), ("gold_7", "gold", 60, 50000.0, False), ("vip_1", "premium", 90, 100000.0, False)):
        yield Run(name, {**TICKET, "customer_id": customer}, 5, {
            "validate_refund_request": {"request_validated": True, "ticket_id": "t1", "customer_id": customer, "customer_tier": tier, "refund_amount": 5000.0},
            "check_refund_policy": {"policy_checked": True, "policy_compliant": True, "customer_tier": tier, "refund_window_days": days,
                                    "max_allowed_amount": amount_max, "requires_approval": approval},
            "get_manager_approval": {"approval_obtained": True, "approval_required": approval, "auto_approved": not approval},
            "execute_refund_workflow": {"task_delegated": True, "target_namespace": "payments_rs", "target_workflow": "payments_process_refund_rs",
                                        "delegated_task_id": prefixed("task_"), "delegation_status": "created"},
            "update_ticket_status": {"ticket_updated": True, "ticket_id": "t1", "previous_status": "in_progress", "new_status": "resolved"}})
    for ticket, step, error in (("ticket_closed_1", "validate_refund_request", fails("TicketClosed")), ("ticket_cancelled_1", "validate_refund_request", fails("TicketCancelled")),
                                ("ticket_denied_1", "get_manager_approval", fails("ApprovalDenied"))):
        yield Run(name, {**TICKET, "ticket_id": ticket}, 5, {step: error}, "blocked_by_failures")
    yield Run(name, {**TICKET, "refund_amount": 10001}, 5, {"check_refund_policy": fails("PolicyViolation", "AMOUNT_OVER_LIMIT")}, "blocked_by_failures")

    name = "payments_rs/payments_process_refund_rs"
    yield Run(name, REFUND, 4, {
        "validate_payment_eligibility": {"payment_validated": True, "payment_id": "pay_1", "refund_amount": 5000.0, "eligibility_status": "eligible"},
        "process_gateway_refund": {"refund_processed": True, "refund_id": prefixed("rfnd_"), "gateway_transaction_id": prefixed("gtx_"), "refund_amount": 5000.0},
        "update_payment_records": {"records_updated": True, "payment_id": "pay_1", "payment_status": "refunded", "record_id": prefixed("rec_")},
        "notify_customer": {"notification_sent": True, "message_id": prefixed("msg_")}})
    for payment, step, error in (("pay_test_insufficient", "validate_payment_eligibility", "InsufficientFunds"),
                                 ("pay_test_ineligible", "validate_payment_eligibility", "IneligiblePayment"),
                                 ("pay_test_gateway_error", "process_gateway_refund", "GatewayError")):
        yield Run(name, {**REFUND, "payment_id": payment}, 4, {step: fails(error)}, "blocked_by_failures")


def decisions():
    """worker.md 9.6, 10.6"""
    name, ask = "conditional_approval_rust/approval_routing", {"requester": "a", "purpose": "b"}
    for amounts, route, path, approvals, by in (((0.01, 500), "auto_approval", "auto", ["auto_approve"], "system"),
                                                ((1000, 2500, 3000), "manager_only", "manager_only", ["manager_approval"], "manager"),
                                                ((5000, 7500, 10000), "dual_approval", "dual_approval", ["manager_approval", "finance_review"], "manager, finance")):
        for amount in amounts:
            yield Run(name, {**ask, "amount": amount}, 3 + len(approvals), {
                "validate_request": {"amount": float(amount), "requester": "a", "purpose": "b", "validated": True},
                "routing_decision": {"route_type": route, "amount": float(amount), "reasoning": re.compile("."),
                                     "decision_point_outcome": {"type": "create_steps", "step_names": approvals}},
                **{step: {"approved": True, "amount": float(amount)} for step in approvals},
                "finalize_approval": {"approved": True, "approval_path": path, "approved_by": by, "approvals": len(approvals),
                                      "approval_chain": [{"step": s, "approved": True} for s in approvals]}},
                first=2, parents={"finalize_approval": len(approvals)}, without={"auto_approve", "manager_approval", "finance_review"} - set(approvals))
    for wrong, code in (({**ask, "amount": 0}, "INVALID_AMOUNT"), ({**ask, "amount": -5}, "INVALID_AMOUNT"), ({"amount": 1, "purpose": "b"}, "MISSING_REQUESTER"),
                        ({"amount": 1, "requester": "a"}, "MISSING_PURPOSE"), ({"amount": 1, "requester": "", "purpose": "b"}, "EMPTY_REQUESTER"),
                        ({"amount": 1, "requester": "a", "purpose": ""}, "EMPTY_PURPOSE")):
        yield Run(name, wrong, 2, {"validate_request": fails("ValidationError", code)}, "blocked_by_failures")


def batches(folder, products):
    """worker.md 9.7, 10.7 to 10.9. products: totals of folder/products.csv"""
    name = "data_processing/large_dataset_processor"
    for size, workers in ((50, 0), (500, 0), (1000, 1), (1001, 2), (3500, 4), (5000, 5), (25000, 10)):
        each = -(-size // max(workers, 1))
        parts = {f"process_batch_{i + 1:03}": {"start_cursor": i * each, "end_cursor": min(size, (i + 1) * each), "processed_count": min(size, (i + 1) * each) - i * each,
                                               "checkpoints": -(-(min(size, (i + 1) * each) - i * each) // 100)} for i in range(workers)}
        yield Run(name, {"dataset_size": size}, 2 + max(workers, 1), {
            "analyze_dataset": {"dataset_size": size, "batch_processing_outcome": {"type": "create_batches", "worker_count": workers, "total_items": size}
                                if workers else {"type": "no_batches"}},
            **(parts or {"process_batch_000": {"no_op": True}}),
            "aggregate_results": {"total_processed": size, "worker_count": workers, "scenario": "with_batches" if workers else "no_batches"}}, first=1)

    name, rows = "csv_processing_rust/csv_product_inventory_analyzer", products["rows"]
    whole = {"total_inventory_value": float(products["total_inventory_value"]), "max_price": products["max_price"], "max_price_product": products["max_price_product"],
             "category_counts": products["category_counts"]}
    yield Run(name, {"csv_file_path": f"{folder}/products.csv", "analysis_mode": "inventory"}, 7, {
        "analyze_csv": {"total_rows": rows, "analysis_mode": "inventory", "worker_count": 5},
        **{f"process_csv_batch_{i:03}": {"processed_count": 200, **products["batches"][i - 1]} for i in range(1, 6)},
        "aggregate_csv_results": {"total_processed": rows, "worker_count": 5, "failed_batches": 0, "scenario": "with_batches", **whole,
                                  "overall_average_rating": round(products["average_rating"], 4)}}, first=1)
    yield Run(name, {"csv_file_path": f"{folder}/products_empty.csv"}, 3, {
        "analyze_csv": {"total_rows": 0, "batch_processing_outcome": {"type": "no_batches"}}, "process_csv_batch_000": {"no_op": True},
        "aggregate_csv_results": {"total_processed": 0, "worker_count": 0, "total_inventory_value": 0.0, "overall_average_rating": 0.0, "max_price": 0.0,
                                  "max_price_product": None, "category_counts": {}, "scenario": "no_batches"}}, first=1)

    name = "combined_workflow_test/diamond_decision_batch_processor"
    for numbers, way, other in (([2, 4, 6, 8, 10, 12], "even", "odd"), ([1, 3, 5, 7, 9, 11, 2, 4], "odd", "even"), (list(range(1, 11)), "even", "odd")):
        mine = [n for n in numbers if n % 2 == (way == "odd")]
        pairs = [mine[i:i + 2] for i in range(0, len(mine), 2)]
        yield Run(name, {"numbers": numbers}, 5 + len(pairs) + 1, {
            "ddb_diamond_start": {"numbers": numbers, "total_count": len(numbers)},
            "branch_evens": {"even_numbers": [n for n in numbers if not n % 2], "count": sum(not n % 2 for n in numbers)},
            "branch_odds": {"odd_numbers": [n for n in numbers if n % 2], "count": sum(n % 2 for n in numbers)},
            "ddb_routing_decision": {"route": way, "decision_point_outcome": {"type": "create_steps", "step_names": [f"{way}_batch_analyzer"]}},
            f"{way}_batch_analyzer": {"batch_processing_outcome": {"type": "create_batches", "worker_count": len(pairs), "total_items": len(mine)}},
            **{f"process_{way}_batch_{i + 1:03}": {"processed_count": len(p), "sum": sum(p)} for i, p in enumerate(pairs)},
            f"aggregate_{way}_results": {"total_processed": len(mine), "total_sum": sum(mine), "batch_count": len(pairs), "average": sum(mine) // len(mine)}},
            first=4, without={f"{other}_batch_analyzer", f"process_{other}_batch", f"aggregate_{other}_results"}, parents={"ddb_routing_decision": 2})
    yield Run(name, {"numbers": []}, 4, {"ddb_diamond_start": fails("ValidationError")}, "blocked_by_failures")

    yield Run("rust_e2e_batch_retry/batch_resumption_test", {}, 2, {
        "checkpoint_fail_batch_001": {"resumed_from": 50, "end_position": 100, "total_processed": 50, "items_processed": 100, "running_total": 5050}},
        first=1, attempts={"checkpoint_fail_batch_001": 2})


def events():
    """worker.md 9.10, 10.10"""
    name, order = "domain_events_rust/domain_event_publishing", EVENT_ORDER["order_id"]
    yield Run(name, EVENT_ORDER, 4, {
        "domain_events_validate_order": {"order_id": order, "customer_id": "c7", "validated": True, "validation_timestamp": TIME},
        "domain_events_process_payment": {"transaction_id": prefixed("TXN-"), "amount": 12.5, "status": "success", "payment_method": re.compile("."), "processed_at": TIME},
        "domain_events_update_inventory": {"order_id": order, "success": True, "items": [{"quantity": 1}, {"quantity": 2}]},
        "domain_events_send_notification": {"notification_id": prefixed("NOTIF-"), "channel": "email", "recipient": "c7", "sent_at": TIME, "status": "delivered"}})
    yield Run(name, {**EVENT_ORDER, "simulate_failure": True}, 4,
              {"domain_events_process_payment": fails("PaymentError", "PAYMENT_DECLINED", attempts=3, retryable=True)}, "blocked_by_failures")
    yield Run(name, {**EVENT_ORDER, "amount": 0}, 4, {"domain_events_validate_order": fails("VALIDATION_ERROR")}, "blocked_by_failures")


def native(folder, products):
    """All runs of the 25 templates for the native worker."""
    for part in (shapes(), orders(), outcomes(), shop(), pipeline(), people(), decisions(), batches(folder, products), events()):
        yield from part


def yields(namespace):
    """worker.md 9.8, 10.15: the template is a Python one of the reference, with handlers of ours."""
    for context, worker, whole, attempts in (
            ({"total_items": 100, "items_per_checkpoint": 25}, {"running_total": 5050}, {"total_processed": 100, "running_total": 5050, "checkpoints_used": 3}, 1),
            ({"total_items": 100, "items_per_checkpoint": 20, "fail_after_items": 50}, {"resumed_from": 40, "total_processed": 60}, {"total_processed": 100, "running_total": 5050}, 2),
            ({"total_items": 50, "items_per_checkpoint": 5}, {"running_total": 1275}, {"total_processed": 50, "running_total": 1275, "checkpoints_used": 9}, 1),
            ({"total_items": 10, "items_per_checkpoint": 20}, {"checkpoints_used": 0}, {"total_processed": 10, "running_total": 55, "checkpoints_used": 0}, 1)):
        yield Run(f"{namespace}/checkpoint_yield_test", context, 3, {"checkpoint_yield_batch_001": worker, "aggregate_results": {**whole, "test_passed": True}}, first=1,
                  attempts={"checkpoint_yield_batch_001": attempts})
    yield Run(f"{namespace}/checkpoint_yield_test", {"total_items": 0}, 3, {"aggregate_results": {"total_processed": 0, "checkpoints_used": 0, "test_passed": True}}, first=1)
    yield Run(f"{namespace}/checkpoint_yield_test", {"total_items": 100, "items_per_checkpoint": 25, "fail_after_items": 30, "permanent_failure": True}, 3,
              {"checkpoint_yield_batch_001": fails("InjectedFailure")}, "blocked_by_failures", first=1)
