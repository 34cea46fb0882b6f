import { COLORS, clamp, connect, figure, fixed, linspace } from "./draw.js";
import {
  axesOf,
  conditional1d,
  countInside,
  covOf,
  ellipse,
  logGaussian1d,
  radiusOf,
} from "./maths.js";

// One Gaussian over points in the plane: turn, stretch and correlate it; its marginals stand on
// the edges, the conditional on a line that follows the pointer, and the points inside are counted.
function render({ model, el }) {
  const s = structuredClone(model.get("state")),
    start = structuredClone({ mean: s.mean, cov: s.cov, x: s.x });
  const N = s.X.length,
    { lengths: first } = axesOf(start.cov);
  const least = first[1] / 4,
    most = first[0] * 1.6;
  const limits = [0, 1].map((d) => {
    const values = s.X.map((x) => x[d]),
      low = Math.min(...values),
      high = Math.max(...values);
    return [low - 0.15 * (high - low), high + 0.08 * (high - low)];
  });
  const digits = Math.max(0, 2 - Math.floor(Math.log10(limits[0][1] - limits[0][0]))),
    num = (v) => fixed(v, digits),
    fine = (v) => fixed(v, digits + 1);
  const [name1, name2] = s.names.map((name) => name.replace(/\s*\(.*\)$/, "")),
    unit = s.names[0].match(/\((.*)\)/)?.[1] ?? "";
  let axes = axesOf(s.cov);

  const rebuild = () => (s.cov = covOf(axes.lengths, axes.angle));
  const sd = (d) => Math.sqrt(s.cov[d][d]),
    rho = () => s.cov[0][1] / (sd(0) * sd(1)),
    radius = () => radiusOf(s.share);
  const setLength = (k) => (v) => {
    axes.lengths[k] = clamp(v, least, most);
    rebuild();
  };
  const setAngle = (v) => {
    axes.angle = clamp(v, -180, 180);
    rebuild();
  };
  const setRho = (v) => {
    const off = clamp(v, -0.98, 0.98) * sd(0) * sd(1);
    s.cov = [
      [s.cov[0][0], off],
      [off, s.cov[1][1]],
    ];
    axes = axesOf(s.cov);
  };
  const setX = (v) => (s.x = clamp(v, ...limits[0]));
  const direction = (k) => ((axes.angle + 90 * k) * Math.PI) / 180;
  const tip = (k) => {
    const far = (k ? -1 : 1) * radius() * axes.lengths[k]; // 2 hangs below: there is room
    return [s.mean[0] + far * Math.cos(direction(k)), s.mean[1] + far * Math.sin(direction(k))];
  };
  // A handle sits a little outside its end of the ellipse, so that it hides no points.
  const beside = (k) => {
    const out = k ? -16 : 16;
    return [...tip(k), out * Math.cos(direction(k)), -out * Math.sin(direction(k))];
  };

  const fig = figure(el, {
    label: "Explorer: one Gaussian in the plane, its marginals, a conditional and its coverage",
    hint:
      "Drag 1 to turn and stretch the ellipse, 2 to widen it, \u03c1 to correlate, x to move " +
      "the slice (a mouse need only point). Or focus one and use the arrow keys: at 1, up and " +
      "down turn.",
    draw,
  });
  const chart = fig.chart({
    label: "Scatter plot with an ellipse, two marginal bells and a conditional bell",
    height: (W) => (W < 480 ? 360 : 440),
    xlabel: s.names[0],
    ylabel: s.names[1],
  });
  const length = (k) => ({
    now: axes.lengths[k],
    set: setLength(k),
    min: least,
    max: most,
    step: most / 60,
  });
  chart.handle({
    label: "axis 1 of the ellipse: left and right for its standard deviation, up and down to turn",
    glyph: "1",
    color: COLORS[0],
    text: () => `${num(axes.lengths[0])} ${unit}, ${fixed(axes.angle, 0)} degrees`,
    at: () => beside(0),
    drag: (x, y) => {
      const [u, v] = [x - s.mean[0], y - s.mean[1]];
      axes.lengths[0] = clamp(Math.hypot(u, v) / radius(), least, most);
      setAngle((Math.atan2(v, u) * 180) / Math.PI);
    },
    values: () => [length(0), { now: axes.angle, set: setAngle, min: -180, max: 180, step: 2 }],
  });
  chart.handle({
    label: "axis 2 of the ellipse: its standard deviation",
    glyph: "2",
    color: COLORS[0],
    text: () => `${num(axes.lengths[1])} ${unit}`.trim(),
    at: () => beside(1),
    drag: (x, y) => {
      const [cos, sin] = [Math.cos(direction(1)), Math.sin(direction(1))];
      setLength(1)(((s.mean[0] - x) * cos + (s.mean[1] - y) * sin) / radius());
    },
    values: () => [length(1)],
  });
  chart.handle({
    label: "correlation, with both standard deviations kept",
    glyph: "\u03c1",
    color: COLORS[2],
    text: () => fixed(rho()),
    at: () => [s.mean[0] + radius() * rho() * sd(0), s.mean[1] + radius() * sd(1), 0, -16],
    drag: (x) => setRho((x - s.mean[0]) / (radius() * sd(0))),
    values: () => [{ now: rho(), set: setRho, min: -0.98, max: 0.98, step: 0.02 }],
  });
  chart.handle({
    label: `the slice: ${s.names[0]}`,
    glyph: "x",
    color: COLORS[1],
    text: () => `${num(s.x)} ${unit}`.trim(),
    at: () => [s.x, chart.limits()[1][1], 0, 16],
    drag: setX,
    values: () => [
      {
        now: s.x,
        set: setX,
        min: limits[0][0],
        max: limits[0][1],
        step: (limits[0][1] - limits[0][0]) / 100,
      },
    ],
  });
  // A mouse need not press: the slice follows it over the picture, but not over a handle.
  const follow = (event) => {
    if (event.buttons || event.pointerType !== "mouse" || event.target.closest(".gmx-handle"))
      return;
    setX(chart.data(event)[0]);
    fig.draw();
  };
  chart.node.addEventListener("pointermove", follow);
  const promise = (share) => () => {
    s.share = share;
    fig.commit();
    fig.draw();
  };
  const shares = [1 - Math.exp(-0.5), 0.5, 0.9],
    percent = (v) => `${fixed(100 * v, 1).replace(/\.0$/, "")}\u00a0%`;
  const buttons = fig.buttons([
    ...shares.map((v) => [`ellipse for ${percent(v)}`, promise(v)]),
    [
      "Fit to the points",
      () => {
        Object.assign(s, structuredClone(start));
        axes = axesOf(s.cov);
        fig.commit();
        fig.draw();
      },
    ],
  ]);

  // A bell that stands on an edge or a line: its highest point takes `room` of the picture.
  function bell(mean, sd_, place, room, style) {
    const peak = Math.exp(logGaussian1d(mean, mean, sd_));
    const points = linspace(mean - 4 * sd_, mean + 4 * sd_, 81).map((v) =>
      place(v, (room * Math.exp(logGaussian1d(v, mean, sd_))) / peak),
    );
    chart.path(points, { fill: style.stroke, "fill-opacity": 0.16, stroke: "none" }, true);
    chart.path(points, style);
  }

  function draw() {
    chart.begin(...limits, true);
    const [[x0, x1], [y0, y1]] = chart.limits(),
      r = radius();
    const ring = ellipse(s.mean, s.cov, s.share),
      { mean: expected, sd: left } = conditional1d(s.mean, s.cov, s.x);
    chart.path(ring, { fill: COLORS[0], "fill-opacity": 0.1, stroke: "none" }, true);
    for (const [x, y] of s.X) chart.mark(0, x, y, 3, { fill: "var(--gmx-soft)", opacity: 0.75 });
    chart.path(ring, { stroke: COLORS[0], "stroke-width": 3 }, true);
    for (const k of [0, 1])
      chart.path([s.mean, tip(k)], { stroke: COLORS[0], "stroke-dasharray": "9 5" });
    const ink = { stroke: "var(--gmx-ink)", "stroke-width": 2 };
    bell(s.mean[0], sd(0), (v, h) => [v, y0 + h], 0.14 * (y1 - y0), ink);
    bell(s.mean[1], sd(1), (v, h) => [x0 + h, v], 0.1 * (x1 - x0), ink);
    const line = [x0, x1].map((x) => [x, conditional1d(s.mean, s.cov, x).mean]);
    chart.path(line, { stroke: COLORS[1], "stroke-width": 1.5, "stroke-dasharray": "2 4" });
    chart.path(
      [
        [s.x, y0],
        [s.x, y1],
      ],
      { stroke: COLORS[1], "stroke-width": 1.5 },
    );
    bell(expected, left, (v, h) => [s.x + h, v], 0.1 * (x1 - x0), { stroke: COLORS[1] });
    chart.mark(2, s.x, expected, 5, { fill: COLORS[1] });
    const inside = countInside(s.X, s.mean, s.cov, s.share);
    buttons.forEach((button, k) => {
      button.className = k < 3 && Math.abs(shares[k] - s.share) < 1e-3 ? "gmx-next" : "";
    });
    fig.tiles([
      ["correlation", fixed(rho()), COLORS[2]],
      ["promised inside", percent(s.share), COLORS[0]],
      ["counted inside", `${inside} of ${N}, ${percent(inside / N)}`, COLORS[0]],
      [
        `${name2} if x = ${num(s.x)}`,
        `${fine(expected)} \u00b1 ${fine(left)} ${unit}`.trim(),
        COLORS[1],
      ],
    ]);
    fig.say(
      `The ellipse of radius ${fixed(r)} promises ${percent(s.share)} and holds ${inside} of ` +
        `${N} points, ${percent(inside / N)}. Half-axes for one standard deviation: ` +
        `${num(axes.lengths[0])} and ${num(axes.lengths[1])}${unit && ` ${unit}`}, the first at ` +
        `${fixed(axes.angle, 0)} degrees; correlation ${fixed(rho())}. Given ${name1} ` +
        `${num(s.x)}, ${name2} has mean ${fine(expected)} and standard deviation ${fine(left)}; ` +
        `without knowing it, ${fine(s.mean[1])} and ${fine(sd(1))}.`,
    );
  }
  const stop = connect(fig, model, s, () => {
    axes = axesOf(s.cov);
  });
  return () => {
    chart.node.removeEventListener("pointermove", follow);
    stop();
  };
}
export default { render };
