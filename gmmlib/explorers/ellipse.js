import { COLORS, clamp, connect, DASHES, figure, fixed, linspace } from "./draw.js";
import { ellipse, logGaussian1d, sliceAt, squaredDistances, turned } from "./maths.js";

// One Gaussian in the plane: turn, stretch and move it; marginals on the edges, a conditional in
// the slice, and the points counted that are inside.
const SHARE = 0.9;
const RADIUS = Math.sqrt(-2 * Math.log(1 - SHARE));

function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const range = [0, 1].map((d) => {
    const values = s.X.map((x) => x[d]),
      low = Math.min(...values),
      high = Math.max(...values);
    return [low - 0.35 * (high - low), high + 0.35 * (high - low)];
  });
  const size = Math.max(...range.map(([a, b]) => b - a)) / 2;

  const fig = figure(el, {
    label: "Explorer: a Gaussian in the plane, its marginals and a conditional",
    hint:
      "Drag the middle m, the ends 1 and 2 of the ellipse's axes, and the slice x (or focus a " +
      "handle and use the arrow keys; end 1 turns with up and down).",
    draw,
  });
  const plane = fig.chart({
    label: "Points, the ellipse that holds 90 % of the Gaussian, marginals and a slice",
    height: (W) => Math.min(W * 0.8, 430),
    xlabel: s.names[0],
    ylabel: s.names[1],
  });
  fig.buttons([
    ["Round", press(() => set({ lengths: [s.lengths[1], s.lengths[1]] }))],
    ["Axis-parallel", press(() => set({ angle: 0 }))],
    ["Fit to the points", press(() => set(s.fit))],
  ]);
  function set(changes) {
    Object.assign(s, structuredClone(changes));
  }
  function press(change) {
    return () => {
      change();
      fig.draw();
      fig.commit();
    };
  }

  const axis = (k) => {
    const turn = s.angle + (k * Math.PI) / 2;
    return [Math.cos(turn), Math.sin(turn)];
  };
  const end = (k) => s.mean.map((m, d) => m + RADIUS * s.lengths[k] * axis(k)[d]);
  const stretch = (k) => (v) => {
    s.lengths[k] = clamp(v, size / 60, size);
  };
  const turn = (v) => {
    // an ellipse looks the same after half a turn
    s.angle = v - Math.PI * Math.round(v / Math.PI);
  };
  const length = (k) => ({
    now: s.lengths[k],
    set: stretch(k),
    min: size / 60,
    max: size,
    step: size / 80,
  });
  const move = (d) => (v) => {
    s.mean[d] = clamp(v, ...range[d]);
  };
  const place = (d) => ({
    now: s.mean[d],
    set: move(d),
    min: range[d][0],
    max: range[d][1],
    step: (range[d][1] - range[d][0]) / 80,
  });
  plane.handle({
    label: `middle: left and right for ${s.names[0]}, up and down for ${s.names[1]}`,
    glyph: "m",
    text: () => s.mean.map((v) => fixed(v, 1)).join(", "),
    at: () => s.mean,
    drag: (x, y) => {
      move(0)(x);
      move(1)(y);
    },
    values: () => [place(0), place(1)],
  });
  plane.handle({
    label: "end of axis 1: left and right for its length, up and down for its angle",
    glyph: "1",
    color: COLORS[0],
    text: () => `standard deviation ${fixed(s.lengths[0])}, angle ${degrees()}`,
    at: () => end(0),
    drag: (x, y) => {
      const [u, v] = [x - s.mean[0], y - s.mean[1]];
      turn(Math.atan2(v, u));
      stretch(0)(Math.hypot(u, v) / RADIUS);
    },
    values: () => [length(0), { now: s.angle, set: turn, min: -2, max: 2, step: Math.PI / 60 }],
  });
  plane.handle({
    label: "end of axis 2: its length",
    glyph: "2",
    color: COLORS[0],
    text: () => `standard deviation ${fixed(s.lengths[1])}`,
    at: () => end(1),
    drag: (x, y) => {
      const [u, v] = axis(1);
      stretch(1)(((x - s.mean[0]) * u + (y - s.mean[1]) * v) / RADIUS);
    },
    values: () => [length(1)],
  });
  const slice = (v) => {
    s.slice = clamp(v, ...range[0]);
  };
  plane.handle({
    label: `slice: the known ${s.names[0]}`,
    glyph: "x",
    color: COLORS[1],
    text: () => fixed(s.slice, 1),
    at: () => [s.slice, plane.limits()[1][0]],
    drag: slice,
    values: () => [{ ...place(0), now: s.slice, set: slice }],
    reach: 24,
  });
  const degrees = () => `${fixed((s.angle * 180) / Math.PI, 0)} degrees`;

  function draw() {
    plane.begin(...range, true);
    const [[x0, x1], [y0, y1]] = plane.limits();
    const cov = turned(s.angle, s.lengths),
      [[a, b], [, c]] = cov,
      [sdX, sdY] = [Math.sqrt(a), Math.sqrt(c)];
    const squares = squaredDistances(s.X, s.mean, cov),
      inside = squares.filter((q) => q <= RADIUS ** 2).length;
    s.X.forEach(([x, y], n) => {
      const within = squares[n] <= RADIUS ** 2;
      const look = within ? { fill: "var(--gmx-ink)", opacity: 0.75 } : { fill: "var(--gmx-soft)" };
      plane.mark(within ? 0 : 1, x, y, 2.8, look);
    });
    plane.path(ellipse(s.mean, cov, SHARE), { stroke: COLORS[0], "stroke-width": 3 }, true);
    for (const k of [0, 1])
      plane.path([s.mean, end(k)], { stroke: COLORS[0], "stroke-width": 1.5 });

    // marginals: along the upper and the right edge, pointing inwards
    const along = (low, high) => linspace(low, high, 121),
      deep = 0.16;
    const top = along(x0, x1).map((x) => {
      const height = Math.exp(logGaussian1d(x, s.mean[0], sdX) - logGaussian1d(0, 0, sdX));
      return [x, y1 - deep * (y1 - y0) * height];
    });
    const side = along(y0, y1).map((y) => {
      const height = Math.exp(logGaussian1d(y, s.mean[1], sdY) - logGaussian1d(0, 0, sdY));
      return [x1 - deep * (x1 - x0) * height, y];
    });
    const edge = { stroke: COLORS[2], "stroke-dasharray": DASHES[1] };
    plane.path(top, edge);
    plane.path(side, edge);

    const known = sliceAt(s.slice, s.mean, cov);
    const bell = along(known.mean - 3.5 * known.sd, known.mean + 3.5 * known.sd).map((y) => {
      const height = Math.exp(-0.5 * ((y - known.mean) / known.sd) ** 2);
      return [s.slice + deep * (x1 - x0) * height, y];
    });
    const dotted = { stroke: COLORS[1], "stroke-width": 1.5, "stroke-dasharray": "2 4" };
    plane.path(
      [
        [s.slice, y0],
        [s.slice, y1],
      ],
      dotted,
    );
    plane.path(bell, { stroke: COLORS[1], fill: COLORS[1], "fill-opacity": 0.15 }, true);

    const share = inside / s.X.length;
    fig.tiles([
      ["points inside", `${inside} of ${s.X.length} (${fixed(100 * share, 0)} %)`, COLORS[0]],
      ["correlation", fixed(b / (sdX * sdY)), COLORS[0]],
      ["standard deviations", `${fixed(sdX)}, ${fixed(sdY)}`, COLORS[2]],
      [`at ${fixed(s.slice, 1)}: mean`, fixed(known.mean), COLORS[1]],
      ["... standard deviation", fixed(known.sd), COLORS[1]],
    ]);
    fig.say(
      `The ellipse should hold 90 % and holds ${inside} of ${s.X.length} points. Its middle is ` +
        `${s.mean.map((v) => fixed(v, 1)).join(", ")}, its axes have standard deviations ` +
        `${s.lengths.map((v) => fixed(v)).join(" and ")}, turned by ${degrees()}: correlation ` +
        `${fixed(b / (sdX * sdY))}. Where the first coordinate is ${fixed(s.slice, 1)}, the ` +
        `second has mean ${fixed(known.mean)} and standard deviation ${fixed(known.sd)}; without ` +
        `that knowledge ${fixed(s.mean[1])} and ${fixed(sdY)}.`,
    );
  }
  return connect(fig, model, s);
}
export default { render };
