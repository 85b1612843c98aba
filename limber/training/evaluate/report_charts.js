"use strict";
// Groups of uPlot panels with one read-out table. A panel is
//   {title, columns: [heading, ...], xLabel, ticks: [{at, label}] or none, square: true or none,
//    series: [{name, highlight, points: [{x, y, low, high, cells: [[text, interval], ...]}, ...]}, ...]}
// with the same series names in every panel of a group.

const limberCharts = (() => {
  const colours = 10;
  const drawn = [];  // groups on the page, drawn anew when the colour scheme changes

  // The colour of a name is its place among all names that the page has met.
  const names = [];
  const place = (name) => {
    if (!names.includes(name)) names.push(name);
    return names.indexOf(name);
  };
  const token = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colourToken = (name) => `--series-${place(name) % colours}`;
  const dashOf = (name) => (place(name) < colours ? undefined : [7, 4]);

  const element = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== undefined && child !== null));
    return node;
  };

  const nearest = (points, x) => {
    let best;
    for (const point of points) {
      if (point.y === null) continue;
      if (!best || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
    }
    return best;
  };

  // All series on the union of their x: uPlot wants one x column, null where a series has no point.
  const align = (panel) => {
    const xs = [...new Set(panel.series.flatMap((one) => one.points.map((point) => point.x)))];
    xs.sort((a, b) => a - b);
    const column = (one, key) => {
      const at = new Map(one.points.map((point) => [point.x, point[key]]));
      return xs.map((x) => at.get(x) ?? null);
    };
    return {xs, columns: panel.series.map((one) => column(one, "y"))};
  };

  const extent = (values) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const padding = 0.12 * (high - low) || 0.05 * Math.abs(high) || 1;
    return [low - padding, high + padding];
  };

  const ranges = (panel, data) => {
    const ys = data.columns.flat().filter((y) => y !== null);
    const highlighted = panel.series.filter((one) => one.highlight).flatMap((one) => one.points);
    for (const {low, high} of highlighted) ys.push(...[low, high].filter(Number.isFinite));
    if (panel.square) {
      const top = Math.min(1, 1.06 * Math.max(...data.xs, ...ys, 0.01));
      return {x: [0, top], y: [0, top]};
    }
    const [first, last] = [data.xs[0], data.xs[data.xs.length - 1]];
    const margin = panel.ticks ? 0.35 : 0.02 * (last - first) || 1;
    return {x: [first - margin, last + margin], y: extent(ys.length ? ys : [0, 1])};
  };

  // The shaded interval of the series in focus, or of the highlighted one, under the lines.
  const drawBand = (plot, panel, focus) => {
    const one = panel.series.find((series) => (focus ? series.name === focus : series.highlight));
    const points = (one?.points ?? []).filter(
      ({low, high}) => Number.isFinite(low) && Number.isFinite(high));
    if (points.length === 0) return;
    const at = (x, y) => [plot.valToPos(x, "x", true), plot.valToPos(y, "y", true)];
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (const point of points) ctx.lineTo(...at(point.x, point.low));
    for (const point of [...points].reverse()) ctx.lineTo(...at(point.x, point.high));
    ctx.closePath();
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = token(colourToken(one.name));
    ctx.fill();
    ctx.restore();
  };

  const drawDiagonal = (plot) => {
    const {ctx} = plot;
    const {max} = plot.scales.x;
    ctx.save();
    ctx.strokeStyle = token("--muted");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(plot.valToPos(0, "x", true), plot.valToPos(0, "y", true));
    ctx.lineTo(plot.valToPos(max, "x", true), plot.valToPos(max, "y", true));
    ctx.stroke();
    ctx.restore();
  };

  const compact = new Intl.NumberFormat("en", {notation: "compact", maximumFractionDigits: 1});

  const axes = (panel) => {
    const font = `12px ${token("--font")}`;
    const common = {
      stroke: token("--muted"),
      font,
      labelFont: font,
      grid: {stroke: token("--grid"), width: 1},
      ticks: {stroke: token("--grid"), width: 1, size: 5},
    };
    const x = {...common, label: panel.xLabel, labelSize: 22, size: 30};
    if (panel.ticks) {
      x.grid = {show: false};
      x.splits = (plot) => {
        // As many labels as fit without touching.
        const longest = Math.max(...panel.ticks.map((tick) => tick.label.length));
        const fit = Math.max(1, Math.floor(plot.bbox.width / devicePixelRatio / (7 * longest + 10)));
        const step = Math.ceil(panel.ticks.length / fit);
        return panel.ticks.filter((_, i) => i % step === 0).map((tick) => tick.at);
      };
      x.values = (plot, splits) =>
        splits.map((at) => panel.ticks.find((tick) => tick.at === at)?.label ?? "");
    } else if (!panel.square) {
      x.values = (plot, splits) => splits.map((at) => compact.format(at));
    }
    // As many decimals on every tick as the step between them needs.
    const values = (plot, splits, axis, space, step) => {
      let digits = 0;
      while (digits < 6 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-9) ++digits;
      return splits.map((at) => at.toFixed(digits));
    };
    return [panel.square ? {...x, values} : x, {...common, values, size: 52}];
  };

  const plotPanel = (group, panel, node) => {
    const data = align(panel);
    const range = ranges(panel, data);
    const height = (width) => (panel.square ? Math.min(width, 440) : Math.max(240, Math.min(320, 0.62 * width)));
    const size = () => {
      const width = Math.max(200, Math.floor(node.clientWidth));
      return {width, height: Math.round(height(width))};
    };
    const series = panel.series.map((one) => ({
      label: one.name,
      stroke: token(colourToken(one.name)),
      width: one.highlight ? 3 : 1.75,
      dash: dashOf(one.name),
      spanGaps: !panel.ticks,  // categories without rows are gaps; foreign x are not
      points: {show: one.points.length <= 40, size: one.highlight ? 8 : 6, fill: token("--background")},
    }));
    const plot = new uPlot({
      ...size(),
      padding: [10, 10, 0, 0],
      legend: {show: false},
      focus: {alpha: 0.18},
      cursor: {
        y: false,
        drag: {x: false, y: false},
        sync: {key: group.key},
        dataIdx: (self, index, hovered, x) => {
          if (index === 0 || panel.ticks) return hovered;
          const point = nearest(panel.series[index - 1].points, x);
          return point ? data.xs.indexOf(point.x) : hovered;
        },
      },
      scales: {x: {time: false, range: () => range.x}, y: {range: () => range.y}},
      axes: axes(panel),
      series: [{}, ...series],
      hooks: {
        drawAxes: [(self) => {
          if (panel.square) drawDiagonal(self);
          drawBand(self, panel, group.focus);
        }],
        setCursor: [(self) => group.read(self.cursor.idx == null ? null : data.xs[self.cursor.idx])],
      },
    }, [data.xs, ...data.columns], node);
    const observer = new ResizeObserver(() => {
      const wanted = size();
      if (wanted.width !== plot.width) plot.setSize(wanted);
    });
    observer.observe(node);
    return {plot, stop: () => { observer.disconnect(); plot.destroy(); }};
  };

  // The read-out: one row a series, the values at the cursor. Choosing a name sets it apart.
  const readOut = (group, panels, describe) => {
    const heading = element("th", {scope: "col", class: "at"});
    const columns = panels.flatMap((panel) => panel.columns);
    const rows = panels[0].series.map((one) => {
      const key = element("span", {class: "key", "aria-hidden": "true"});
      key.style.background = `var(${colourToken(one.name)})`;
      const button = element("button", {type: "button", "aria-pressed": "false"}, key, one.name);
      const cells = columns.map(() => element("td"));
      const row = element("tr", {class: one.highlight ? "highlight" : undefined},
        element("th", {scope: "row"}, button), ...cells);
      row.addEventListener("pointerenter", (event) => {
        if (event.pointerType === "mouse") group.setFocus(one.name);
      });
      row.addEventListener("pointerleave", () => group.setFocus(group.pinned));
      button.addEventListener("click", () => {
        group.pinned = group.pinned === one.name ? null : one.name;
        group.setFocus(group.pinned);
      });
      return {name: one.name, row, button, cells};
    });
    const last = Math.max(...align(panels[0]).xs);
    const middle = panels[0].square ? last / 2 : last;
    group.read = (x) => {
      const at = x ?? middle;
      heading.textContent = describe(at);
      for (const {name, cells} of rows) {
        const texts = panels.flatMap((panel) => {
          const {points} = panel.series.find((one) => one.name === name);
          const point = panel.ticks ? points.find((one) => one.x === at) : nearest(points, at);
          return point ? point.cells : panel.columns.map(() => ["–"]);
        });
        cells.forEach((cell, i) => {
          const [text, interval] = texts[i];
          cell.replaceChildren(text, interval ? element("small", {}, interval) : "");
        });
      }
    };
    group.setFocus = (name) => {
      group.focus = name;
      for (const {name: own, row, button} of rows) {
        row.classList.toggle("dim", name !== null && own !== name);
        button.setAttribute("aria-pressed", String(group.pinned === own));
      }
      const index = panels[0].series.findIndex((one) => one.name === name);
      for (const {plot} of group.plots) {
        plot.setSeries(index < 0 ? null : index + 1, {focus: true});
        plot.redraw(false);
      }
    };
    return element("div", {class: "scroll"},
      element("table", {class: "readout"},
        element("thead", {}, element("tr", {}, heading,
          ...columns.map((title) => element("th", {scope: "col"}, title)))),
        element("tbody", {}, ...rows.map(({row}) => row))));
  };

  // Adds a group to `parent`; describe(x) heads the read-out.
  const add = (parent, panels, describe) => {
    const group = {key: `group-${drawn.length}`, plots: [], focus: null, pinned: null};
    const nodes = panels.map(() => element("div", {class: "plot"}));
    const figures = panels.map((panel, i) => element("figure", {class: panel.square ? "square" : undefined},
      element("figcaption", {}, panel.title), nodes[i]));
    const table = readOut(group, panels, describe);
    const wide = panels.length === 1 && panels[0].square;
    parent.append(element("div", {class: wide ? "charts beside" : "charts"},
      element("div", {class: `panels panels-${panels.length}`}, ...figures), table));
    const draw = () => {
      group.plots.forEach(({stop}) => stop());
      group.plots = panels.map((panel, i) => plotPanel(group, panel, nodes[i]));
      group.read(null);
    };
    draw();
    drawn.push(draw);
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
    () => drawn.forEach((draw) => draw()));

  return {add, element, place, colourToken};
})();
