"use strict";
// One state: the moment of the run, the group of matrices shown, the synapse looked at. Everything is drawn from it.
const DATA = JSON.parse(document.getElementById("data").textContent);
const state = { moment: DATA.epochs.length - 1, group: 0, cell: null };
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg"; // a name, nothing is loaded from there
const ABSENT = "#cfcfcf";
const SIDE = document.querySelector("main.wide") ? 460 : 300; // pixels of a matrix, about

// -- small helpers

function element(name, attributes = {}, ...children) {
  const drawn = ["svg", "path", "line", "text", "g", "rect", "circle", "polyline"].includes(name);
  const made = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer); // little-endian, as every browser's machine is
}

const number = (x) => (x === null || !Number.isFinite(x) ? "–" : String(Number(x.toPrecision(6))).replace("-", "−"));
const epochName = (k) => (DATA.epochs[k] === null ? "" : number(DATA.epochs[k]));

for (const group of DATA.groups) for (const matrix of group.matrices) matrix.weights = floats(matrix.weights);

// -- a synapse: where a cell of a picture is, and what is there

function weightAt(group, matrix, row, column, moment) {
  const [, n, m] = matrix.shape;
  return matrix.weights[(moment * n + group.rows[row]) * m + group.columns[column]];
}

function neuronNames(group, matrix, row, column) {
  const [rows, columns] = matrix.transposed ? [matrix.pre, matrix.post] : [matrix.post, matrix.pre];
  const name = (population, position) => `${population}[${DATA.populations[population].kept[position]}]`;
  const ends = [name(rows, group.rows[row]), name(columns, group.columns[column])];
  return matrix.transposed ? ends : ends.reverse(); // pre, post
}

function ruleLines(matrix) {
  const lines = [element("div", {}, `${matrix.plasticity}, onto ${matrix.compartment === "soma" ? "somata" : "dendrites"}`)];
  if (matrix.rule) lines.push(element("code", {}, `Δw = ${matrix.rule}`));
  const values = Object.entries(matrix.parameters).map(([name, value]) => `${name} = ${value}`);
  if (values.length) lines.push(element("code", {}, values.join(", ")));
  return lines;
}

function synapseLines(group, matrix, row, column) {
  const [pre, post] = neuronNames(group, matrix, row, column);
  const weight = weightAt(group, matrix, row, column, state.moment);
  const what = Number.isNaN(weight) ? "no synapse" : `weight ${number(weight)}${DATA.epochs[state.moment] === null ? "" : ` at epoch ${epochName(state.moment)}`}`;
  return [element("b", {}, `${matrix.name}: ${pre} → ${post}`), element("div", { class: "weight" }, what), ...ruleLines(matrix)];
}

function showTooltip(lines, x, y) {
  const box = byId("tooltip");
  box.replaceChildren(...lines);
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(4, Math.min(x + 16, innerWidth - width - 8))}px`;
  box.style.top = `${y + 18 + height > innerHeight ? y - height - 12 : y + 18}px`;
}

const hideTooltip = () => { byId("tooltip").hidden = true; };

// -- matrices

function cellSize(group) {
  const alone = group.matrices.length === 1;
  const [width, height] = alone ? [2 * SIDE, 1.4 * SIDE] : [SIDE, SIDE];
  return Math.max(3, Math.min(28, Math.floor(width / group.columns.length), Math.floor(height / group.rows.length)));
}

function paint(canvas, group, matrix) {
  const context = canvas.getContext("2d"), size = cellSize(group), last = DATA.colours.length - 1;
  group.rows.forEach((_, row) => group.columns.forEach((_, column) => {
    const weight = weightAt(group, matrix, row, column, state.moment);
    const place = Math.round(((weight / group.limit + 1) / 2) * last);
    context.fillStyle = Number.isNaN(weight) ? ABSENT : DATA.colours[Math.max(0, Math.min(last, place))];
    context.fillRect(column * size, row * size, size, size);
  }));
  if (state.cell && state.cell.matrix === matrix) {
    context.strokeStyle = "#000";
    context.lineWidth = 2;
    context.strokeRect(state.cell.column * size, state.cell.row * size, size, size);
  }
}

const shownOf = (population) => {
  const { size, kept } = DATA.populations[population];
  return kept.length < size ? `, ${kept.length} of ${size} neurons` : "";
};

function matrixFigure(group, matrix) {
  const size = cellSize(group);
  const canvas = element("canvas", {
    width: group.columns.length * size, height: group.rows.length * size, tabindex: 0, role: "img",
    "data-name": matrix.name, "data-cell": size, style: `border-top-color: ${matrix.colour}`,
    "aria-label": `weights of ${matrix.name}; arrow keys walk over the synapses`,
  });
  const pre = `presynaptic ${matrix.pre}${shownOf(matrix.pre)}`, post = `postsynaptic ${matrix.post}${shownOf(matrix.post)}`;
  const [across, down] = matrix.transposed ? [post, pre] : [pre, post];
  canvas.addEventListener("mousemove", (event) => {
    const box = canvas.getBoundingClientRect();
    look(group, matrix, Math.floor((event.clientY - box.top - 4) / size), Math.floor((event.clientX - box.left) / size));
    if (state.cell) showTooltip(synapseLines(group, matrix, state.cell.row, state.cell.column), event.clientX, event.clientY);
  });
  canvas.addEventListener("mouseleave", hideTooltip);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const here = state.cell && state.cell.matrix === matrix ? state.cell : { row: 0, column: -step[1] };
    look(group, matrix, here.row + step[0], here.column + step[1]);
  });
  const name = matrix.transposed ? `${matrix.name}ᵀ` : matrix.name;
  return element("figure", {}, element("figcaption", {}, name),
    element("div", { class: "frame" }, element("div", { class: "vertical" }, down), canvas, element("div", { class: "horizontal" }, across)));
}

function look(group, matrix, row, column) {
  row = Math.max(0, Math.min(group.rows.length - 1, row));
  column = Math.max(0, Math.min(group.columns.length - 1, column));
  state.cell = { matrix, row, column };
  drawMatrices();
}

function drawSynapse() {
  const box = byId("synapse"), group = DATA.groups[state.group];
  if (!state.cell) { box.replaceChildren(); return; }
  const { matrix, row, column } = state.cell;
  const values = DATA.epochs.map((_, k) => weightAt(group, matrix, row, column, k));
  const [pre, post] = neuronNames(group, matrix, row, column);
  const lines = [element("div", {}, element("b", {}, `${matrix.name}: ${pre} → ${post}`),
    Number.isNaN(values[state.moment]) ? ", no synapse" : `, weight ${number(values[state.moment])}`,
    values.length > 1 && Number.isFinite(values[0]) ? `; over the run from ${number(values[0])} to ${number(values.at(-1))}` : "")];
  if (values.length > 1 && values.every(Number.isFinite)) {
    const low = Math.min(0, ...values), span = Math.max(0, ...values) - low || 1;
    const at = (k) => [8 + (300 * k) / (values.length - 1), 40 - (34 * (values[k] - low)) / span];
    const zero = 40 + (34 * low) / span, [x, y] = at(state.moment);
    lines.push(element("svg", { width: 360, height: 46, role: "img", "aria-label": "this weight over the run" },
      element("line", { x1: 8, x2: 308, y1: zero, y2: zero, stroke: "#999" }), element("text", { x: 314, y: zero + 4, "font-size": 12 }, "0"),
      element("polyline", { points: values.map((_, k) => at(k).join()).join(" "), fill: "none", stroke: matrix.colour, "stroke-width": 2.5 }),
      element("circle", { cx: x, cy: y, r: 5, fill: matrix.colour })));
  }
  box.replaceChildren(...lines);
}

function drawMatrices() {
  const group = DATA.groups[state.group];
  document.querySelectorAll("#panels canvas").forEach((canvas, k) => paint(canvas, group, group.matrices[k]));
  const cosine = group.cosines[state.moment];
  const caption = document.querySelector("#panels figure:last-child figcaption");
  caption.querySelector("small")?.remove();
  if (group.cosines.length) caption.append(element("small", { id: "cosine" }, `  cosine of what is shown: ${cosine === null ? "not defined" : cosine.toFixed(2)}`));
  drawSynapse();
}

function chooseGroup(k) {
  state.group = k;
  state.cell = null;
  const group = DATA.groups[k];
  byId("panels").replaceChildren(...group.matrices.map((matrix) => matrixFigure(group, matrix)));
  const stops = DATA.colours.filter((_, i) => i % 8 === 0 || i === DATA.colours.length - 1).join(", ");
  const absent = group.matrices.some((matrix) => matrix.weights.some(Number.isNaN));
  byId("scale").replaceChildren(element("span", {}, `≤ ${number(Number((-group.limit).toPrecision(3)))}`),
    element("div", { class: "bar", style: `background: linear-gradient(to right, ${stops})`, title: "weight" }),
    element("span", {}, `≥ ${number(Number(group.limit.toPrecision(3)))}   weight`),
    ...(absent ? [element("div", { class: "none" }), element("span", {}, "no synapse")] : []));
  document.querySelectorAll("#choice input")[k].checked = true;
  document.querySelectorAll("#circuit [data-projection]").forEach((part) =>
    part.classList.toggle("chosen", group.names.includes(part.dataset.projection)));
  drawMatrices();
}

function makeChoice() {
  byId("choice").append(...DATA.groups.map((group, k) => {
    const input = element("input", { type: "radio", name: "group", value: k });
    input.addEventListener("change", () => chooseGroup(k));
    const chips = group.matrices.map((matrix) => element("span", { class: "chip", style: `background: ${matrix.colour}` }));
    return element("label", {}, input, ...chips, group.matrices.map((m) => (m.transposed ? `${m.name}ᵀ` : m.name)).join(" and "));
  }));
}

// -- the circuit's drawing: its parts carry the names of projections

function wireCircuit() {
  DATA.groups.forEach((group, k) => group.matrices.forEach((matrix) => {
    for (const part of ["projection", "head", "label"]) {
      const drawn = byId(`${part}:${matrix.name}`);
      if (!drawn) continue;
      drawn.dataset.projection = matrix.name;
      const title = element("b", {}, `${matrix.name}: ${matrix.pre} → ${matrix.post}`);
      drawn.addEventListener("mousemove", (event) => showTooltip([title, ...ruleLines(matrix)], event.clientX, event.clientY));
      drawn.addEventListener("mouseleave", hideTooltip);
      drawn.addEventListener("click", () => chooseGroup(k));
    }
  }));
}

// -- curves

const BOX = { width: 440, height: 220, left: 60, right: 10, top: 8, bottom: 40 };

function ticks(low, high, about) {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

function chart(panel) {
  const all = panel.lines.flatMap((line) => line.mean.flatMap((m, k) => (line.spread ? [m - line.spread[k], m + line.spread[k]] : [m])));
  const epochs = panel.lines.flatMap((line) => line.epochs);
  let low = Math.min(...all), high = Math.max(...all);
  if (panel.axis === "cosine") { low = Math.min(low, 0); high = Math.max(high, 1); }
  if (high === low) { low -= 0.5; high += 0.5; }
  const first = Math.min(0, ...epochs), last = Math.max(...epochs);
  const x = (epoch) => BOX.left + ((BOX.width - BOX.left - BOX.right) * (epoch - first)) / (last - first || 1);
  const y = (value) => BOX.height - BOX.bottom - ((BOX.height - BOX.top - BOX.bottom) * (value - low)) / (high - low);
  const drawing = element("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": panel.title });
  for (const value of ticks(low, high, 5)) drawing.append(
    element("line", { x1: BOX.left, x2: BOX.width - BOX.right, y1: y(value), y2: y(value), stroke: value === 0 ? "#777" : "#e3e3e3" }),
    element("text", { x: BOX.left - 6, y: y(value) + 4, "text-anchor": "end", "font-size": 12, fill: "#333" }, number(value)));
  for (const value of ticks(first, last, 6)) drawing.append(
    element("text", { x: x(value), y: BOX.height - BOX.bottom + 16, "text-anchor": "middle", "font-size": 12, fill: "#333" }, number(value)));
  drawing.append(element("text", { transform: `translate(13 ${y((low + high) / 2)}) rotate(-90)`, "text-anchor": "middle", "font-size": 13, fill: "#333" }, panel.axis));
  drawing.append(element("text", { x: x((first + last) / 2), y: BOX.height - 6, "text-anchor": "middle", "font-size": 13, fill: "#333" }, "epochs"));
  for (const line of panel.lines) {
    const edge = (side) => line.epochs.map((epoch, k) => `${x(epoch)},${y(line.mean[k] + side * line.spread[k])}`);
    if (line.spread) drawing.append(element("path", { d: `M${[...edge(1), ...edge(-1).reverse()].join("L")}Z`, fill: line.colour, opacity: 0.15 }));
  }
  for (const line of panel.lines) drawing.append(element("polyline", {
    class: "curve", "data-label": line.label, fill: "none", stroke: line.colour, "stroke-width": 2.4, "stroke-linejoin": "round",
    "stroke-dasharray": line.dashes.map((d) => 2 * d).join(" "), points: line.epochs.map((epoch, k) => `${x(epoch)},${y(line.mean[k])}`).join(" ") }));
  const cursor = element("line", { class: "cursor", y1: BOX.top, y2: BOX.height - BOX.bottom, stroke: "#1b1b1b", "stroke-width": 1.2 });
  drawing.append(cursor);
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    const part = (((event.clientX - box.left) / box.width) * BOX.width - BOX.left) / (BOX.width - BOX.left - BOX.right);
    chooseMoment(nearest(DATA.epochs, first + part * (last - first)));
  });
  const legend = panel.lines.map((line) => element("li", {},
    element("svg", { viewBox: "0 0 30 8" }, element("line", { x1: 0, x2: 30, y1: 4, y2: 4, stroke: line.colour, "stroke-width": 3,
      "stroke-dasharray": line.dashes.map((d) => 2 * d).join(" ") })), line.label, element("b", {})));
  const move = () => {
    const epoch = DATA.epochs[state.moment] ?? last;
    cursor.setAttribute("x1", x(epoch));
    cursor.setAttribute("x2", x(epoch));
    panel.lines.forEach((line, k) => {
      const at = nearest(line.epochs, epoch);
      const near = line.epochs.length < 2 || Math.abs(line.epochs[at] - epoch) <= (last - first) / (line.epochs.length - 1);
      legend[k].lastChild.textContent = near ? line.mean[at].toPrecision(3).replace("-", "−") : "–";
    });
  };
  byId("charts").append(element("div", { class: "chart" }, element("h3", {}, panel.title), drawing, element("ul", {}, ...legend)));
  return move;
}

function nearest(values, wanted) {
  return values.reduce((best, value, k) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? k : best), 0);
}

// -- time

let cursors = [];

function chooseMoment(k) {
  state.moment = k;
  byId("moment").value = k;
  byId("moment").setAttribute("aria-valuetext", `epoch ${epochName(k)}`);
  byId("epoch").textContent = DATA.epochs.length > 1 ? `${epochName(k)} of ${epochName(DATA.epochs.length - 1)}` : epochName(k);
  hideTooltip();
  drawMatrices();
  cursors.forEach((move) => move());
}

function makeTime() {
  const slider = byId("moment"), button = byId("play");
  let timer = null;
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "▶"; button.setAttribute("aria-label", "play"); };
  slider.max = DATA.epochs.length - 1;
  byId("time").hidden = DATA.epochs.length < 2;
  slider.addEventListener("input", () => { stop(); chooseMoment(Number(slider.value)); });
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "pause");
    let next = state.moment === DATA.epochs.length - 1 ? 0 : state.moment + 1;
    timer = setInterval(() => { chooseMoment(next); next += 1; if (next >= DATA.epochs.length) stop(); }, 350);
  });
}

makeTime();
makeChoice();
wireCircuit();
cursors = DATA.panels.map(chart);
byId("curves").hidden = !DATA.panels.length;
const mirrored = DATA.groups.findIndex((group) => group.names[0].startsWith("V") && group.names.length > 1);
chooseGroup(Math.max(0, mirrored)); // where self-assembly shows first
chooseMoment(state.moment);
