import { COLORS, clamp, connect, figure, fixed, marker } from "./draw.js";
import { ellipse, weightedGaussian } from "./maths.js";

// One Gaussian fitted to a few points that have votes: mean and ellipse follow the weights.
const MOST = 5;

function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const N = s.X.length,
    last = N - 1;
  const range = [0, 1].map((d) => {
    const values = s.X.map((x) => x[d]),
      low = Math.min(...values),
      high = Math.max(...values);
    return [low - 0.6 * (high - low), high + 0.6 * (high - low)];
  });
  const digits = range.map(([a, b]) => Math.max(0, 2 - Math.floor(Math.log10((b - a) / 3))));

  const fig = figure(el, {
    label: "Explorer: one Gaussian fitted to weighted points",
    hint:
      `Drag the bars to give points more votes or fewer, and point ${N} to another place ` +
      "(or focus a handle and use the arrow keys).",
    draw,
  });
  const plane = fig.chart({
    label: "Points, the weighted mean and its ellipse",
    height: (W) => (W < 480 ? 300 : 340),
    xlabel: s.names[0],
    ylabel: s.names[1],
  });
  const bars = fig.chart({
    label: "Votes of each point",
    height: 200,
    xlabel: "point",
    ylabel: "votes (weight)",
    yticks: 5,
  });
  fig.buttons([
    ["All one vote", all(() => 1)],
    [`Point ${N} no vote`, all((w, n) => (n === last ? 0 : w))],
    ["Double all votes", all((w) => Math.min(MOST, 2 * w))],
  ]);
  function all(change) {
    return () => {
      s.weights = s.weights.map(change);
      fig.draw();
      fig.commit();
    };
  }

  const setPoint = (d) => (v) => {
    s.X[last][d] = clamp(v, ...range[d]);
  };
  const coordinate = (d) => ({
    now: s.X[last][d],
    set: setPoint(d),
    min: range[d][0],
    max: range[d][1],
    step: (range[d][1] - range[d][0]) / 60,
  });
  plane.handle({
    label: `point ${N}: left and right for ${s.names[0]}, up and down for ${s.names[1]}`,
    glyph: `${N}`,
    color: COLORS[1],
    text: () => s.X[last].map((v, d) => fixed(v, digits[d])).join(", "),
    at: () => s.X[last],
    drag: (x, y) => {
      setPoint(0)(x);
      setPoint(1)(y);
    },
    values: () => [coordinate(0), coordinate(1)],
  });
  s.X.forEach((_, n) => {
    const set = (v) => {
      s.weights[n] = clamp(Math.round(4 * v) / 4, 0, MOST);
    };
    bars.handle({
      label: `votes of point ${n + 1}`,
      glyph: `${n + 1}`,
      color: COLORS[n === last ? 1 : 0],
      text: () => `${fixed(s.weights[n], 2)} votes`,
      at: () => [n + 1, s.weights[n]],
      drag: (_, y) => set(y),
      values: () => [{ now: s.weights[n], set, min: 0, max: MOST, step: 0.25 }],
    });
  });

  // null where the points that have votes lie on one line: no ellipse, and no density
  function fitted(weights) {
    try {
      const fit = weightedGaussian(s.X, weights),
        [[a, b], [, c]] = fit.cov;
      if (!(1 - (b * b) / (a * c) > 1e-9)) return null; // rounding may hide that it is singular
      return { ...fit, contour: ellipse(fit.mean, fit.cov) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return null;
    }
  }

  function draw() {
    plane.begin(...range);
    bars.begin([0.3, N + 0.7], [0, MOST + 0.6]);
    const even = fitted(s.X.map(() => 1)),
      fit = fitted(s.weights);
    const dashed = { stroke: "var(--gmx-soft)", "stroke-width": 1.5, "stroke-dasharray": "5 5" };
    if (even) plane.path(even.contour, dashed, true);
    if (fit) {
      plane.path(fit.contour, { stroke: COLORS[0], "stroke-width": 3 }, true);
      const [x, y] = [plane.px(fit.mean[0]), plane.py(fit.mean[1])];
      plane.raw("path", { d: marker(5, x, y, 9), fill: COLORS[0] });
    }
    s.X.forEach(([x, y], n) => {
      const at = { fill: "var(--gmx-ink)", opacity: 0.85 };
      if (n === last) return;
      plane.mark(0, x, y, 2 + 4 * Math.sqrt(s.weights[n]), at);
      plane.word(plane.px(x) + 11, plane.py(y) - 7, `${n + 1}`);
    });
    s.weights.forEach((w, n) => {
      const x = bars.px(n + 1),
        y = bars.py(w);
      bars.raw("rect", {
        x: x - 5,
        y,
        width: 10,
        height: bars.floor() - y,
        fill: COLORS[n === last ? 1 : 0],
        "fill-opacity": 0.35,
      });
    });
    const total = s.weights.reduce((a, b) => a + b, 0);
    const tiles = [["votes in all", fixed(total, 2), "var(--gmx-ink)"]];
    if (fit) {
      const [[a, b], [, c]] = fit.cov;
      tiles.push(
        ["mean", fit.mean.map((v, d) => fixed(v, digits[d])).join(", "), COLORS[0]],
        ["standard deviations", `${fixed(Math.sqrt(a))}, ${fixed(Math.sqrt(c))}`, COLORS[0]],
        ["correlation", fixed(b / Math.sqrt(a * c)), COLORS[0]],
      );
    }
    fig.tiles(tiles);
    fig.say(sentence(fit, even));
  }

  function sentence(fit, even) {
    const voters = s.weights.filter((w) => w > 0).length;
    if (!fit)
      return (
        `${voters} points have votes${voters > 2 ? ", and they lie on a line" : ""}: ` +
        "the covariance is singular. An ellipse in the plane needs three points with votes."
      );
    const [[a, b], [, c]] = fit.cov,
      corr = b / Math.sqrt(a * c);
    const lean = Math.abs(corr) < 0.05 ? "hardly leans" : corr > 0 ? "leans up" : "leans down";
    const same = even && fit.contour.every((p, i) => p.every((v, d) => v === even.contour[i][d]));
    const spot = (at) => at.map((v, d) => fixed(v, digits[d])).join(", ");
    return (
      `The ellipse ${lean}, with correlation ${fixed(corr)}; its mean is ${spot(fit.mean)}. ` +
      `Point ${N} at ${spot(s.X[last])} has ${fixed(s.weights[last], 2)} of ` +
      `${fixed(
        s.weights.reduce((u, v) => u + v, 0),
        2,
      )} votes. ` +
      (same ? "Equal votes: the dashed ellipse is the same." : "Dashed: one vote each.")
    );
  }
  return connect(fig, model, s);
}
export default { render };
