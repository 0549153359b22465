# SPDX-License-Identifier: MIT
"""Contexts that more than one suite submits the examples with."""

ORDER = {"customer": {"id": 12345, "name": "Ada", "email": "ada@example.com"},
         "items": [{"sku": "WIDGET-001", "quantity": 2, "price": 29.99}, {"sku": "GADGET-002", "quantity": 1, "price": 149.99}],
         "payment": {"method": "credit_card", "token": "tok"}, "shipping": {"method": "standard", "address": {"city": "London"}}}
CART = {"cart_items": [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}],
        "customer_info": {"email": "ada@example.com", "name": "Ada"},
        "payment_info": {"method": "card", "token": "tok_test_valid", "amount": 124.76}}
