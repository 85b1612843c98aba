"use strict";
(() => {
  const {report, columns} = JSON.parse(document.getElementById("data").textContent);
  const page = document.getElementById("page");
  const {element, place, colourToken} = limberCharts;
  const arrows = {highest: "↑", lowest: "↓", nearest_one: "→ 1"};

  const isNumber = (value) => typeof value === "number";
  const count = (value) => (isNumber(value) ? value.toLocaleString("en") : "–");
  const fixed = (value, digits = 4) =>
    isNumber(value) ? value.toFixed(digits).replace("-", "−") : "–";
  const signed = (value) => (isNumber(value) && value >= 0 ? "+" : "") + fixed(value);
  const interval = (metric, format = fixed) =>
    isNumber(metric?.low) && isNumber(metric?.high)
      ? `${format(metric.low)} – ${format(metric.high)}` : undefined;
  const titleOf = (column, models) => {
    const cutoffs = models.map((model) => model.metrics?.ndcg_cutoff).filter(isNumber);
    return column.key === "ndcg" && cutoffs.length ? `NDCG@${cutoffs[0]}` : column.title;
  };
  // Only columns in which some model has a value.
  const columnsOf = (models) =>
    columns.filter(({key}) => models.some((model) => isNumber(model.metrics?.[key]?.value)));

  const section = (parent, tag, title, ...text) => {
    const node = element("section", {}, element(tag, {}, title),
      ...text.filter(Boolean).map((one) => element("p", {class: "about"}, one)));
    parent.append(node);
    return node;
  };

  const nameCell = (model) => {
    const key = element("span", {class: "key", "aria-hidden": "true"});
    key.style.background = `var(${colourToken(model.name)})`;
    return element("th", {scope: "row"},
      element("span", {class: "name"}, key, element("span", {}, model.name)),
      model.note ? element("small", {}, model.note) : undefined);
  };

  // A caption outside the scrolling box stays in sight on a phone.
  const metricTable = (models, shown, label, cell) => element("div", {class: "scroll", tabindex: "0"},
    element("table", {class: "metrics", "aria-label": label},
      element("thead", {}, element("tr", {}, element("th", {scope: "col"}, "Model"),
        ...shown.map((column) => element("th", {scope: "col", title: column.meaning},
          titleOf(column, models), element("span", {class: "arrow"}, ` ${arrows[column.best]}`))))),
      element("tbody", {}, ...models.map((model) =>
        element("tr", {class: model.highlight ? "highlight" : undefined}, nameCell(model),
          ...shown.map((column) => cell(model.metrics?.[column.key], column)))))));

  const distance = (column, value) =>
    column.best === "highest" ? -value : column.best === "lowest" ? value : Math.abs(value - 1);

  const comparison = (parent, models) => {
    const shown = columnsOf(models);
    if (shown.length === 0) return;
    // Values that look the same in the table are equally good.
    const best = new Map(shown.map((column) => {
      const values = models.map((model) => model.metrics?.[column.key]?.value).filter(isNumber);
      const ranked = values.map((value) => distance(column, Number(value.toFixed(4))));
      return [column.key, values.length > 1 ? Math.min(...ranked) : undefined];
    }));
    const isBest = (column, value) => isNumber(value) &&
      distance(column, Number(value.toFixed(4))) === best.get(column.key);
    const caption = [report.intervals, models.length > 1 ? "Best value of each column marked." : ""]
      .filter(Boolean).map((text) => text.replace(/\.?$/, ".")).join(" ");
    parent.append(metricTable(models, shown, "Comparison of the models", (metric, column) =>
      element("td", {class: isBest(column, metric?.value) ? "best" : undefined},
        element("span", {class: "value"}, fixed(metric?.value),
          isBest(column, metric?.value) ? element("span", {class: "hidden"}, " (best)") : undefined),
        interval(metric) ? element("small", {}, interval(metric)) : undefined)));
    if (caption) parent.append(element("p", {class: "caption"}, caption));
    parent.append(element("details", {}, element("summary", {}, "What the columns mean"),
      element("dl", {class: "meanings"}, ...shown.flatMap((column) => [
        element("dt", {}, `${titleOf(column, models)} ${arrows[column.best]}`),
        element("dd", {}, column.meaning)]))));
  };

  const differences = (parent, {baseline, models}, compared) => {
    const rows = models.map((model) => {
      const own = compared.find(({name}) => name === model.name);
      const cutoff = own?.metrics?.ndcg_cutoff;
      return {highlight: own?.highlight, ...model,
        metrics: {...(cutoff ? {ndcg_cutoff: cutoff} : {}), ...model.metrics}};
    });
    const shown = columnsOf(rows);
    if (shown.length === 0) return;
    const node = section(parent, "h3", `Difference from ${baseline}`,
      "Both models are scored on the same resamples of the same rows. ▲ better and ▼ worse: the " +
      "interval leaves out zero.");
    const verdict = (metric, column) => {
      if (column.best === "nearest_one" || !interval(metric)) return undefined;
      const sign = metric.low > 0 ? 1 : metric.high < 0 ? -1 : 0;
      return sign === 0 ? undefined : (sign > 0) === (column.best === "highest") ? "better" : "worse";
    };
    node.append(metricTable(rows, shown, `Model minus ${baseline}`, (metric, column) => {
      const judged = verdict(metric, column);
      return element("td", {class: judged},
        element("span", {class: "value"},
          judged ? element("span", {class: "mark", "aria-label": judged}, judged === "better" ? "▲ " : "▼ ") : "",
          isNumber(metric?.value) ? signed(metric.value) : "–"),
        interval(metric) ? element("small", {}, interval(metric, signed)) : undefined);
    }));
  };

  const sliceTable = (buckets, panel) => element("div", {class: "scroll", tabindex: "0"},
    element("table", {class: "metrics", "aria-label": panel.title},
      element("thead", {}, element("tr", {}, element("th", {scope: "col"}, panel.xLabel),
        element("th", {scope: "col"}, "Rows"), element("th", {scope: "col"}, "Members"),
        ...panel.series.map((one) => element("th", {scope: "col", class: "wrap"}, one.name)))),
      element("tbody", {}, ...buckets.map((bucket) => element("tr", {},
        element("th", {scope: "row"}, bucket.label),
        element("td", {}, count(bucket.metrics.rows)), element("td", {}, count(bucket.metrics.groups)),
        ...panel.series.map((one) => {
          const point = one.points.find(({x}) => x === bucket.at);
          const small = point && interval({low: point.low, high: point.high});
          return element("td", {}, element("span", {class: "value"}, fixed(point?.y)),
            small ? element("small", {}, small) : undefined);
        }))))));

  // AUC and GAUC of every model by bucket of one quantity.
  const slices = (parent, models, key, title, about, xLabel) => {
    const sliced = models.filter((model) => model[key]?.length);
    if (sliced.length === 0) return;
    const buckets = [...new Map(sliced.flatMap((model) => model[key])
      .map((slice) => [slice.from, slice])).values()].sort((a, b) => a.from - b.from);
    buckets.forEach((bucket, at) => { bucket.at = at; });
    const ticks = buckets.map(({at, label}) => ({at, label}));
    const at = new Map(buckets.map((bucket) => [bucket.from, bucket.at]));
    const panels = columns.filter((column) => ["auc", "gauc"].includes(column.key)).map((column) => ({
      title: column.title,
      columns: [column.title],
      xLabel,
      ticks,
      series: sliced.map((model) => ({
        name: model.name,
        highlight: model.highlight,
        points: model[key].map(({from, metrics}) => {
          const {value = null, low, high} = metrics[column.key] ?? {};
          return {x: at.get(from), y: value, low, high, cells: [[fixed(value), interval(metrics[column.key])]]};
        }),
      })),
    })).filter((panel) => panel.series.some((one) => one.points.some(({y}) => y !== null)));
    if (panels.length === 0) return;
    const shaded = sliced.some((model) => model.highlight)
      ? "Shaded: the interval of the highlighted model; choose a name below to see another's."
      : "Choose a name below to set a model apart and to shade its interval.";
    const node = section(parent, "h3", title, `${about} ${shaded}`);
    limberCharts.add(node, panels, (x) => {
      const {label, metrics} = buckets[x];
      const members = metrics.groups ? `, ${count(metrics.groups)} members` : "";
      return `${xLabel} ${label}: ${count(metrics.rows)} rows${members}`;
    });
    node.append(element("details", {}, element("summary", {}, "All values as tables"),
      ...panels.flatMap((panel) => [element("h4", {}, panel.title), sliceTable(buckets, panel)])));
  };

  const reliability = (parent, models) => {
    const drawn = models.filter((model) => model.reliability?.some(({observed}) => isNumber(observed)));
    if (drawn.length === 0) return;
    const node = section(parent, "h3", "Reliability",
      "Rows in bins of similar prediction: how often the label was 1, against how often the model " +
      "said it would be. Dashed: perfect calibration; below it the model promises too much.");
    limberCharts.add(node, [{
      title: "Observed rate",
      columns: ["Predicted", "Observed", "Rows"],
      xLabel: "mean predicted probability",
      square: true,
      series: drawn.map((model) => ({
        name: model.name,
        highlight: model.highlight,
        points: model.reliability.filter(({predicted}) => isNumber(predicted)).map((bin) => ({
          x: bin.predicted,
          y: bin.observed,
          cells: [[fixed(bin.predicted)], [fixed(bin.observed)], [count(bin.rows)]],
        })),
      })),
    }], (x) => `Bin nearest ${fixed(x, 2)}`);
  };

  const training = (parent, charts) => {
    const drawable = charts.filter((chart) => chart.series.some((one) => one.points.length));
    if (drawable.length === 0) return;
    const node = section(parent, "h2", "Training");
    const grid = element("div", {class: "grid"});
    node.append(grid);
    for (const chart of drawable) {
      const cell = element("div", {class: "cell"});
      grid.append(cell);
      const xLabel = chart.x_label ?? "step";
      limberCharts.add(cell, [{
        title: chart.y_label ? `${chart.title}: ${chart.y_label}` : chart.title,
        columns: [chart.y_label ?? "value"],
        xLabel,
        series: chart.series.filter((one) => one.points.length).map((one) => ({
          name: one.name,
          points: one.points.map(([x, y]) => ({x, y, cells: [[fixed(y)]]})),
        })),
      }], (x) => `${xLabel} ${count(x)}`);
    }
  };

  const summary = (entries) => element("dl", {class: "summary"}, ...entries.map(({label, value}) =>
    element("div", {}, element("dt", {}, label), element("dd", {}, value))));

  page.replaceChildren();
  page.append(element("header", {}, element("h1", {}, report.title),
    report.lead ? element("p", {class: "lead"}, report.lead) : undefined,
    report.summary?.length ? summary(report.summary) : undefined));
  const protocols = report.protocols ?? [];
  protocols.forEach(({models}) => models.forEach(({name}) => place(name)));
  for (const {name, description, models, differences: paired} of protocols) {
    const node = section(page, "h2", name, description);
    comparison(node, models);
    if (paired) differences(node, paired, models);
    slices(node, models, "support", "By support size",
      "How many of the member's interactions the model had seen when it scored the row.",
      "Support size");
    slices(node, models, "activity", "By member activity",
      "Members in equal parts, from the least to the most active.", "Activity");
    reliability(node, models);
  }
  if (report.training?.length) training(page, report.training);
  if (report.notes?.length) {
    section(page, "h2", "Notes").append(
      element("ul", {class: "notes"}, ...report.notes.map((note) => element("li", {}, note))));
  }
})();
