"""Pages and charts show the figures that are kept, and a chart is drawn to scale."""

import re
from xml.etree import ElementTree as ET

import pytest

from tests.bench.chart import Bar, draw
from tests.bench.page import ROOT, pages


@pytest.mark.parametrize("path", pages())
def test_what_is_shown_is_what_was_measured(path):
    assert (ROOT / path).read_text("utf-8") == pages()[path], "run `make figures`"


def test_bars_are_as_long_as_their_figures_and_none_leaves_the_picture():
    picture = ET.fromstring(
        draw({"a": [Bar("x & y", 10, 9, 12, ours=True), Bar("z", 40, 40, 44)]}, "µs")
    )
    bars = [float(one.get("width")) for one in picture.iter() if "bar" in one.get("class", "")]
    assert bars[1] == pytest.approx(4 * bars[0], rel=0.01)
    paths = [one.get("d", "") for one in picture.iter()]
    ends = [float(number) for path in paths for number in re.findall(r"H([\d.]+)", path)]
    assert max(ends) < float(picture.get("width"))


def test_a_bar_that_is_much_longer_than_most_is_cut_and_says_so():
    values = [10, 20, 20, 30, 500]
    picture = draw({"a": [Bar(f"{value}", value, value, value) for value in values]}, "µs")
    widths = [float(one) for one in re.findall(r'class="bar" .* width="([\d.]+)"', picture)]
    assert widths[3] == pytest.approx(3 * widths[0], rel=0.01)
    assert widths[4] == widths[3]
    assert picture.count('class="cut"') == 2
    assert "500.0 µs" in picture


def test_every_group_has_its_own_scale():
    picture = draw({"a": [Bar("x", 1, 1, 1)], "b": [Bar("y", 1_000, 1_000, 1_000)]}, "µs")
    assert len(set(re.findall(r'class="bar" x="\d+" y="\d+" width="([\d.]+)"', picture))) == 1
