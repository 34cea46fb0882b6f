import { COLORS, clamp, connect, DASHES, figure, fixed } from "./draw.js";
import { ellipse, eStep } from "./maths.js";

// Fits over K and covariance structure: a heat map of a criterion, and the fit of the cell in hand.
function render({ model, el }) {
  const s = structuredClone(model.get("state")),
    rows = s.n_components.length,
    columns = s.kinds.length;
  const words = s.kinds.map((kind) => kind.replace("_", " "));
  const short = ["full", "tied", "diag", "sph.", "t. sph."];

  const fig = figure(el, {
    label: "Explorer: fits of a mixture over number of components and covariance structure",
    hint:
      "Choose a criterion. Drag the ring to a cell, click one, or focus the ring and use the " +
      "arrow keys.",
    draw,
  });
  const heat = fig.chart({
    label: "Heat map: numbers of components upwards, covariance structures across",
    height: 56 + 44 * rows,
    ylabel: "components, K",
    yticks: 0,
    top: 26,
    bottom: 30,
  });
  const map = fig.chart({
    label: "The points, coloured by responsibility, and 90 % ellipses of the chosen fit",
    height: (W) => (W < 480 ? 300 : 340),
    xlabel: s.names[0],
    ylabel: s.names[1],
    role: "img",
  });
  const setColumn = (v) => (s.column = clamp(Math.round(v), 0, columns - 1));
  const setRow = (v) => (s.row = clamp(Math.round(v), 0, rows - 1));
  heat.handle({
    label: "cell: structure to the right, components upwards",
    glyph: "",
    text: () => `K = ${s.n_components[s.row]}, ${words[s.column]}`,
    at: () => [s.column, s.row],
    drag: (x, y) => [setColumn(x), setRow(y)],
    values: () => [
      { now: s.column, set: setColumn, min: 0, max: columns - 1, step: 1 },
      { now: s.row, set: setRow, min: 0, max: rows - 1, step: 1 },
    ],
  });
  heat.node.querySelector(".gmx-knob").style.fill = "none"; // the cell's number shows through
  heat.node.addEventListener("click", (event) => {
    const [x, y] = heat.data(event);
    if (x < -0.5 || x > columns - 0.5 || y < -0.5 || y > rows - 0.5) return;
    setColumn(x);
    setRow(y);
    fig.draw();
    fig.commit();
  });
  const names = ["aic", "bic", "icl"];
  const buttons = fig.buttons([
    ...names.map((name) => [
      name.toUpperCase(),
      () => {
        s.criterion = name;
        fig.draw();
        fig.commit();
      },
    ]),
    [
      "Go to the best",
      () => {
        [s.row, s.column] = best();
        fig.draw();
        fig.commit();
      },
    ],
  ]);

  function best() {
    const flat = s.values[s.criterion].flat(),
      at = flat.indexOf(Math.min(...flat));
    return [Math.floor(at / columns), at % columns];
  }

  function draw() {
    const values = s.values[s.criterion],
      flat = values.flat(),
      low = Math.min(...flat),
      [bestRow, bestColumn] = best();
    heat.begin([-0.5, columns - 0.5], [-0.5, rows - 0.5], false, true);
    // a few units matter, hundreds do not: shade by the logarithm of the distance to the best
    const shade = (v) => 1 - Math.log1p(v - low) / Math.log1p(Math.max(...flat) - low + 1e-9);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const box = [
          [c - 0.48, r - 0.46],
          [c + 0.48, r - 0.46],
          [c + 0.48, r + 0.46],
          [c - 0.48, r + 0.46],
        ];
        const fill = { fill: COLORS[0], "fill-opacity": 0.05 + 0.5 * shade(values[r][c]) };
        heat.path(box, { ...fill, stroke: "var(--gmx-line)", "stroke-width": 1 }, true);
        const mark = r === bestRow && c === bestColumn ? "\u2605 " : "";
        heat.word(heat.px(c), heat.py(r) + 5, mark + fixed(values[r][c] - low, 0), {
          "text-anchor": "middle",
        });
      }
      heat.word(heat.px(-0.5) - 12, heat.py(r) + 5, s.n_components[r], { "text-anchor": "end" });
    }
    short.forEach((word, c) => {
      heat.word(heat.px(c), heat.floor() + 20, word, { "text-anchor": "middle" });
    });
    buttons.forEach((button, i) => {
      if (i < names.length) button.setAttribute("aria-pressed", names[i] === s.criterion);
      button.classList.toggle("gmx-next", names[i] === s.criterion);
    });
    drawFit(s.fits[s.row][s.column]);
    const K = s.n_components[s.row],
      value = values[s.row][s.column],
      fewest = Math.min(...s.fits[s.row][s.column].weights) * s.X.length;
    fig.tiles([
      ["K and structure", `${K} ${words[s.column]}`],
      [s.criterion.toUpperCase(), fixed(value, 1)],
      ["above the best", fixed(value - low, 1)],
      ["points in the smallest component", fixed(fewest, 1)],
    ]);
    const gap = value === low ? "the best" : `${fixed(value - low, 1)} above the best`;
    fig.say(
      `${K} component${K > 1 ? "s" : ""}, ${words[s.column]}: ${s.criterion.toUpperCase()} ` +
        `${fixed(value, 1)}, ${gap} (${s.n_components[bestRow]} ${words[bestColumn]}). ` +
        `Its smallest component holds ${fixed(fewest, 1)} of ${s.X.length} points.`,
    );
  }

  function drawFit(fit) {
    const ends = [0, 1].map((d) => {
      const v = s.X.map((x) => x[d]),
        [a, b] = [Math.min(...v), Math.max(...v)];
      return [a - 0.12 * (b - a), b + 0.12 * (b - a)];
    });
    map.begin(...ends);
    const { resp } = eStep(s.X, fit);
    s.X.forEach((x, n) => {
      const k = resp[n].indexOf(Math.max(...resp[n]));
      map.mark(k, x[0], x[1], 3.2, { fill: COLORS[k % 6], "fill-opacity": 0.75 });
    });
    fit.means.forEach((mean, k) => {
      const look = { stroke: COLORS[k % 6], "stroke-dasharray": DASHES[k % 3] };
      map.path(ellipse(mean, fit.covs[k]), look, true);
    });
  }
  return connect(fig, model, s);
}
export default { render };
