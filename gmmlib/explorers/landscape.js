import { COLORS, clamp, connect, DASHES, figure, fixed, linspace, short } from "./draw.js";
import { climbers, contour, needle, slopesOfMeans } from "./maths.js";

// The log-likelihood over two means: a ball, and three ways to climb from where it lies. Below, a
// component that shrinks onto one point.
const NAMES = { gradient: "gradient ascent", newton: "Newton", em: "EM" };
const WAYS = Object.keys(NAMES);
const MOST = 60;

function render({ model, el }) {
  const s = structuredClone(model.get("state"));
  const low = Math.min(...s.values) - 8,
    high = Math.max(...s.values) + 8;
  const grid = linspace(low, high, 49);
  const rows = grid.map((y) => grid.map((x) => slopesOfMeans(s, [x, y]).height));
  const best = Math.max(...rows.flat()),
    levels = [3, 15, 40, 80, 140, 220, 320, 450, 620].map((drop) => best - drop);
  const contours = levels.map((level) => contour(grid, grid, rows, level));
  const span = [-12, 1.2]; // of log10(sd)
  let paths, lost;

  const fig = figure(el, {
    label: "Explorer: the log-likelihood of two means, climbed in three ways",
    hint:
      "Drag the ball to a start (arrow keys work too), then press Step or Run. Below, drag the " +
      "needle to make one component narrower.",
    draw,
  });
  const map = fig.chart({
    label: "Contours of the log-likelihood over the first and the second mean",
    height: (W) => Math.min(W, 460),
    xlabel: `first mean, ${s.label}`,
    ylabel: "second mean",
  });
  fig.buttons([
    ["Step", () => advance(1)],
    ["Run", () => advance(MOST)],
    ["Reset", () => advance(0)],
  ]);
  const spike = fig.chart({
    label: "Log-likelihood when one component sits on one point, by its standard deviation",
    height: 220,
    xlabel: "power of ten of its standard deviation",
    ylabel: "log-likelihood",
    left: 58,
  });

  function reset() {
    paths = Object.fromEntries(WAYS.map((way) => [way, [[...s.ball]]]));
    lost = {};
  }
  function advance(steps) {
    if (!steps) reset();
    for (let i = 0; i < steps; i++)
      for (const way of WAYS) {
        if (paths[way].length > MOST || lost[way]) continue;
        const next = climbers[way](s, paths[way].at(-1));
        const inside = next.every((v) => v > low - 30 && v < high + 30);
        if (inside) paths[way].push(next);
        else lost[way] = true;
      }
    fig.draw();
  }
  reset();

  const put = (d) => (v) => {
    s.ball[d] = clamp(v, low, high);
  };
  const value = (d) => ({ now: s.ball[d], set: put(d), min: low, max: high, step: 1 });
  map.handle({
    label: "ball: left and right for the first mean, up and down for the second",
    glyph: "\u25cf",
    text: () => s.ball.map((v) => fixed(v, 1)).join(", "),
    at: () => s.ball,
    drag: (x, y) => {
      put(0)(x);
      put(1)(y);
    },
    values: () => [value(0), value(1)],
  });
  const narrow = (v) => {
    s.power = clamp(v, ...span);
  };
  spike.handle({
    label: "power of ten of the narrow component's standard deviation",
    glyph: "\u2194",
    color: COLORS[3],
    text: () => fixed(s.power, 1),
    at: () => [s.power, needle(s, s.spot, 10 ** s.power)],
    drag: narrow,
    values: () => [{ now: s.power, set: narrow, min: span[0], max: span[1], step: 0.5 }],
  });
  fig.touched = reset;

  function draw() {
    map.begin([low, high], [low, high], true);
    contours.forEach((lines, i) => {
      const d = lines
        .map(([[x, y], [u, v]]) => {
          const ends = [map.px(x), map.py(y), map.px(u), map.py(v)].map((w) => w.toFixed(1));
          return `M${ends[0]} ${ends[1]}L${ends[2]} ${ends[3]}`;
        })
        .join("");
      const look = { fill: "none", stroke: "var(--gmx-soft)", "stroke-width": i ? 1 : 2 };
      map.raw("path", { d, ...look });
    });
    const diagonal = { stroke: "var(--gmx-soft)", "stroke-width": 1.5, "stroke-dasharray": "2 5" };
    map.path(
      [
        [low, low],
        [high, high],
      ],
      diagonal,
    );
    WAYS.forEach((way, k) => {
      if (paths[way].length < 2) return;
      map.path(paths[way], { stroke: COLORS[k], "stroke-dasharray": DASHES[k] });
      for (const at of paths[way].slice(1, -1)) map.mark(k, ...at, 2.6, { fill: COLORS[k] });
      map.mark(k, ...paths[way].at(-1), 7, {
        fill: COLORS[k],
        stroke: "var(--gmx-bg)",
        "stroke-width": 1.5,
      });
    });

    const curve = linspace(...span, 80).map((u) => [u, needle(s, s.spot, 10 ** u)]);
    const heights = curve.map((point) => point[1]);
    spike.begin(span, [Math.min(...heights) - 6, Math.max(...heights) + 6]);
    spike.path(curve, { stroke: COLORS[3] });

    const now = slopesOfMeans(s, s.ball);
    fig.tiles([
      ["height at the ball", fixed(now.height, 1), "var(--gmx-ink)"],
      ...WAYS.map((way, k) => [
        `${"\u25cf\u25b2\u25a0"[k]} ${NAMES[way]}, ${paths[way].length - 1} steps`,
        lost[way] ? "off the map" : fixed(slopesOfMeans(s, paths[way].at(-1)).height, 1),
        COLORS[k],
      ]),
      [
        `with a needle of ${short(10 ** s.power, 2)}`,
        fixed(needle(s, s.spot, 10 ** s.power), 1),
        COLORS[3],
      ],
    ]);
    fig.say(sentence(now));
  }

  function sentence({ height, gradient }) {
    const steep = Math.hypot(...gradient);
    const start =
      `The ball lies at means ${s.ball.map((v) => fixed(v, 1)).join(" and ")}, at height ` +
      `${fixed(height, 1)}, where the slope is ${short(steep, 2)}. `;
    const tale = WAYS.filter((way) => paths[way].length > 1 || lost[way]).map((way) => {
      const steps = paths[way].length - 1;
      if (lost[way]) return `${NAMES[way]} left the map after ${steps} steps.`;
      const end = slopesOfMeans(s, paths[way].at(-1)),
        [a, b, c] = end.hessian;
      const flat = Math.hypot(...end.gradient) < 1e-3 * Math.max(1, steep);
      const top = a < 0 && c < 0 && a * c > b * b;
      const where = flat ? (top ? ", on a summit" : ", on a pass or in a hollow") : "";
      return `${NAMES[way]} is at ${fixed(end.height, 1)} after ${steps} steps${where}.`;
    });
    const power = `The needle of ${short(10 ** s.power, 2)} gives `;
    return start + [...tale, `${power}${fixed(needle(s, s.spot, 10 ** s.power), 1)}.`].join(" ");
  }
  return connect(fig, model, s, reset);
}
export default { render };
