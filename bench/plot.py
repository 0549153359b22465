# SPDX-License-Identifier: MIT
"""Small SVG line plots, without a library: axes, a few series, a legend. They read on light and dark backgrounds."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 64, 150, 36, 46
COLOURS = ("#2a78d6", "#d9622b", "#2f9e63", "#9a5bd0", "#c9a227", "#5f6b7a")


def ticks(low, high, n=6):
    step = 10 ** math.floor(math.log10(max(high - low, 1e-12) / n))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= n)
    first = math.ceil(low / step)
    return [i * step for i in range(first, int(high / step + 1e-9) + 1)]


def label(value):
    return f"{value:g}" if abs(value) < 10000 else f"{value / 1000:g}k"


def lines(title, x_name, y_name, series, log_x=False, y_zero=True):
    """series: {name: [(x, y)]}. Returns the text of an SVG file."""
    series = {name: points for name, points in series.items() if points}
    fx = math.log10 if log_x else float
    xs = [fx(x) for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    x0, x1 = min(xs), max(max(xs), min(xs) + 1e-9)
    y0, y1 = (0 if y_zero else min(ys)), max(ys) * 1.05 or 1

    def px(x):
        return LEFT + (fx(x) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def py(y):
        return HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">',
           f"<title>{title}</title>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{title}</text>']
    for y in ticks(y0, y1):
        out += [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}" stroke="#ddd"/>',
                f'<text x="{LEFT - 6}" y="{py(y) + 4:.1f}" text-anchor="end" fill="#444">{label(y)}</text>']
    at = sorted({x for points in series.values() for x, _ in points}) if log_x else ticks(x0, x1, 8)
    for x in at[:12] if log_x else at:
        out.append(f'<text x="{px(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#444">{label(x)}</text>')
    out += [f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{x_name}</text>',
            f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{y_name}</text>']
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
        out += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
                f'<text x="{WIDTH - RIGHT + 10}" y="{TOP + 14 + 18 * i}" fill="{colour}">{name}</text>']
        if len(points) <= 12:
            out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
    return "\n".join(out + ["</svg>"]) + "\n"


def distribution(values, points=200):
    """The cumulative distribution as (value, per cent of the samples that are not above it)."""
    ordered = sorted(values)
    n = len(ordered)
    return [(ordered[min(n - 1, i * n // points)], 100 * i / points) for i in range(points)] + [(ordered[-1], 100)] if n else []
