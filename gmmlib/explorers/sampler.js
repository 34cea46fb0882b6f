import { COLORS, clamp, connect, DASHES, figure, fixed, linspace, roundTop } from "./draw.js";
import { logGaussian1d, tellStory, uniforms } from "./maths.js";

const FEW = 12; // points in the tallest bin up to which each is drawn by itself
const SIGNS = ["\u25cf", "\u25b2", "\u25a0"]; // the book's markers, in words
const LEAST = 0.02; // of a weight: a strip that a finger can still hit

// The story of a mixture: a dart chooses a component, its bell gives a point, the pile becomes the
// density.
function render({ model, el }) {
  const s = structuredClone(model.get("state")),
    K = s.means.length;
  const ends = [-4, 4].map((sds) => s.means.map((m, k) => m + sds * s.sds[k]));
  const left = Math.min(...ends[0]),
    right = Math.max(...ends[1]);
  const [bin, digits] = roundBin(Math.max(Math.min(...s.sds) / 2.5, (right - left) / 40));
  const low = bin * Math.floor(left / bin),
    bins = Math.ceil((right - low) / bin),
    high = low + bins * bin;
  const unit = s.label.match(/\((.*)\)/)?.[1] ?? "",
    num = (v) => `${fixed(v, digits + 1)} ${unit}`.trim();
  const bell = (k, x) => Math.exp(logGaussian1d(x, s.means[k], s.sds[k]));
  const grid = linspace(low, high, 241),
    total = (x) => s.weights.reduce((sum, w, k) => sum + w * bell(k, x), 0);
  const edges = () => s.weights.map((_, k) => s.weights.slice(0, k + 1).reduce((a, b) => a + b));
  const uniform = uniforms(s.seed);
  let pile,
    counts,
    last,
    falling = 0,
    timer,
    labels = true;

  const fig = figure(el, {
    label: "Explorer: the story of a mixture, told point by point",
    hint:
      "Press 1, 10 or 1000. Drag an edge of the strip, or focus it and use the arrow keys, " +
      "to change the weights.",
    draw,
  });
  const strip = fig.chart({
    label: "Strip divided by the weights, and the last dart",
    height: 128,
    ylabel: "1. Choose: a dart hits the strip",
    yticks: 0,
  });
  const buttons = fig.buttons(
    [1, 10, 1000]
      .map((n) => [`${n}`, () => tell(n)])
      .concat([
        [
          "Hide the labels",
          () => {
            labels = !labels;
            fig.draw();
          },
        ],
        [
          "Empty the pile",
          () => {
            empty();
            fig.draw();
          },
        ],
      ]),
  );
  [1, 10, 1000].forEach((n, i) =>
    buttons[i].setAttribute("aria-label", n === 1 ? "1 point" : `${n} points`),
  );
  buttons[0].classList.add("gmx-next");
  const chart = fig.chart({
    label: "Empty pile",
    height: (W) => (W < 480 ? 300 : 340),
    xlabel: s.label,
    ylabel: `2. Draw, drop: points per ${fixed(bin, digits)} ${unit}`.trim(),
    role: "img",
  });
  for (let k = 0; k < K - 1; k++) {
    const edge = () => edges()[k];
    const from = () => (k ? edges()[k - 1] : 0) + LEAST,
      to = () => edges()[k + 1] - LEAST;
    const set = (v) => {
      const moved = clamp(v, from(), to()) - edge();
      s.weights[k] += moved;
      s.weights[k + 1] -= moved;
      empty();
    };
    strip.handle({
      label: `edge between ${s.names[k]} and ${s.names[k + 1]}`,
      glyph: "\u03c0",
      at: () => [edge(), 0],
      drag: set,
      text: () => `weights ${s.weights.map((w) => fixed(w)).join(", ")}`,
      values: () => [{ now: edge(), set, min: from(), max: to(), step: 0.01 }],
    });
  }

  function empty() {
    pause();
    [pile, last] = [[], undefined];
    counts = Array.from({ length: bins }, () => s.weights.map(() => 0));
  }
  const binOf = (x) => clamp(Math.floor((x - low) / bin), 0, bins - 1);
  function drop() {
    last = tellStory(uniform, s);
    last.place = counts[binOf(last.x)].reduce((a, b) => a + b); // how many lie below it
    pile.push(last);
    counts[binOf(last.x)][last.z]++;
  }

  function pause() {
    clearTimeout(timer);
    [timer, falling] = [undefined, 0];
  }
  function tell(n) {
    pause();
    const step = n > 100 ? n / 25 : 1,
      wait = n > 100 ? 40 : 90;
    const next = (left) => {
      for (let i = 0; i < Math.min(step, left); i++) drop();
      if (left > step)
        timer = setTimeout(() => {
          next(left - step);
          fig.draw();
        }, wait);
      else timer = undefined;
    };
    if (fig.still) for (let i = 0; i < n; i++) drop();
    else if (n === 1) fall();
    else next(n);
    fig.draw();
  }
  // One point comes down from the top of its bell, in half a second.
  function fall() {
    drop();
    const began = performance.now();
    const frame = () => {
      falling = Math.max(0, 1 - ((performance.now() - began) / 500) ** 2);
      timer = falling
        ? setTimeout(() => {
            frame();
            fig.draw();
          }, 25)
        : undefined;
    };
    frame();
  }

  const looks = (k) => ({ fill: labels ? COLORS[k] : "var(--gmx-soft)" });

  function draw() {
    drawStrip();
    const N = pile.length,
      tallest = Math.max(...counts.map((c) => c.reduce((a, b) => a + b)));
    const curve = grid.map((x) => [x, N * bin * total(x)]),
      peak = Math.max(...curve.map(([, y]) => y));
    const top = roundTop(Math.max(6, tallest, peak));
    chart.begin([low, high], [0, top]);
    if (last && labels && tallest <= FEW) {
      const height = (x) => (0.9 * top * bell(last.z, x)) / bell(last.z, s.means[last.z]);
      const shape = [[low, 0], ...grid.map((x) => [x, height(x)]), [high, 0]],
        color = COLORS[last.z];
      const look = { stroke: color, "stroke-width": 1.5, "stroke-dasharray": DASHES[last.z] };
      chart.path(shape, { fill: color, "fill-opacity": 0.13, ...look }, true);
    }
    if (tallest <= FEW) drawPoints(top);
    else drawBars();
    chart.path(curve, { stroke: "var(--gmx-ink)", "stroke-width": 2 });
    const place = counts.findIndex((c) => c.reduce((a, b) => a + b) === tallest),
      at = low + (place + 0.5) * bin;
    chart.node.setAttribute(
      "aria-label",
      N
        ? `Pile of ${N} points. Tallest near ${num(at)}: ${tallest}, where the line expects ` +
            `${fixed(N * bin * total(at), 1)}`
        : "Empty pile",
    );
    buttons[3].textContent = labels ? "Hide the labels" : "Show the labels";
    fig.tiles([
      ["points", N.toLocaleString("en")],
      ...s.weights.map((w, k) => {
        const name = `${SIGNS[k]} ${s.names[k]}: share (weight)`;
        return [name, `${labels && N ? share(k) : "?"} (${fixed(w)})`, COLORS[k]];
      }),
    ]);
    if (!timer) fig.say(sentence(N));
  }

  function drawStrip() {
    strip.begin([0, 1], [0, 1]);
    edges().forEach((end, k) => {
      const start = end - s.weights[k],
        middle = strip.px((start + end) / 2);
      const box = [
        [start, 0],
        [end, 0],
        [end, 1],
        [start, 1],
      ];
      const chosen = last?.z === k && labels,
        edge = { stroke: COLORS[k], "stroke-width": 1.5 };
      strip.path(box, { fill: COLORS[k], "fill-opacity": chosen ? 0.45 : 0.16, ...edge }, true);
      const words = `${SIGNS[k]} ${s.names[k]}`,
        room = strip.px(end) - strip.px(start);
      strip.word(middle, strip.py(0.62), room > 6.6 * words.length ? words : SIGNS[k], {
        "text-anchor": "middle",
      });
    });
    if (!last || !labels) return;
    strip.path(
      [
        [last.u, 1],
        [last.u, 0.2],
      ],
      { stroke: "var(--gmx-ink)", "stroke-width": 2.5 },
    );
    strip.raw("path", {
      d: `M${strip.px(last.u)} ${strip.py(0.04)}l-5 -11h10Z`,
      fill: "var(--gmx-ink)",
    });
  }
  function drawPoints(top) {
    for (const point of pile) {
      const y = point.place + 0.5,
        drop = point === last ? falling * (top - y) : 0;
      const middle = low + (binOf(point.x) + 0.5) * bin,
        r = Math.min(7, 0.42 * (chart.px(bin) - chart.px(0)));
      const ring = point === last && { stroke: "var(--gmx-ink)", "stroke-width": 2 };
      chart.mark(labels ? point.z : 0, middle, y + drop, r, { ...looks(point.z), ...ring });
    }
  }
  function drawBars() {
    counts.forEach((own, i) => {
      let floor = 0;
      own.forEach((n, k) => {
        const [x0, x1] = [0.04, 0.96].map((part) => low + (i + part) * bin),
          top = floor + n;
        const outline = { stroke: looks(k).fill, "stroke-width": 1 };
        // The second kind is paler and has an outline: not told by colour alone.
        const look = { ...looks(k), "fill-opacity": labels && k === 1 ? 0.4 : 0.8, ...outline };
        if (n)
          chart.path(
            [
              [x0, floor],
              [x1, floor],
              [x1, top],
              [x0, top],
            ],
            look,
            true,
          );
        floor += n;
      });
    });
  }

  const share = (k) => fixed(pile.filter((point) => point.z === k).length / pile.length, 3);

  function sentence(N) {
    const weights = s.weights.map((w, k) => `${s.names[k]} ${fixed(w)}`).join(", "),
      n = N.toLocaleString("en");
    if (!N) return `The pile is empty; the weights are: ${weights}. Press 1 for the first point.`;
    if (!labels)
      return (
        `Points: ${n}, and nobody tells which component made which, as in data. The last ` +
        `is ${num(last.x)}.`
      );
    const told =
      `The dart fell at ${fixed(last.u, 3)}: ${s.names[last.z]}. Its bell gave ` +
      `${num(last.x)}.`;
    const shares = s.weights
      .map((w, k) => `${s.names[k]} ${share(k)} (weight ${fixed(w)})`)
      .join(", ");
    return `Point ${n}. ${told} Shares so far: ${shares}.`;
  }

  empty();
  const stop = connect(fig, model, s, () => empty());
  return () => {
    pause();
    stop();
  };
}

// A round bin width near `rough`, and the digits to print it with.
function roundBin(rough) {
  const power = 10 ** Math.floor(Math.log10(rough)),
    step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.8);
  return [step, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
}
export default { render };
