"""The timeline as a picture: dated observations by category on one UTC axis, long silences cut out and marked."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from wigmore.model.times import EPOCH, iso
from wigmore.reports.index import Index
from wigmore.reports.markup import Part, Safe, clipped, joined, tag
from wigmore.reports.svg_matrix import clipped_label

LANES = 14
LEFT, WIDTH, LANE, BREAK = 230, 700, 30, 26
SEGMENTS = 6
BINS = 70
FINE = 2 * 86_400_000_000  # µs; shorter stretches are labelled to the minute


def instants(index: Index) -> tuple[list[tuple[int, str, str]], int]:
    """(µs UTC, category, phenomenon id) of observations with a known instant; and how many dated ones have none."""
    found, local = [], 0
    for row in index.data.timeline:
        time = iso(str(row["time"]))
        if time is None or time["instant"] is None:
            local += 1
        else:
            found.append((int(time["instant"]), str(row["category"]), str(row["phenomenon_id"])))
    return sorted(found), local


def segments(moments: list[int]) -> list[tuple[int, int]]:
    """The stretches of time drawn: split at silences longer than an hour and than a fifth of what is still drawn."""
    edges = [(moments[0], moments[-1])]
    gaps = sorted(((b - a, a, b) for a, b in pairwise(moments)), reverse=True)[: SEGMENTS - 1]
    for length, before, after in gaps:
        drawn = sum(end - start for start, end in edges)
        if length <= drawn / 5 or length < 3_600_000_000:
            break
        at = next(i for i, (start, end) in enumerate(edges) if start <= before and after <= end)
        start, end = edges[at]
        edges[at : at + 1] = [(start, before), (after, end)]
    return edges


def timeline(index: Index) -> Safe:
    """The picture with its caption."""
    rows, local = instants(index)
    undated = len(index.data.phenomena) - len(rows) - local
    said = [f"{len(rows):,} observations with a known UTC instant are drawn"]
    if local:
        said.append(f"{local:,} are dated by a clock of unknown zone and are not placed on this axis")
    if undated > 0:
        said.append(f"{undated:,} carry no time")
    caption = tag(
        "figcaption", "; ".join(said) + ". Each bar counts observations, not records; “//” marks a cut silence."
    )
    if not rows:
        return tag("figure", tag("p", "No observation carries a known UTC instant."), caption)
    spans = segments([r[0] for r in rows])
    counts = Counter(r[1] for r in rows)
    lanes = [c for c, _ in sorted(counts.items(), key=lambda x: (-x[1], x[0]))[:LANES]]
    boxes = _boxes(spans, [r[0] for r in rows])
    height = 22 + len(lanes) * LANE + 40
    parts: list[Part] = []
    for line, lane in enumerate(lanes):
        parts += _lane(line, lane, counts[lane], [r[0] for r in rows if r[1] == lane], spans, boxes)
    base = 22 + len(lanes) * LANE
    parts += _axis(spans, boxes, base)
    picture = tag(
        "svg",
        tag("title", "Timeline of observations, UTC"),
        *parts,
        viewBox=f"0 0 {LEFT + WIDTH + 10} {height}",
        role="img",
        width=LEFT + WIDTH + 10,
        height=height,
    )
    more = (
        tag("p", f"{len(counts) - len(lanes)} categories with fewer observations are not drawn.", class_="more")
        if len(counts) > len(lanes)
        else ""
    )
    return tag("figure", tag("div", picture, class_="scroll"), caption, more)


def _boxes(spans: list[tuple[int, int]], moments: list[int]) -> list[tuple[float, float]]:
    """Left edge and width of each stretch: half by count, half by equal share: a lone early event stays visible."""
    room = WIDTH - BREAK * (len(spans) - 1)
    counts = [bisect_right(moments, end) - bisect_right(moments, start - 1) for start, end in spans]
    out, x = [], float(LEFT)
    for count in counts:
        width = room * (0.5 * count / len(moments) + 0.5 / len(spans))
        out.append((x, width))
        x += width + BREAK
    return out


def _place(moment: int, spans: list[tuple[int, int]], boxes: list[tuple[float, float]]) -> float:
    at = next((i for i, (_, end) in enumerate(spans) if moment <= end), len(spans) - 1)
    (start, end), (x, width) = spans[at], boxes[at]
    return x + 8 + (width - 16) * ((moment - start) / (end - start) if end > start else 0.5)


def _lane(
    line: int, lane: str, total: int, moments: list[int], spans: list[tuple[int, int]], boxes: list[tuple[float, float]]
) -> list[Part]:
    y = 22 + line * LANE
    bottom = y + LANE - 4
    bins = Counter(round(_place(m, spans, boxes) / (WIDTH / BINS)) for m in moments)
    tallest = max(bins.values())
    out: list[Part] = [
        tag("text", tag("title", clipped(lane, 200)), clipped_label(lane, 26), x=0, y=y + 19),
        tag("text", f"{total:,}", x=LEFT - 14, y=y + 19, text_anchor="end", class_="q"),
        tag("line", x1=LEFT, y1=bottom, x2=LEFT + WIDTH, y2=bottom, class_="rule"),
    ]
    for place, number in sorted(bins.items()):
        tall = 5 + 17 * number / tallest if tallest > 1 else 8
        out.append(
            tag(
                "rect",
                tag("title", f"{number:,} × {clipped(lane, 120)}"),
                x=round(place * WIDTH / BINS - 3, 1),
                y=round(bottom - tall, 1),
                width=6,
                height=round(tall, 1),
                rx=1.5,
                class_="bar",
            )
        )
    return out


def _axis(spans: list[tuple[int, int]], boxes: list[tuple[float, float]], base: int) -> list[Part]:
    out: list[Part] = []
    last = -1.0
    for number, ((start, end), (x, width)) in enumerate(zip(spans, boxes, strict=True)):
        out.append(tag("line", x1=round(x, 1), y1=base, x2=round(x + width, 1), y2=base, class_="axis"))
        if number:
            out.append(
                tag(
                    "text",
                    tag("title", f"nothing for {timedelta(microseconds=start - spans[number - 1][1]).days} days"),
                    "//",
                    x=round(x - BREAK / 2, 1),
                    y=base + 4,
                    text_anchor="middle",
                    class_="q",
                )
            )
        fine = end - start < FINE and spans[-1][1] - spans[0][0] < 30 * FINE
        first, second = _label(start, fine), _label(end, fine)
        row = 18 if x > last else 34
        out.append(tag("text", first, x=round(x + 2, 1), y=base + row, class_="q"))
        last = x + 8 + 6.6 * len(first)
        if second != first and width > 2 * 6.6 * len(first) + 24:
            out.append(tag("text", second, x=round(x + width - 2, 1), y=base + row, text_anchor="end", class_="q"))
            last = x + width
    return out


def _label(instant: int, fine: bool) -> str:
    """The day of an instant, and its minute where the stretch is short."""
    moment = EPOCH + timedelta(microseconds=instant)
    return moment.strftime("%Y-%m-%d %H:%M") if fine else moment.date().isoformat()


def timeline_note() -> Safe:
    """What the picture cannot show."""
    return joined(
        (
            (
                "A time says what a clock wrote. A clock may be wrong, may have been set, and a record may date"
                " something else than the event it names: see the parser’s meaning."
            ),
        )
    )
