// Runs in the browser. All text of the page was rendered, and escaped, by whoever made it: this puts the charts in, and
// on a live page asks for what is new.

/// <reference types="uplot" />

/**
 * @import { Chart, PageView } from "../page-view.ts"
 */

const CHART_HEIGHT_PIXELS = 220;
const COLOURS = 6;
/** A chart of less would be wide for what it shows. */
const SHORTEST_SECONDS = 60;

/** What each chart was made of, by the id of its element. @type {Map<string, { plot: uPlot, names: string }>} */
const charts = new Map();

let shown = viewOf(element("view").textContent);
drawCharts();

addEventListener("resize", drawChartsAnew);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawChartsAnew);

const refreshSeconds = Number(document.documentElement.dataset["refreshSeconds"] ?? 0);
if (refreshSeconds > 0) setInterval(() => void refresh(), refreshSeconds * 1000);

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

/** @param {string} json */
function viewOf(json) {
  /** @type {unknown} */
  const view = JSON.parse(json);
  return /** @type {PageView} */ (view);
}

async function refresh() {
  try {
    const answer = await fetch("/view.json");
    if (!answer.ok) throw new Error(answer.statusText);
    show(viewOf(await answer.text()));
    element("lost").hidden = true;
  } catch {
    element("lost").hidden = false;
  }
}

/** Sections that are as they were stay untouched: what somebody has selected or scrolled in them stays too. @param {PageView} view */
function show(view) {
  document.title = view.title;
  for (const [id, html] of Object.entries(view.sections)) {
    if (html !== shown.sections[id]) replaceSection(element(id), html);
  }
  shown = view;
  drawCharts();
}

/** Focus and scrolling survive in elements that have an id. @param {HTMLElement} section @param {string} html */
function replaceSection(section, html) {
  const focused = section.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const scrolled = [...section.querySelectorAll("[id]")].map(({ id, scrollLeft }) => ({ id, scrollLeft }));
  section.innerHTML = html;
  for (const { id, scrollLeft } of scrolled) document.getElementById(id)?.scrollTo({ left: scrollLeft });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function drawChartsAnew() {
  for (const { plot } of charts.values()) plot.destroy();
  charts.clear();
  drawCharts();
}

function drawCharts() {
  for (const chart of shown.charts) drawChart(chart);
}

/** @param {Chart} chart */
function drawChart(chart) {
  const names = JSON.stringify(chart.series.map(({ name }) => name));
  const data = /** @type {uPlot.AlignedData} */ ([chart.times, ...chart.series.map(({ values }) => values)]);
  const drawn = charts.get(chart.id);
  if (drawn?.names === names) return drawn.plot.setData(data);
  drawn?.plot.destroy();
  charts.set(chart.id, { plot: newPlot(chart, data), names });
}

/** @param {Chart} chart @param {uPlot.AlignedData} data */
function newPlot({ id, unit, series }, data) {
  const target = element(id);
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = (name) => style.getPropertyValue(`--${name}`);
  const axis = {
    stroke: colour("quiet"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line") },
  };
  const plot = new uPlot(
    {
      width: target.clientWidth,
      height: CHART_HEIGHT_PIXELS,
      scales: {
        x: { range: (_plot, from, to) => [Math.min(from, to - SHORTEST_SECONDS), to] },
        y: { range: (_plot, _least, most) => [0, Math.max(most, 1) * 1.1] },
      },
      axes: [
        { ...axis, space: 80, values: (_plot, times) => times.map(timeOfDay) },
        { ...axis, size: 64, values: (_plot, values) => values.map((value) => amount(value)) },
      ],
      series: [
        {
          label: "UTC",
          value: (/** @type {uPlot} */ _plot, /** @type {number | null} */ time) =>
            time === null ? "" : timeOfDay(time),
        },
        ...series.map(({ name }, index) => ({
          label: name,
          stroke: colour(`series-${index % COLOURS}`),
          width: 2,
          points: { show: (/** @type {uPlot} */ plot) => plot.data[0].length < 3 },
          value: (/** @type {uPlot} */ _plot, /** @type {number | null} */ value) =>
            value === null ? "" : `${amount(value)}B${unit === "bytes" ? "" : "/s"}`,
        })),
      ],
    },
    data,
    target,
  );
  target.onkeydown = (event) => moveCursor(plot, event);
  return plot;
}

/** In UTC, as everywhere on the page. @param {number} time */
const timeOfDay = (time) => new Date(time * 1000).toISOString().slice(11, 19);

/** 1234567 as "1.2M". @param {number} value */
const amount = (value) => new Intl.NumberFormat("en", { notation: "compact" }).format(value);

/** To the moment before or after the one that the legend tells of. @param {uPlot} plot @param {KeyboardEvent} event */
function moveCursor(plot, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const [times] = plot.data;
  if (step === undefined || times.length === 0) return;
  event.preventDefault();
  const from = plot.cursor.idx ?? (step > 0 ? -1 : times.length);
  const time = times[Math.min(times.length - 1, Math.max(0, from + step))];
  if (time !== undefined) plot.setCursor({ left: plot.valToPos(time, "x"), top: 0 });
}
