// The charts of the bench page: latency by runtime, speed against the best rival, where the time goes.
// Reads the element "data"; redraws when a choice or the width changes. Every text is set as text, never as HTML.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = document.querySelector("svg").namespaceURI; // its name looks like an address, and a page names none
const NARROW = 640;
const tip = document.body.appendChild(make("div", { id: "tip", hidden: "" }));
const chosen = {};

function draw() {
  drawLatency(document.getElementById("latency"));
  drawRivals(document.getElementById("rivals"));
  drawWaterfall(document.getElementById("waterfall"));
}

// ---- the three charts ----

function drawLatency(holder) {
  const rows = data.rows.filter(isChosen).sort((a, b) => a.p50_us - b.p50_us);
  const points = rows.flatMap((row) => [row.p50_us, row.p999_us, row.idle_us, row.cold_us]);
  const chart = new Chart(holder, rows.length, logScale(points, 1.25), `microseconds; ${placeOf(chosen)}`);
  chart.axis(decades(chart.scale), short);
  rows.forEach((row, i) => {
    const { y, x } = chart.row(i, row.runtime, `${short(row.p50_us)} µs`, lines(row));
    const colour = isOurs(row.runtime) ? "var(--ours)" : "var(--rival)";
    chart.draw("line", { x1: x(row.p50_us), x2: x(row.p999_us), y1: y, y2: y, stroke: colour, "stroke-width": 3, "stroke-linecap": "round", opacity: 0.6 });
    chart.draw("circle", { cx: x(row.idle_us), cy: y, r: 4.5, fill: "none", stroke: colour, "stroke-width": 1.8 });
    chart.draw("path", { d: diamond(x(row.cold_us), y, 5.5), fill: "none", stroke: colour, "stroke-width": 1.8 });
    chart.draw("circle", { cx: x(row.p50_us), cy: y, r: 5.5, fill: colour });
  });
  legend(holder, { slipway: "var(--ours)", rivals: "var(--rival)" });
}

function drawRivals(holder) {
  const cells = data.cells.filter((cell) => cell.times_faster);
  if (!cells.length) return say(holder, "No cell has both the native engine and a rival.");
  const ratios = cells.map((cell) => cell.times_faster);
  const chart = new Chart(holder, cells.length, logScale([0.9, 1.1, ...ratios], 1.2), "times faster");
  chart.axis(doublings(chart.scale), (ratio) => `${short(ratio)}x`);
  chart.draw("line", { x1: chart.x(1), x2: chart.x(1), y1: 0, y2: chart.bottom, class: "axis" });
  cells.forEach((cell, i) => {
    const told = [`session.run  ${short(cell.native_us)} µs`, `${cell.best_peer}  ${short(cell.best_peer_us)} µs`];
    const { y, x } = chart.row(i, placeOf(cell), `${short(cell.times_faster)}x`, [placeOf(cell), ...told]);
    const [from, to] = [x(1), x(cell.times_faster)];
    const colour = cell.times_faster < 1 ? "var(--bad)" : "var(--ours)";
    chart.draw("rect", { x: Math.min(from, to), width: Math.max(1, Math.abs(to - from)), y: y - 6, height: 12, rx: 2, fill: colour });
  });
}

function drawWaterfall(holder) {
  const found = data.waterfalls.find(isChosen);
  if (!found) return say(holder, "The native engine was not measured here.");
  let reached = 0;
  const parts = found.parts.map((part) => ({ ...part, from: reached, to: (reached += part.us) }));
  const ends = parts.flatMap((part) => [part.from, part.to]);
  const chart = new Chart(holder, parts.length + 1, linearScale(Math.min(0, ...ends), Math.max(...ends)), `microseconds; ${placeOf(chosen)}`);
  chart.axis(chart.scale.ticks(), short);
  parts.forEach((part, i) => {
    const share = `${((100 * part.us) / found.run_us).toFixed(1)} %`;
    const { y, x } = chart.row(i, part.name, `${short(part.us)} µs`, [part.name, `${short(part.us)} µs  ${share}`]);
    const [from, to] = [x(part.from), x(part.to)];
    chart.draw("rect", { x: Math.min(from, to), width: Math.max(1.5, Math.abs(to - from)), y: y - 7, height: 14, rx: 2, fill: colourOf(part) });
  });
  const told = [`session.run  ${short(found.run_us)} µs`, `bound call  ${short(found.bound_us)} µs`, `noise  ${short(found.noise_us)} µs`, `plan  ${bytes(found.plan_bytes)}`];
  const { y, x } = chart.row(parts.length, "session.run, all of it", `${short(found.run_us)} µs`, told);
  chart.draw("rect", { x: x(0), width: x(found.run_us) - x(0), y: y - 7, height: 14, rx: 2, fill: "var(--soft)", opacity: 0.35 });
  legend(holder, { call: "var(--c1)", inputs: "var(--c3)", nodes: "var(--c0)", outputs: "var(--c2)" });
}

function colourOf(part) {
  return { call: "var(--c1)", inputs: "var(--c3)", node: "var(--c0)", outputs: "var(--c2)" }[part.kind];
}

function lines(row) {
  const figures = { median: "p50_us", "90th": "p90_us", "99th": "p99_us", "99.9th": "p999_us", "after a pause": "idle_us", "first call": "cold_us", loading: "load_us" };
  const times = Object.entries(figures).map(([name, key]) => `${name.padEnd(14)} ${short(row[key])} µs`);
  const memory = row.resident_bytes === null ? [] : [`${"memory".padEnd(14)} ${bytes(row.resident_bytes)}`];
  return [`${row.runtime}, ${placeOf(row)}`, ...times, ...memory, `${"per second".padEnd(14)} ${short(row.throughput_per_s)}`];
}

// ---- one chart of rows ----

class Chart {
  constructor(holder, count, scale, unit) {
    holder.replaceChildren();
    this.width = Math.max(260, holder.clientWidth);
    this.narrow = this.width < NARROW;
    this.left = this.narrow ? 8 : 250;
    this.right = this.width - (this.narrow ? 12 : 84);
    this.step = this.narrow ? 42 : 28;
    this.bottom = count * this.step + 6;
    this.scale = scale;
    this.x = (value) => this.left + scale.share(value) * (this.right - this.left);
    this.svg = holder.appendChild(shape("svg", { height: this.bottom + 38, width: this.width, role: "img", "aria-label": unit }));
    this.write(unit, { x: this.narrow ? this.width : this.right, y: this.bottom + 34, "text-anchor": "end", class: "soft" });
  }

  axis(ticks, label) {
    const least = this.narrow ? 44 : 52;
    let last = -Infinity;
    for (const tick of ticks) {
      const x = this.x(tick);
      this.draw("line", { x1: x, x2: x, y1: 0, y2: this.bottom, class: "grid" });
      if (x - last < least) continue;
      last = x;
      this.write(label(tick), { x, y: this.bottom + 16, "text-anchor": "middle", class: "soft" });
    }
  }

  row(i, name, value, told) {
    const top = i * this.step;
    const y = top + (this.narrow ? 30 : 15);
    const room = Math.floor((this.narrow ? this.width - 90 : this.left - 14) / 6.6);
    const label = this.narrow ? { x: 0, y: top + 16 } : { x: this.left - 12, y: y + 4, "text-anchor": "end" };
    this.write(name.length > room ? `${name.slice(0, room - 1)}…` : name, label);
    this.write(value, { x: this.width, y: this.narrow ? top + 16 : y + 4, "text-anchor": "end" });
    const area = this.draw("rect", { x: 0, y: top, width: this.width, height: this.step, fill: "transparent", tabindex: 0, "aria-label": told.join(", ") });
    for (const event of ["pointerenter", "pointermove", "click"]) area.addEventListener(event, (at) => show(told, at.clientX, at.clientY));
    area.addEventListener("focus", () => show(told, area.getBoundingClientRect().left + this.left, area.getBoundingClientRect().bottom));
    for (const event of ["pointerleave", "blur"]) area.addEventListener(event, () => (tip.hidden = true));
    return { y, x: this.x };
  }

  draw(name, attributes) {
    const made = shape(name, attributes);
    if (!("tabindex" in attributes)) made.setAttribute("pointer-events", "none");
    return this.svg.appendChild(made);
  }

  write(words, attributes) {
    const made = shape("text", { ...attributes, "pointer-events": "none" });
    made.textContent = words;
    this.svg.appendChild(made);
  }
}

function show(told, x, y) {
  tip.textContent = told.join("\n");
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
}

function legend(holder, colours) {
  const box = holder.appendChild(make("div", { class: "legend" }));
  for (const [name, colour] of Object.entries(colours)) {
    const entry = box.appendChild(make("span", {}));
    entry.appendChild(make("i", {})).style.background = colour;
    entry.append(name);
  }
}

function say(holder, words) {
  holder.replaceChildren(make("p", { class: "note" }));
  holder.firstChild.textContent = words;
}

// ---- scales ----

function logScale(values, margin) {
  const positive = values.filter((value) => value > 0);
  const [low, high] = [Math.min(...positive) / margin, Math.max(...positive) * margin];
  return { low, high, share: (value) => Math.log(Math.max(value, low) / low) / Math.log(high / low) };
}

function linearScale(low, high) {
  const span = high - low || 1;
  const size = [1, 2, 5].map((digit) => digit * 10 ** Math.floor(Math.log10(span / 3))).reverse().find((step) => span / step >= 3) ?? span;
  const first = Math.ceil(low / size);
  const ticks = () => Array.from({ length: Math.floor(high / size) - first + 1 }, (_, i) => (first + i) * size);
  return { low, high, ticks, share: (value) => (value - low) / span };
}

function decades({ low, high }) {
  const steps = high / low < 200 ? [1, 2, 5] : [1];
  return between(low, high, (n) => steps.map((step) => step * 10 ** n), Math.log10);
}

function doublings({ low, high }) {
  return between(low, high, (n) => [2 ** n], Math.log2);
}

function between(low, high, ticksOf, log) {
  const [first, last] = [Math.floor(log(low)), Math.ceil(log(high))];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => ticksOf(first + i)).flat();
  return ticks.filter((tick) => tick >= low && tick <= high);
}

// ---- choices, texts, elements ----

function choose(name, values) {
  const label = document.getElementById("choices").appendChild(make("label", {}));
  label.append(`${name} `);
  const select = label.appendChild(make("select", {}));
  for (const value of values) select.append(new Option(String(value), String(value)));
  chosen[name] = String(values[0]);
  select.addEventListener("change", () => {
    chosen[name] = select.value;
    draw();
  });
}

function isChosen(row) {
  return Object.entries(chosen).every(([name, value]) => String(row[name]) === value);
}

function distinct(name) {
  return [...new Set(data.rows.map((row) => row[name]))];
}

function isOurs(runtime) {
  return runtime.startsWith("native-");
}

function placeOf(row) {
  return `${row.bundle}, batch ${row.batch}, ${row.threads} thread${String(row.threads) === "1" ? "" : "s"}`;
}

function diamond(x, y, r) {
  return `M${x - r} ${y}L${x} ${y - r}L${x + r} ${y}L${x} ${y + r}Z`;
}

function short(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

function bytes(count) {
  return count < 1 << 20 ? `${short(count / 1024)} KiB` : `${short(count / 1048576)} MiB`;
}

function make(name, attributes) {
  return withAttributes(document.createElement(name), attributes);
}

function shape(name, attributes) {
  return withAttributes(document.createElementNS(SVG, name), attributes);
}

function withAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

choose("bundle", distinct("bundle"));
choose("batch", distinct("batch"));
choose("threads", distinct("threads"));
addEventListener("resize", draw);
draw();
document.addEventListener("scroll", () => (tip.hidden = true), true);
