"""Receptive fields against real torch forwards, published tables and known values; bounds, gates, phases, paths."""

from __future__ import annotations

import csv
from contextlib import suppress
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import nn, summary, trace, zoo
from convcalc.algebra.intervals import Axis, Bound, Taps, slide, spread
from convcalc.algebra.symbolic import symbol
from convcalc.analysis.fields.flow import Extent, propagate, receptive_field
from convcalc.analysis.fields.focus import Focus, Profile, profile
from convcalc.analysis.fields.positions import read_by
from convcalc.analysis.fields.sight import Sight
from convcalc.analysis.fields.survey import find_unpadded
from convcalc.errors import ConvcalcError, SpecError
from convcalc.network.graph import Graph
from convcalc.views.columns import rf_text
from tests.nan_probes import compare, is_local, loose_nodes, probes, reached
from tests.random_networks import Network, Plan, plans
from tests.test_tiling import UNet, Windows
from tests.torch_modules import FromGraph

THOROUGH = settings().max_examples >= 2000


def graph_of(name: str, size: int | None = None) -> Graph:
    model, shape = zoo.load(name)
    return trace(model, (1, shape[0], *([size] * (len(shape) - 1) if size else shape[1:])))


def fields_of(graph: Graph, through_gates: bool = False) -> dict[str, Any]:
    found = propagate(graph, [False] * len(graph.nodes)).fields
    names = [node.name for node in graph.nodes]
    return {name: receptive_field(field, graph, through_gates) for name, field in zip(names, found)}


def last_field(net: Any, shape: tuple[int, ...]) -> Any:
    graph = trace(net, shape)
    return fields_of(graph)[graph.outputs[0]]


# Against real forwards


@given(plans(high=16, head=False, uneven=True))
def test_units_that_see_a_pixel_are_those_that_nan_reaches(plan: Plan) -> None:
    graph = trace(Network(plan), (1, *plan.shapes[0][1:]))
    compare(graph, list(product(*map(range, plan.shapes[0][2:]))))


@given(plans(high=14, head=False))
def test_gates_that_are_followed_let_nan_through(plan: Plan) -> None:
    graph = trace(Network(plan), (1, *plan.shapes[0][1:]))
    compare(graph, list(product(*map(range, plan.shapes[0][2:]))), through_gates=True)


@pytest.mark.parametrize("dims", [(2,), (3,), (2, 3)])
def test_gates_along_some_axes(dims: tuple[int, ...]) -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return self.b(x * self.a(x).mean(dims, keepdim=True))

    graph = trace(Rows(), (1, 1, 6, 7))
    for through_gates in (False, True):
        compare(graph, list(product(range(6), range(7))), through_gates=through_gates)


@given(plans(high=16, head=False, uneven=True), st.data())
def test_the_box_that_a_unit_sees_is_that_of_the_pixels_whose_nan_reaches_it(plan: Plan, data: Any) -> None:
    graph = trace(Network(plan), (1, *plan.shapes[0][1:]))
    sight = Sight(graph)
    pixels = list(product(*map(range, plan.shapes[0][2:])))
    loose = loose_nodes(graph)
    for node, nan in probes(graph, pixels):
        if not is_local(sight, node.name) or node.name in loose:
            continue
        real = torch.stack([reached(sight, node.name, nan[i : i + 1]) for i in range(len(pixels))])
        for _ in range(5):
            unit = tuple(data.draw(st.integers(0, n - 1)) for n in real.shape[1:])
            seen = [pixel for pixel, hit in zip(pixels, real[(slice(None), *unit)].tolist()) if hit]
            box = tuple((min(axis), max(axis)) for axis in zip(*seen)) or None
            assert sight.seen(node.name, unit) == box, (node, unit)


@given(plans(high=16, head=False, uneven=True), st.data())
def test_sight_is_the_same_from_both_ends(plan: Plan, data: Any) -> None:
    graph = trace(Network(plan), (1, *plan.shapes[0][1:]))
    sight = Sight(graph)
    pixel = tuple(data.draw(st.integers(0, n - 1)) for n in plan.shapes[0][2:])
    covers = sight.covers(pixel)
    for node in graph.nodes:
        if is_local(sight, node.name):
            unit = tuple(data.draw(st.integers(0, sight.shapes[node.name][i] - 1)) for i in sight.axes(node.name))
            forward = any(all(s >> i & 1 for s, i in zip(box, unit)) for box in covers[node.name])
            seen = sight.boxes_seen(node.name, unit)
            assert forward == any(all(s >> i & 1 for s, i in zip(box, pixel)) for box in seen), (node, unit, pixel)


SIZES = {1: (600,), 2: (128, 224, 160, 96, 64, 32, 4), 3: (32, 16, 64)}
"""Inputs to try, by the number of axes; on the first of them most layers have five units or more."""

QUICK = (
    *("lenet5", "alexnet", "resnet18", "googlenet"),
    *("squeezenet1_1", "shufflenet_v2_x0_5", "mobilenet_v3_small", "swin_t"),
)
ATTENDING = ("vit", "swin", "maxvit")
"""Networks that run with the traced batch only, so that one pixel is probed at a time."""

WORK = 1e10 if THOROUGH else 4e9
"""The most multiply–accumulates that the probes of one network may cost."""


def small_graph(name: str) -> Graph:
    """Return the network on the first input at which all its maps have five units, or else the first it takes."""
    usual = zoo.load(name)[1]
    taken = []
    for size in [size for size in SIZES[len(usual) - 1] if size <= 4 * usual[-1]]:
        with suppress(ConvcalcError):
            taken.append(graph_of(name, size))
            sight = Sight(taken[-1])
            local = [node.name for node in taken[-1].nodes if is_local(sight, node.name)]
            if min(prod(sight.shapes[name][i] for i in sight.axes(name)) for name in local) >= 5:
                return taken[-1]
    return taken[0] if taken else graph_of(name)


@pytest.mark.parametrize("name", zoo.names() if THOROUGH else QUICK)
def test_every_unit_of_every_node_of_the_zoo_agrees_with_nan(name: str) -> None:
    graph = small_graph(name)
    work = sum((node.layer.work(node.input_shapes, node.output_shape) or {}).get("mac", 0) for node in graph.nodes)
    sizes = next(iter(graph.inputs.values()))[2:]
    number = int(min(8, max(2, WORK // max(work, 1))))
    pixels = [tuple((2 * i + 1) * n // (2 * number) for n in sizes) for i in range(number)]
    batches = [[pixel] for pixel in pixels[:: number // 2]] if name.startswith(ATTENDING) else [pixels]
    for batch in batches:
        counted = compare(graph, batch, double=False)
        assert counted
        if name in QUICK:
            assert name.startswith("lenet") or min(counted.values()) >= 5


@given(st.data())
def test_windows_of_attention_are_what_nan_says(data: st.DataObject) -> None:
    small = st.integers(1, 3)
    window, windows = (data.draw(st.tuples(small, small)) for _ in range(2))
    shift = data.draw(st.tuples(st.integers(-2, 2), st.integers(-2, 2)))
    net = Windows(window, shift, data.draw(st.booleans()), data.draw(st.sampled_from((1, 3))), data.draw(small))
    sizes = [n * m * net.before.stride[0] for n, m in zip(window, windows)]
    graph = trace(net, (1, 1, *sizes))
    for pixel in product(*map(range, sizes)):
        compare(graph, [pixel])


def test_attention_layers_inside_windows_are_what_nan_says() -> None:
    class Encoded(nn.Module):
        def __init__(self) -> None:
            self.before = nn.Conv2d(1, 4, 3, padding=1)
            self.encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
            self.after = nn.Conv2d(4, 1, 3, padding=1)

        def forward(self, x: Any) -> Any:
            n, c, h, w = (x := self.before(x)).shape
            y = x.reshape(n, c, h // 3, 3, w // 3, 3).permute(0, 2, 4, 3, 5, 1).reshape(n * (h // 3) * (w // 3), 9, c)
            y = self.encoder(y).reshape(n, h // 3, w // 3, 3, 3, c).permute(0, 5, 1, 3, 2, 4)
            return self.after(y.reshape(n, c, h, w))

    graph = trace(Encoded(), (1, 1, 9, 12))
    for pixel in product(range(9), range(0, 12, 2)):
        compare(graph, [pixel])
    assert rf_text(fields_of(graph)["after"]) == "5–8"


def test_a_pixel_unshuffle_by_reshaping_sees_what_the_layer_does() -> None:
    class Reshaped(nn.Module):
        def forward(self, x: Any) -> Any:
            n, c, h, w = x.shape
            x = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
            return nn.Conv2d(4 * c, 8, 3)(x)

    layer = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 8, 3))
    assert last_field(Reshaped(), (1, 3, 16, 16)) == last_field(layer, (1, 3, 16, 16)) != None  # noqa: E711


def test_swins_windows_grow_by_phase() -> None:
    fields = fields_of(graph_of("swin_t"))
    sizes = [rf_text(fields[f"features.{name}"]) for name in ("1.0.add2", "1.1.add2", "2.reduction", "3.1.add2")]
    assert sizes == ["28", "56", "56–84", "168"]
    assert fields["features.1.0.attn.qkv"].size == (4, 4)  # inside windows, before they are mixed
    assert fields["features.7.0.add"] == "global"


# Published and known values


def same(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, padding="tf_same")


ALEXNET_V2 = {
    "conv1": nn.Conv2d(2, 2, 11, 4), "pool1": nn.MaxPool2d(3, 2), "conv2": same(2, 5), "pool2": nn.MaxPool2d(3, 2),
    "conv3": same(2, 3), "conv4": same(2, 3), "conv5": same(2, 3), "pool5": nn.MaxPool2d(3, 2),
}  # fmt: skip


def vgg(*repeats: int) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    for stage, count in enumerate(repeats, 1):
        for i in range(1, count + 1):
            layers[f"conv{stage}/conv{stage}_{i}"] = same(2, 3)
        layers[f"pool{stage}"] = nn.MaxPool2d(2)
    return layers


def mobilenet_v1() -> dict[str, Any]:
    layers: dict[str, Any] = {"Conv2d_0": same(2, 3, 2)}
    for i in range(1, 14):
        layers[f"Conv2d_{i}_depthwise"] = same(2, 3, 2 if i in (2, 4, 6, 12) else 1)
        layers[f"Conv2d_{i}_pointwise"] = same(2, 1)
    return layers


class Bottleneck(nn.Module):
    """A residual unit with its stride in the 3 x 3 or in the first 1 x 1 convolution."""

    def __init__(self, stride: int, padding: Any = "tf_same", strided: int = 3) -> None:
        self.conv1 = nn.Conv2d(2, 2, 1, stride if strided == 1 else 1)
        self.conv2 = nn.Conv2d(2, 2, 3, stride if strided == 3 else 1, padding)
        self.conv3 = nn.Conv2d(2, 2, 1)
        self.shortcut = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Any) -> Any:
        return self.shortcut(x) + self.conv3(self.conv2(self.conv1(x)))


def resnet_v1_50() -> dict[str, Any]:
    """Return a ResNet-50 in which the last unit of a stage has its stride."""
    layers: dict[str, Any] = {"conv1": same(2, 7, 2), "pool1": nn.MaxPool2d(3, 2, padding="tf_same")}
    for stage, (units, stride) in enumerate(((3, 2), (4, 2), (6, 2), (3, 1)), 1):
        for i in range(1, units):
            layers[f"block{stage}_{i}"] = Bottleneck(1)
        layers[f"block{stage}"] = Bottleneck(stride)
    return layers


SLIM = {
    "alexnet_v2": ALEXNET_V2,
    "vgg_a": vgg(1, 1, 2, 2, 2),
    "vgg_16": vgg(2, 2, 3, 3, 3),
    "mobilenet_v1": mobilenet_v1(),
    "resnet_v1_50": resnet_v1_50(),
}
PUBLISHED = list(
    csv.DictReader((Path(__file__).parent / "data" / "receptive_fields_slim.csv").read_text().splitlines())
)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["cnn"] + " " + row["endpoint"].split("/", 1)[-1])
def test_published_end_points_of_tf_slim(row: dict[str, str]) -> None:
    layers = SLIM[row["cnn"]]
    end = row["endpoint"].removeprefix(row["cnn"] + "/")
    names = list(layers)
    graph = trace(nn.Sequential(*[layers[name] for name in names[: names.index(end) + 1]]), (1, 2, 224, 224))
    focus = Focus(graph)
    assert isinstance(focus.rf, Extent)
    assert focus.rf.size == focus.rf.smallest == (int(row["rf"]),) * 2
    assert focus.rf.jump == (int(row["effective_stride"]),) * 2
    if row["effective_padding"] != "None":
        assert focus.padding == (int(row["effective_padding"]),) * 2


def test_all_five_published_networks_are_compared() -> None:
    assert {row["cnn"] for row in PUBLISHED} == set(SLIM) and len(PUBLISHED) == 51


@pytest.mark.parametrize(
    ("network", "layer", "size"),
    [
        ("vgg16", "features.30", 212),
        ("alexnet", "features.12", 195),
        ("resnet50", "layer4.2.relu:2", 427),
        ("resnet152", "layer4.2.relu:2", 1451),
        ("inception_v3", "Mixed_7c.cat", 1311),
    ],
)
def test_known_sizes(network: str, layer: str, size: int) -> None:
    assert summary(network)[layer].rf.size == (size, size)


@pytest.mark.parametrize(("strided", "size"), [(3, 427), (1, 483)])
def test_resnet50_by_the_place_of_its_stride(strided: int, size: int) -> None:
    layers: list[Any] = [nn.Conv2d(2, 2, 7, 2, 3), nn.MaxPool2d(3, 2, 1)]
    for stage, units in enumerate((3, 4, 6, 3)):
        layers += [Bottleneck(2 if stage and i == 0 else 1, 1, strided) for i in range(units)]
    assert last_field(nn.Sequential(*layers), (1, 2, 224, 224)).size == (size, size)


def test_wavenet() -> None:
    block = [nn.Conv1d(2, 2, 2, dilation=2**i) for i in range(10)]
    assert last_field(nn.Sequential(*block * 3), (1, 2, 4000)).size == (3070,)


def test_unet_by_phase() -> None:
    rf = last_field(UNet(), (1, 1, 160, 160))
    sizes = [high - low + 1 for low, high in rf.phases[0]]
    assert (sizes.count(46), sizes.count(54), len(sizes)) == (2, 6, 8)
    assert rf.exact and rf_text(rf) == "46–54"


# Bounds


class Skip(nn.Module):
    """A branch that returns with another jump: resized to the input's size, which is not a multiple of its own."""

    def __init__(self, size: int, mode: str, align: bool | None) -> None:
        self.down = nn.Conv2d(1, 1, 3, 2, 1)
        self.up = nn.Upsample((size, size), mode=mode, align_corners=align)

    def forward(self, x: Any) -> Any:
        return nn.Cat(1)(x, self.up(self.down(x)))


@pytest.mark.parametrize(("mode", "align"), [("nearest", None), ("bilinear", False), ("bilinear", True)])
@pytest.mark.parametrize("size", [7, 13, 14])
def test_out_of_step_branches_are_bounded_from_outside(size: int, mode: str, align: bool | None) -> None:
    graph = trace(Skip(size, mode, align), (1, 1, size, size))
    rf = fields_of(graph)["cat"]
    assert rf.exact == ((size == 14) != bool(align))  # 14 to 7 to 14; or with corners aligned 13 to 7 to 13
    if rf.exact:
        return
    assert rf_text(rf).startswith("≤ ") and not rf.phases[0]
    field = propagate(graph, [False] * len(graph.nodes)).fields[-1]
    sight = Sight(graph)
    for unit in range(size):
        box = sight.seen("cat", (unit, unit))
        low, high = field.axes[2].interval(unit)
        assert box is not None and low <= box[0][0] and box[0][1] <= high
        assert high - low + 1 <= rf.size[0]
    compare(graph, list(product(range(size), repeat=2)))


def test_a_period_too_long_to_list_is_a_bound() -> None:
    net = nn.Sequential(*[nn.Upsample(scale_factor=11, mode="nearest") for _ in range(4)], nn.Conv1d(1, 1, 3))
    rf = last_field(net, (1, 1, 2))
    assert not rf.exact and rf.jump == (Fraction(1, 11**4),)
    assert rf.size[0] in (2, 3)  # the true size is 1 or 2
    net = nn.Sequential(nn.Conv1d(1, 1, 3), nn.Upsample(5003, mode="linear", align_corners=False))
    graph = trace(net, (1, 1, 4099))
    rf = fields_of(graph)["1"]
    assert not rf.exact and rf.size[0] in (4, 5)
    field = propagate(graph, [False, False]).fields[1]
    taps = [i * Fraction(4097, 5003) + Fraction(4097, 5003) / 2 - Fraction(1, 2) for i in range(5003)]
    for unit in range(0, 5003, 7):
        below = taps[unit].numerator // taps[unit].denominator
        low, high = field.axes[2].interval(unit)
        assert low <= below and below + 3 <= high


@given(
    st.lists(
        st.one_of(
            st.builds(slide, st.integers(1, 4), st.integers(1, 3), st.integers(-1, 2), st.integers(1, 3)),
            st.builds(spread, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)),
        ),
        max_size=6,
    )
)
def test_bounds_hold_intervals_and_intervals_hold_reads(chain: list[Taps]) -> None:
    axis: Any = Axis(0)
    bound: Any = axis.bound()
    for taps in chain:
        axis, bound = axis.through(taps), bound.through(taps)
    assert axis.jump == bound.jump
    for unit in range(-5, 12):
        seen = {unit}
        for taps in reversed(chain):
            seen = {i for position in seen for i in read_by(taps, position)}
        assert axis.interval(unit) == ((min(seen), max(seen)) if seen else None)
        low, high = bound.interval(unit) or (0, -1)
        assert not seen or (low <= min(seen) and max(seen) <= high)


@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 5), st.integers(-9, 9), st.integers(-9, 9))
def test_bounds_of_drifting_maps(units: int, one: int, two: int, first: int, second: int) -> None:
    a, b = Axis(0, one, ((first, first + 3),)), Axis(0, two, ((second - 1, second),))
    joined = a.joined(b, units)
    assert joined is not None and joined.exact == (one == two)
    for unit in range(units):
        low, high = joined.interval(unit)  # type: ignore[misc]
        for axis in (a, b):
            assert low <= axis.interval(unit)[0] and axis.interval(unit)[1] <= high  # type: ignore[index]


def test_maps_of_a_letters_size_that_drift_apart_have_no_field() -> None:
    bound = Bound(0, Fraction(1), Fraction(0), Fraction(1))
    assert bound.joined(Axis(0, 2), symbol("H")) is None
    assert bound.joined(Axis(0), symbol("H")) == bound
    assert bound.joined(Axis(1), 8) is None


# What makes a field global, and what does not


class Gated(nn.Module):
    """Squeeze and excitation, written in several ways."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(4, 4, 1)

    def forward(self, x: Any) -> Any:
        y = self.conv(x)
        gate = self.squeeze(self.pool(y))
        if self.way == "expand":
            return y * gate.expand((1, 4, 8, 8))
        if self.way == "mean":
            return y * self.squeeze(y.mean((2, 3), keepdim=True))
        if self.way == "add":
            return y + gate
        if self.way == "rows":
            return y * y.mean(3, keepdim=True)
        return y * gate


@pytest.mark.parametrize("way", ["mul", "add", "expand", "mean"])
def test_gates_are_marked_beside_the_path(way: str) -> None:
    graph = trace(Gated(way), (1, 4, 8, 8))
    rf = fields_of(graph)[graph.outputs[0]]
    assert rf_text(rf) == "3 + global gate"
    assert fields_of(graph, through_gates=True)[graph.outputs[0]] == "global"
    assert Sight(graph).seen(graph.outputs[0], (4, 4)) == ((3, 5), (3, 5))
    assert Sight(graph, through_gates=True).seen(graph.outputs[0], (4, 4)) == ((0, 7), (0, 7))


def test_a_gate_along_one_axis() -> None:
    graph = trace(Gated("rows"), (1, 4, 8, 8))
    assert rf_text(fields_of(graph)[graph.outputs[0]]) == "3 + gate"
    assert rf_text(fields_of(graph, through_gates=True)[graph.outputs[0]]) == "3 x all"


def test_efficientnet_by_its_path() -> None:
    report = summary("efficientnet_b0")
    assert rf_text(report["features.8.2"].rf) == "851 + global gate"
    assert summary("efficientnet_b0", (1, 3, 224, 224), through_gates=True)["features.8.2"].rf == "global"
    assert report.totals["rf"] == "global"


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.InstanceNorm2d(4), "global"),
        (nn.GroupNorm(2, 4), "global"),
        (nn.LayerNorm((4, 8, 8)), "global"),
        (nn.BatchNorm2d(4), "3"),
        (nn.LocalResponseNorm(2), "3"),
        (nn.AdaptiveAvgPool2d(1), "global"),
        (nn.Softmax2d(), "3"),
        (nn.Flatten(), "global"),
        (nn.PixelShuffle(2), "3"),
        (nn.Dropout(), "3"),
    ],
)
def test_what_counts(layer: Any, text: str) -> None:
    assert rf_text(last_field(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), layer), (1, 4, 8, 8))) == text


def test_a_pooled_branch_beside_the_map_is_global() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.up = nn.Upsample((8, 8), mode="bilinear")

        def forward(self, x: Any) -> Any:
            return nn.Cat(1)(x, self.up(self.pool(x)))

    assert last_field(Pooled(), (1, 4, 8, 8)) == "global"


def test_two_axes_along_one_of_the_input_have_no_field() -> None:
    class Outer(nn.Module):
        def forward(self, x: Any) -> Any:
            return nn.Unsqueeze(3)(x) * nn.Unsqueeze(2)(x)

    assert last_field(Outer(), (1, 4, 8)) is None


# Paths


@given(plans(high=12, head=False, uneven=True), st.data())
def test_paths_end_where_a_unit_sees(plan: Plan, data: Any) -> None:
    graph = trace(Network(plan), (1, *plan.shapes[0][1:]))
    sight = Sight(graph)
    name = graph.nodes[-1].name
    if not is_local(sight, name) or not all(axis is None or axis.exact for axis in sight.fields[name].axes):
        return
    for place in sight.axes(name):
        unit = data.draw(st.integers(0, sight.shapes[name][place] - 1))
        interval = sight.fields[name].axes[place].interval(unit)
        if interval is None:
            with pytest.raises(SpecError, match="it sees nothing"):
                profile(sight, name, place, unit)
        else:
            found = profile(sight, name, place, unit)
            assert (found.start, found.start + len(found.paths) - 1) == interval
            assert found.paths[0] and found.paths[-1]


def test_paths_are_the_gradients_of_a_network_of_ones() -> None:
    first, second = nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.Conv1d(1, 1, 4, 2, bias=False)
    third, fourth = nn.ConvTranspose1d(1, 1, 3, 2, bias=False), nn.Conv1d(1, 1, 2, dilation=3, bias=False)
    graph = trace(nn.Sequential(first, second, third, fourth), (1, 1, 60))
    module, x = FromGraph(graph).double(), torch.zeros(1, 1, 60, dtype=torch.float64, requires_grad=True)
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    for unit in (20, 21):
        (gradient,) = torch.autograd.grad(module(x)[0][0, 0, unit], x)
        found = profile(Sight(graph), "3", 2, unit)
        whole = [0] * 60
        whole[found.start : found.start + len(found.paths)] = found.paths
        assert gradient[0, 0].tolist() == whole


def test_paths_of_branches_add() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return nn.Cat(1)(x, x + self.b(self.a(x)), self.a(x))

    graph = trace(Block(), (1, 1, 9))
    assert profile(Sight(graph), "cat", 2, 4) == Profile(2, (1, 3, 6, 3, 1))


def test_spread_of_many_convolutions_is_that_of_a_sum() -> None:
    """Check that n convolutions of k have a variance of n·(k² − 1)/12, that of n uniform draws (Luo et al. 2016)."""
    net = nn.Sequential(*[nn.Conv1d(1, 1, 5, padding=2) for _ in range(30)])
    found = profile(Sight(trace(net, (1, 1, 200))), "29", 2, 100)
    assert found.mean == 100 and found.variance == 60 and found.total == 5**30
    first, last = found.holding()
    assert (last - first + 1) / (2 * 1.96 * found.deviation) == pytest.approx(1, abs=0.03)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12).filter(sum), st.fractions(0, 1).filter(bool))
def test_the_interval_that_contains_a_share_is_the_shortest(paths: list[int], share: Fraction) -> None:
    first, last = Profile(0, tuple(paths)).holding(share)
    wanted = share * sum(paths)
    assert sum(paths[first : last + 1]) >= wanted
    for size in range(1, last - first + 1):
        assert all(sum(paths[i : i + size]) < wanted for i in range(len(paths)))


# One layer in detail


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "alexnet", "googlenet"])
def test_the_smallest_input_without_padding_is_the_smallest(name: str) -> None:
    model, shape = zoo.load(name)

    def free(n: int) -> bool:
        focus = Focus(trace(model, (1, 3, n, n)), layer)
        axis, units = focus.along()[0], focus.units[0]
        seen = [axis.interval(i) for i in range(int(units))]  # type: ignore[arg-type]
        return any(ends and ends[0] >= 0 and ends[1] < n for ends in seen)

    layer = Focus(trace(model, (1, *shape))).name
    found = find_unpadded(lambda shape: trace(model, shape), (1, *shape), layer)
    assert found is not None and free(found[0])
    assert not any(free(n) for n in range(found[0] - 40, found[0]))


def test_a_stride_too_long_to_list_is_bounded() -> None:
    far = summary(nn.ConvTranspose1d(1, 1, 7, stride=5000), (1, 1, 2)).totals["rf"]
    near = summary(nn.ConvTranspose1d(1, 1, 7, stride=4000), (1, 1, 2)).totals["rf"]
    assert not far.exact and near.exact
    assert far.size >= near.size
