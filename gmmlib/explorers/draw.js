// What the explorers share on the page: an element with charts, draggable handles, buttons and a
// sentence that says the state. Everything is SVG and plain HTML; a handle is a slider to keyboard
// and screen reader.

const NS = "http://www.w3.org/2000/svg";
// Okabe and Ito's colours, the book's order of markers and dashes.
export const COLORS = [1, 2, 3, 4, 5, 6].map((k) => `var(--gmx-c${k})`);
export const DASHES = ["", "9 5", "10 4 2 4"];

const CSS = `
.gmx { --gmx-ink:#1b1f24; --gmx-soft:#49515b; --gmx-line:#c9cfd6; --gmx-bg:#fff; --gmx-card:#f3f5f8;
  --gmx-c1:#0072B2; --gmx-c2:#D55E00; --gmx-c3:#009E73; --gmx-c4:#CC79A7; --gmx-c5:#B87F00;
  --gmx-c6:#3B9FD9;
  box-sizing:border-box; max-width:760px; margin:1rem 0; padding:.8rem 1rem 1rem;
  border:1px solid var(--gmx-line);
  border-radius:12px; background:var(--gmx-bg); color:var(--gmx-ink); font-size:16px;
  line-height:1.45; }
html[data-theme="dark"] .gmx, body[data-jp-theme-light="false"] .gmx, body.vscode-dark .gmx {
  --gmx-ink:#e9edf1; --gmx-soft:#aab4bf; --gmx-line:#4a535d; --gmx-bg:#15191e; --gmx-card:#20262d;
  --gmx-c1:#56B4E9; --gmx-c2:#FF8A3C; --gmx-c3:#23C497; --gmx-c4:#E89CC6; --gmx-c5:#F0C440;
  --gmx-c6:#9DB9FF; }
.gmx *, .gmx *::before { box-sizing:border-box; }
.gmx p { margin:.25rem 0; color:inherit; }
.gmx .gmx-hint { color:var(--gmx-soft); font-size:.92em; }
.gmx svg { display:block; width:100%; height:auto; overflow:visible; background:none; }
.gmx svg svg { overflow:hidden; }
.gmx text { fill:var(--gmx-ink); font-size:14px; font-family:inherit; }
.gmx text.gmx-tick { fill:var(--gmx-soft); font-size:13px; }
.gmx text.gmx-halo { paint-order:stroke; stroke:var(--gmx-bg); stroke-width:4px;
  stroke-linejoin:round; }
.gmx-handle { cursor:grab; touch-action:none; outline:none; }
.gmx-handle:active { cursor:grabbing; }
.gmx-handle circle { fill:transparent; }
.gmx-handle .gmx-knob { fill:var(--gmx-bg); stroke-width:3; }
.gmx-handle text { font-weight:600; text-anchor:middle; user-select:none;
  -webkit-user-select:none; pointer-events:none; }
.gmx-handle:hover .gmx-knob { stroke-width:4.5; }
.gmx-handle:focus-visible .gmx-ring { stroke:var(--gmx-ink); stroke-width:3; }
.gmx-tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(128px,1fr)); gap:.5rem;
  margin:.6rem 0; }
.gmx-tile { background:var(--gmx-card); border-radius:8px; padding:.4rem .65rem;
  border-left:5px solid var(--gmx-line); }
.gmx-tile span { display:block; color:var(--gmx-soft); font-size:.84em; line-height:1.3; }
.gmx-tile b { display:block; font-size:1.14em; font-weight:600; font-variant-numeric:tabular-nums;
  color:var(--gmx-ink); }
.gmx-buttons { display:flex; flex-wrap:wrap; gap:.5rem; margin:.6rem 0; }
.gmx-buttons button { min-height:44px; min-width:44px; padding:.3rem .95rem; border-radius:8px;
  border:2px solid var(--gmx-soft);
  background:var(--gmx-bg); color:var(--gmx-ink); font:inherit; font-weight:600; cursor:pointer; }
.gmx-buttons button:hover { background:var(--gmx-card); }
.gmx-buttons button:focus-visible { outline:3px solid var(--gmx-ink); outline-offset:2px; }
.gmx-buttons button.gmx-next { background:var(--gmx-ink); border-color:var(--gmx-ink);
  color:var(--gmx-bg); }
.gmx .gmx-say { min-height:4.4em; padding-top:.35rem; }
.gmx-bar { display:flex; height:34px; gap:3px; margin:.5rem 0; }
.gmx-bar i { display:block; border-radius:5px; min-width:2px; }
@media print { .gmx-buttons, .gmx .gmx-hint { display:none; } .gmx { break-inside:avoid; } }
`;

function make(element, attributes, parent, text) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}
export const svg = (tag, attributes = {}, parent, text) =>
  make(document.createElementNS(NS, tag), attributes, parent, text);
export const html = (tag, attributes = {}, parent, text) =>
  make(document.createElement(tag), attributes, parent, text);

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const fixed = (value, digits = 2) => {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
};

// Three significant digits, with a power of ten when the number is far from one.
export function short(value, digits = 3) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e-3 && size < 1e5)
    return Number(value.toPrecision(digits)).toString().replace("-", "\u2212");
  const [mantissa, power] = value.toExponential(digits - 2).split("e");
  const raised = [...String(Number(power))].map((c) =>
    c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[c],
  );
  return `${mantissa.replace("-", "\u2212")} \u00d7 10${raised.join("")}`;
}

export const linspace = (low, high, n) =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most),
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => [
    (first + i) * step,
    fixed((first + i) * step, digits),
  ]);
}

// The smallest round number above `peak`, so that an axis jumps rarely while a handle moves.
export function roundTop(peak) {
  const power = 10 ** Math.floor(Math.log10(peak));
  return (
    power * [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12.5].find((m) => m * power >= peak * 1.06)
  );
}

// A marker as a path: circle, triangle, square, diamond, downward triangle, plus; `r` is the
// circle's radius.
export function marker(k, x, y, r) {
  const polygon = (points) =>
    `M${points.map(([u, v]) => `${(x + u * r).toFixed(1)} ${(y + v * r).toFixed(1)}`).join("L")}Z`;
  if (k === 0)
    return (
      `M${(x - r).toFixed(1)} ${y.toFixed(1)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ` +
      `${-2 * r} 0Z`
    );
  return polygon(
    [
      [
        [0, -1.3],
        [1.15, 0.75],
        [-1.15, 0.75],
      ],
      [
        [-0.9, -0.9],
        [0.9, -0.9],
        [0.9, 0.9],
        [-0.9, 0.9],
      ],
      [
        [0, -1.3],
        [1.1, 0],
        [0, 1.3],
        [-1.1, 0],
      ],
      [
        [0, 1.3],
        [1.15, -0.75],
        [-1.15, -0.75],
      ],
      [
        [-0.4, -1.2],
        [0.4, -1.2],
        [0.4, -0.4],
        [1.2, -0.4],
        [1.2, 0.4],
        [0.4, 0.4],
        [0.4, 1.2],
        [-0.4, 1.2],
        [-0.4, 0.4],
        [-1.2, 0.4],
        [-1.2, -0.4],
        [-0.4, -0.4],
      ],
    ][(k - 1) % 5],
  );
}

// One explorer's element. `draw` is called at every change and when the width changes.
export function figure(el, { label, hint, draw }) {
  const root = html("div", { class: "gmx", role: "group", "aria-label": label }, el);
  html("style", {}, root, CSS);
  html("p", { class: "gmx-hint" }, root, hint);
  let tiles,
    sentence,
    timer,
    width = 0;
  const charts = [];
  const fig = {
    root,
    still: matchMedia("(prefers-reduced-motion: reduce)").matches,
    chart(options) {
      charts.push(makeChart(root, fig, options));
      return charts.at(-1);
    },
    buttons(list) {
      const row = html("div", { class: "gmx-buttons" }, root);
      return list.map(([text, press]) => {
        const button = html("button", { type: "button" }, row, text);
        button.addEventListener("click", press);
        return button;
      });
    },
    // Numbers in boxes: [[label, value, colour], ...]
    tiles(list) {
      tiles ??= html("div", { class: "gmx-tiles" }, root);
      tiles.replaceChildren(
        ...list.map(([name, value, color]) => {
          const tile = html("div", {
            class: "gmx-tile",
            ...(color && { style: `border-color:${color}` }),
          });
          html("span", {}, tile, name);
          html("b", {}, tile, value);
          return tile;
        }),
      );
    },
    // The sentence is the live region; it waits for a pause, so that a drag is not read out step by
    // step.
    say(text) {
      if (!sentence) {
        const live = { class: "gmx-say", role: "status", "aria-live": "polite" };
        sentence = html("p", live, root, text);
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (sentence.textContent !== text) sentence.textContent = text;
      }, 150);
    },
    draw() {
      draw();
      for (const chart of charts) chart.place();
    },
    start() {
      const observer = new ResizeObserver(() => {
        if (root.clientWidth && root.clientWidth !== width)
          [width] = [root.clientWidth, fig.draw()];
      });
      width = root.clientWidth;
      fig.draw();
      observer.observe(root);
      return () => {
        observer.disconnect();
        clearTimeout(timer);
      };
    },
    commit() {},
  };
  return fig;
}

// Keep `state` and the model in step: `fig.commit` sends, a change from Python redraws.
export function connect(fig, model, state, changed = () => {}) {
  const listen = () => {
    Object.assign(state, structuredClone(model.get("state")));
    changed();
    fig.draw();
  };
  fig.commit = () => {
    model.off("change:state", listen);
    model.set("state", structuredClone(state));
    model.save_changes();
    model.on("change:state", listen);
  };
  model.on("change:state", listen);
  const stop = fig.start();
  return () => {
    model.off("change:state", listen);
    stop();
  };
}

function makeChart(
  parent,
  fig,
  {
    label,
    height,
    xlabel = "",
    ylabel = "",
    left = 44,
    role = "group",
    yticks = 4,
    bottom = 53,
    top = 30,
  },
) {
  const node = svg("svg", { role, "aria-label": label }, parent);
  const axes = svg("g", { "aria-hidden": "true" }, node),
    plot = svg("svg", { "aria-hidden": "true" }, node);
  const over = svg("g", { "aria-hidden": "true" }, node),
    knobs = svg("g", {}, node),
    handles = [];
  let box, limits;
  const chart = {
    node,
    // Start a picture: set the scales (`equal`: one scale for both axes), draw the axes; while
    // there is nothing to show (`empty`), without numbers.
    begin(xlim, ylim, equal = false, empty = false) {
      const W = clamp(parent.clientWidth - 34, 240, 760),
        H = typeof height === "function" ? height(W) : height;
      node.setAttribute("viewBox", `0 0 ${W} ${H}`);
      box = { x: left, y: top, w: W - left - 14, h: H - top - bottom };
      limits = equal ? sameScale(xlim, ylim, box) : [xlim, ylim];
      for (const [key, value] of Object.entries({
        x: box.x,
        y: box.y,
        width: box.w,
        height: box.h,
        viewBox: `${box.x} ${box.y} ${box.w} ${box.h}`,
      }))
        plot.setAttribute(key, value);
      for (const layer of [axes, plot, over]) layer.replaceChildren();
      drawAxes(empty);
    },
    limits: () => limits,
    px: (x) => box.x + ((x - limits[0][0]) / (limits[0][1] - limits[0][0])) * box.w,
    py: (y) => box.y + box.h - ((y - limits[1][0]) / (limits[1][1] - limits[1][0])) * box.h,
    floor: () => box.y + box.h,
    // Curves and shapes in data coordinates; marks and words at pixels.
    path(points, attributes, closed = false) {
      const d = points
        .map(([x, y]) => `${chart.px(x).toFixed(1)} ${chart.py(y).toFixed(1)}`)
        .join("L");
      return svg(
        "path",
        {
          d: `M${d}${closed ? "Z" : ""}`,
          fill: "none",
          "stroke-width": 2.5,
          "stroke-linejoin": "round",
          ...attributes,
        },
        plot,
      );
    },
    mark: (k, x, y, r, attributes) =>
      svg("path", { d: marker(k, chart.px(x), chart.py(y), r), ...attributes }, plot),
    raw: (tag, attributes) => svg(tag, attributes, plot),
    word: (x, y, text, attributes = {}) =>
      svg("text", { x, y, class: "gmx-halo", ...attributes }, over, text),
    handle(spec) {
      handles.push(makeHandle(knobs, chart, fig, spec));
    },
    place() {
      for (const handle of handles) handle.place();
    },
    // Page coordinates of a pointer, as data.
    data(event) {
      const at = node.getBoundingClientRect(),
        view = node.viewBox.baseVal;
      const x = ((event.clientX - at.left) / at.width) * view.width,
        y = ((event.clientY - at.top) / at.height) * view.height;
      const [[x0, x1], [y0, y1]] = limits;
      return [
        x0 + ((x - box.x) / box.w) * (x1 - x0),
        y0 + ((box.y + box.h - y) / box.h) * (y1 - y0),
      ];
    },
  };

  function drawAxes(empty) {
    const grey = { stroke: "var(--gmx-line)", "stroke-width": 1 },
      floor = box.y + box.h;
    for (const [value, text] of empty ? [] : ticks(...limits[0], box.w / 75)) {
      const x = chart.px(value);
      svg("path", { d: `M${x} ${floor}v6`, ...grey, stroke: "var(--gmx-soft)" }, axes);
      svg("text", { x, y: floor + 26, "text-anchor": "middle", class: "gmx-tick" }, axes, text);
    }
    for (const [value, text] of yticks && !empty ? ticks(...limits[1], yticks) : []) {
      const y = chart.py(value);
      svg("path", { d: `M${box.x} ${y}h${box.w}`, ...grey, opacity: 0.6 }, axes);
      svg(
        "text",
        { x: box.x - 7, y: y + 4.5, "text-anchor": "end", class: "gmx-tick" },
        axes,
        text,
      );
    }
    svg(
      "path",
      { d: `M${box.x} ${floor}h${box.w}`, stroke: "var(--gmx-soft)", "stroke-width": 1.5 },
      axes,
    );
    svg("text", { x: box.x + box.w / 2, y: floor + 46, "text-anchor": "middle" }, axes, xlabel);
    svg("text", { x: 0, y: 15 }, axes, ylabel);
  }
  return chart;
}

function sameScale(xlim, ylim, box) {
  const perPixel = Math.max((xlim[1] - xlim[0]) / box.w, (ylim[1] - ylim[0]) / box.h);
  return [
    [xlim, box.w],
    [ylim, box.h],
  ].map(([[a, b], size]) => [(a + b - perPixel * size) / 2, (a + b + perPixel * size) / 2]);
}

// A knob that pointer, touch and keyboard move. `values()` has one entry (a line) or two (a plane),
// each with now, set, min, max, step; `at()` is where the knob sits, in data coordinates plus
// pixels; `drag(x, y)` follows a pointer.
function makeHandle(
  parent,
  chart,
  fig,
  {
    label,
    text,
    glyph,
    color = "var(--gmx-ink)",
    values,
    at,
    drag,
    hidden = () => false,
    reach = 20,
  },
) {
  const knob = svg(
    "g",
    { class: "gmx-handle", role: "slider", tabindex: 0, "aria-label": label },
    parent,
  );
  svg("circle", { r: reach }, knob);
  svg("circle", { r: 18, class: "gmx-ring" }, knob);
  svg("circle", { r: 13, class: "gmx-knob", stroke: color }, knob);
  svg("text", { y: 5 }, knob, glyph);
  let grip = null;
  const moved = () => {
    fig.touched?.();
    fig.draw();
  };

  knob.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x, y] = at(),
      [u, v] = chart.data(event);
    grip = [x - u, y - v];
    knob.setPointerCapture(event.pointerId);
    event.preventDefault();
    knob.focus({ preventScroll: true });
  });
  knob.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [u, v] = chart.data(event);
    drag(u + grip[0], v + grip[1]);
    moved();
  });
  for (const end of ["pointerup", "pointercancel"])
    knob.addEventListener(end, () => {
      if (!grip) return;
      grip = null;
      fig.commit();
    });

  knob.addEventListener("keydown", (event) => {
    const list = values(),
      first = list[0],
      second = list[1] ?? first;
    const step = (value, sign, many) =>
      value.set(
        clamp(
          value.now + sign * value.step * (many || event.shiftKey ? 10 : 1),
          value.min,
          value.max,
        ),
      );
    const keys = {
      ArrowRight: () => step(first, 1),
      ArrowLeft: () => step(first, -1),
      ArrowUp: () => step(second, 1),
      ArrowDown: () => step(second, -1),
      PageUp: () => step(second, 1, true),
      PageDown: () => step(second, -1, true),
      Home: () => first.set(first.min),
      End: () => first.set(first.max),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
    moved();
    fig.commit();
  });

  return {
    place() {
      knob.style.display = hidden() ? "none" : "";
      if (hidden()) return;
      const [x, y, dx = 0, dy = 0] = at(),
        { now, min, max } = values()[0];
      knob.setAttribute("transform", `translate(${chart.px(x) + dx} ${chart.py(y) + dy})`);
      const round = (value) => Number(value.toPrecision(6));
      for (const [key, value] of Object.entries({
        valuemin: round(min),
        valuemax: round(max),
        valuenow: round(now),
        valuetext: text(),
      }))
        knob.setAttribute(`aria-${key}`, value);
    },
  };
}
