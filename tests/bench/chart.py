"""Bars as an SVG that is readable on light and on dark pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

WIDTH, LABEL, FIGURES = 760, 190, 150
ROW, HEAD, EDGE = 26, 34, 16
CUT = 4
"""A bar that is so many times the middle one is cut, so that the others can be told apart."""

_STYLE = """\
<style>
  rect.page { fill: #ffffff } text { fill: #1f2328; font: 13px "DejaVu Sans", Verdana, sans-serif }
  text.head { font-weight: bold } rect.bar { fill: #8c959f } rect.ours { fill: #0969da }
  path { stroke: #1f2328; fill: none } path.cut { stroke: #ffffff; stroke-width: 4 }
  @media (prefers-color-scheme: dark) {
    rect.page { fill: #0d1117 } text { fill: #e6edf3 } path { stroke: #e6edf3 }
    path.cut { stroke: #0d1117 }
    rect.bar { fill: #6e7681 } rect.ours { fill: #4493f8 }
  }
</style>"""


@dataclass(frozen=True)
class Bar:
    """One figure, with the least and the most that was measured."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False


def draw(groups: Mapping[str, Sequence[Bar]], unit: str) -> str:
    """Draw one group of bars below the other, each to its own scale; the longest may be cut."""
    lines: list[str] = []
    top = EDGE
    for head, bars in groups.items():
        lines.append(_text(EDGE, top + 16, head, "head"))
        top += HEAD
        most = CUT * median(bar.value for bar in bars)
        scale = (WIDTH - LABEL - FIGURES) / max(bar.high for bar in bars if bar.value <= most)
        for bar in bars:
            lines += _bar(bar, top, scale, unit) if bar.value <= most else _cut(bar, top, unit)
            top += ROW
        top += EDGE
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    page = f'<rect class="page" width="{WIDTH}" height="{top}"/>'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', _STYLE, page, *lines, "</svg>\n"]
    )


def _bar(bar: Bar, top: int, scale: float, unit: str) -> Iterator[str]:
    length = bar.value * scale
    yield from _long(bar, top, length)
    low, high, middle = LABEL + bar.low * scale, LABEL + bar.high * scale, top + 11
    ends = f"M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}{ends}"/>'
    yield _text(max(high, LABEL + length) + 8, top + 15, f"{bar.value:.1f} {unit}", "figure")


def _cut(bar: Bar, top: int, unit: str) -> Iterator[str]:
    """Draw a bar that would be longer than the page; two slanted lines say so."""
    length = WIDTH - LABEL - FIGURES
    yield from _long(bar, top, length)
    for x in (LABEL + 0.8 * length, LABEL + 0.8 * length + 10):
        yield f'<path class="cut" d="M{x:.1f} {top + 21}l6 -20"/>'
    yield _text(LABEL + length + 8, top + 15, f"{bar.value:.1f} {unit}", "figure")


def _long(bar: Bar, top: int, length: float) -> Iterator[str]:
    yield _text(LABEL - 10, top + 15, bar.label, "label", "end")
    kind = "bar ours" if bar.ours else "bar"
    yield f'<rect class="{kind}" x="{LABEL}" y="{top + 3}" width="{length:.1f}" height="16"/>'


def _text(x: float, y: int, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
