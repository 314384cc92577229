// The latency of a call's turns, layer upon layer, drawn from the turns on the page.
(() => {
  "use strict";
  const LAYERS = [
    "end_of_turn", "waited", "transcript", "hop", "step", "retried", "tools", "model", "sentence", "voice", "gateway", "held",
  ];
  let chart = null;
  let drawn = "";

  function turns() {
    return [...document.querySelectorAll("#transcript > [data-turn]")]
      .map((turn) => ({ turn: Number(turn.dataset.turn), layers: JSON.parse(turn.dataset.layers) }))
      .filter((turn) => Object.keys(turn.layers).length > 0);
  }

  // For each layer the height up to its top, the highest first: bars drawn later stand in front of it.
  function stacked(timed) {
    const tops = LAYERS.map((_, layer) =>
      timed.map((turn) => LAYERS.slice(0, layer + 1).reduce((sum, name) => sum + Math.max(0, turn.layers[name] || 0), 0)),
    );
    return [timed.map((turn) => turn.turn), ...tops.reverse()];
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function series() {
    const bars = uPlot.paths.bars({ size: [0.7, 28], radius: 0 });
    const layers = [...LAYERS].reverse().map((layer) => ({
      fill: colour(`--layer-${layer.replaceAll("_", "-")}`),
      width: 0,
      paths: bars,
      points: { show: false },
    }));
    return [{}, ...layers];
  }

  function axes() {
    const grid = { stroke: colour("--line"), width: 1 };
    const common = { stroke: colour("--faint"), font: "11px system-ui, sans-serif", ticks: { show: false } };
    return [
      { ...common, grid: { show: false }, size: 24, space: 28, incrs: [1, 2, 5, 10, 20, 50, 100], values: (_, at) => at.map(String) },
      { ...common, grid, size: 64, values: (_, at) => at.map((ms) => `${ms.toLocaleString()} ms`) },
    ];
  }

  function draw(force) {
    const place = document.getElementById("chart");
    const timed = turns();
    const now = JSON.stringify(timed);
    if (!place || (now === drawn && !force)) return;
    drawn = now;
    if (chart) chart.destroy();
    chart = null;
    if (timed.length === 0) return;
    const last = Math.max(8, ...timed.map((turn) => turn.turn));
    const options = {
      width: place.clientWidth,
      height: 180,
      padding: [8, 4, 0, 0],
      series: series(),
      axes: axes(),
      scales: { x: { time: false, range: [0.3, last + 0.7] }, y: { range: (_, _low, high) => [0, Math.max(500, high * 1.1)] } },
      legend: { show: false },
      cursor: { show: false },
    };
    chart = new uPlot(options, stacked(timed), place);
  }

  document.addEventListener("console:changed", () => draw(false));
  document.addEventListener("DOMContentLoaded", () => draw(true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(true));
  window.addEventListener("resize", () => draw(true));
})();
