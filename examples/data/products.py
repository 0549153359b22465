#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a CSV file of made-up products for the example csv_products: examples/data/products.py FILE [ROWS].
The same rows every time. What they add up to is printed as JSON, so that a result can be checked."""
import csv
import json
import sys

COLUMNS = ["id", "title", "description", "category", "price", "discountPercentage", "rating", "stock", "brand", "sku", "weight"]
CATEGORIES = ["tools", "garden", "books", "kitchen", "toys, games", "music"]
BRANDS = ["Northwind", "Halden & Sons", 'The "Old" Mill', "Kestrel"]


def product(n):
    """Everything follows from the number."""
    category, brand = CATEGORIES[n * 7 % len(CATEGORIES)], BRANDS[n % len(BRANDS)]
    price = round(1 + (n * 7919 % 99999) / 100, 2)
    return {"id": n, "title": f"Product {n:05}", "description": f"Made for {category}, by {brand}", "category": category, "price": price,
            "discountPercentage": n % 40 / 2, "rating": 1 + n * 31 % 41 / 10, "stock": n * 13 % 100, "brand": brand,
            "sku": f"{category[:3].upper()}-{n:05}", "weight": 1 + n % 9}


def totals(rows):
    best = max(rows, key=lambda r: r["price"], default=None)
    return {"rows": len(rows), "total_inventory_value": round(sum(r["price"] * r["stock"] for r in rows), 2),
            "average_rating": sum(r["rating"] for r in rows) / len(rows) if rows else 0,
            "max_price": best["price"] if best else 0, "max_price_product": best["title"] if best else None,
            "category_counts": {c: n for c in CATEGORIES if (n := sum(r["category"] == c for r in rows))}}


def write(path, n):
    rows = [product(i) for i in range(1, n + 1)]
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, COLUMNS, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return totals(rows)


if __name__ == "__main__":
    print(json.dumps(write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000), indent=2))
