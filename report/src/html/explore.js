
// Any two figures of the runs against each other, with the Pareto front.
const explore = document.getElementById("explore");
if (explore) {
  const { figures, comparisons } = JSON.parse(explore.querySelector("script").textContent);
  const form = explore.querySelector("form");
  const chart = explore.querySelector(".chart");
  const front = explore.querySelector("[aria-live]");
  const behind = explore.querySelector(".scroll");
  const select = (title, names, chosen) => {
    const label = document.createElement("label");
    const choice = document.createElement("select");
    names.forEach((name, i) => choice.add(new Option(name, i, i === chosen, i === chosen)));
    label.append(title, choice);
    form.append(label);
    choice.addEventListener("change", draw);
    return choice;
  };
  const where = comparisons.length > 1 ? select("Of ", comparisons.map((c) => c.name), 0) : null;
  const names = figures.map((figure) => figure.name);
  const across = select("Across ", names, 1);
  const up = select("Up ", names, 0);
  addEventListener("resize", draw);
  addEventListener("filtered", draw);
  draw();

  function draw() {
    const [fx, fy] = [figures[across.value], figures[up.value]];
    const points = comparisons[where ? where.value : 0].points
      .filter((p) => p.values[across.value] && p.values[up.value] && !isHidden(p.series, p.budget))
      .map((p) => ({ ...p, x: p.values[across.value][0], y: p.values[up.value][0] }));
    const width = Math.max(chart.clientWidth, 300);
    const height = Math.min(560, Math.max(340, width * 0.6));
    const area = { left: 92, right: width - 20, top: 16, bottom: height - 62 };
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
    svg.setAttribute("aria-label", `${fy.name} against ${fx.name}`);
    const x = scale(points.map((p) => p.x), area.left, area.right, fx.unit);
    const y = scale(points.map((p) => p.y), area.bottom, area.top, fy.unit);
    const free = width < 600 ? 3 : 6;
    ticks(x, free).forEach((value) => {
      line(svg, [[x.place(value), area.top], [x.place(value), area.bottom]], "grid");
      text(svg, show(value, fx.unit), x.place(value), area.bottom + 20, "middle");
    });
    ticks(y, 6).forEach((value) => {
      line(svg, [[area.left, y.place(value)], [area.right, y.place(value)]], "grid");
      text(svg, show(value, fy.unit), area.left - 8, y.place(value) + 4, "end");
    });
    text(svg, fx.name, (area.left + area.right) / 2, height - 14, "middle", "name");
    const name = text(svg, fy.name, 0, 0, "middle", "name");
    name.setAttribute("transform", `translate(16 ${(area.top + area.bottom) / 2}) rotate(-90)`);
    const best = pareto(points, fx.more, fy.more);
    const steps = best.flatMap((p, i) => {
      const at = [x.place(p.x), y.place(p.y)];
      return i ? [[at[0], y.place(best[i - 1].y)], at] : [at];
    });
    line(svg, steps, "front");
    for (const p of points) {
      const at = `translate(${x.place(p.x)} ${y.place(p.y)}) scale(6)`;
      const mark = element("polygon", { points: p.shape, fill: p.ink, transform: at });
      const title = element("title", {});
      title.textContent = `${p.label}: ${both(p).join(", ")}`;
      mark.append(title);
      svg.append(mark);
    }
    chart.replaceChildren(svg, legend(points));
    behind.replaceChildren(table(points));
    const told = best.map((p) => `${p.label} (${show(p.x, fx.unit)}, ${show(p.y, fy.unit)})`);
    front.textContent = told.length ? `On the front: ${told.join("; ")}.` : "Nothing to show.";
  }

  // Both figures of a point, with their intervals.
  function both(point) {
    return [across, up].map(({ value }) => {
      const { unit } = figures[value];
      const [mean, half] = point.values[value];
      return half === null ? show(mean, unit) : `${show(mean, unit)} ± ${show(half, unit, 2)}`;
    });
  }

  function table(points) {
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    ["Configuration", names[across.value], names[up.value]].forEach((title, i) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (i) cell.className = "number";
      cell.textContent = title;
      head.append(cell);
    });
    const body = made.createTBody();
    for (const p of points) {
      const row = body.insertRow();
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = p.label;
      row.append(name);
      for (const figure of both(p)) {
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = figure;
      }
    }
    return made;
  }

  // Each series once, with its mark.
  function legend(points) {
    const list = document.createElement("ul");
    for (const p of new Map(points.map((p) => [p.series, p])).values()) {
      const item = document.createElement("li");
      const key = element("svg", { viewBox: "-2 -2 4 4", "aria-hidden": "true" });
      key.append(element("polygon", { points: p.shape, fill: p.ink }));
      item.append(key, p.series);
      list.append(item);
    }
    return list;
  }

  // From the best across to the best up: each next one is worse across and better up.
  function pareto(points, moreAcross, moreUp) {
    const a = (p) => (moreAcross ? -p.x : p.x);
    const b = (p) => (moreUp ? -p.y : p.y);
    let least = Infinity;
    return [...points].sort((p, q) => a(p) - a(q) || b(p) - b(q)).filter((p) => {
      const isBetter = b(p) < least;
      least = Math.min(least, b(p));
      return isBetter;
    });
  }

  // Sizes that differ more than tenfold lie on a logarithmic axis; zero then counts as one.
  function scale(values, from, to, unit) {
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (!values.length) [low, high] = [0, 1];
    const isLog = unit !== "percent" && high > 10 * Math.max(low, 1);
    const forward = isLog ? (v) => Math.log10(Math.max(v, 1)) : (v) => v;
    let [a, b] = [forward(low), forward(high)];
    const room = (b - a || Math.abs(b) || 1) * 0.06;
    [a, b] = [a - room, b + room];
    return { isLog, a, b, place: (v) => from + ((forward(v) - a) / (b - a)) * (to - from) };
  }

  function ticks({ isLog, a, b }, most) {
    if (isLog) {
      const decades = [];
      for (let d = Math.ceil(a); d <= b; d++) decades.push(d);
      const every = Math.ceil(decades.length / most);
      return decades.filter((_, i) => i % every === 0).map((d) => 10 ** d);
    }
    const rough = 10 ** Math.floor(Math.log10((b - a) / most));
    const step = [1, 2, 5, 10].map((d) => d * rough).find((s) => (b - a) / s <= most);
    const values = [];
    for (let i = Math.ceil(a / step); i * step <= b; i++) values.push(i * step);
    return values;
  }

  function show(value, unit, digits = 3) {
    if (unit === "percent") return `${+(value * 100).toFixed(1)} %`;
    if (unit === "plain") return `${+value.toFixed(3)}`;
    if (unit === "seconds") return `${+value.toPrecision(digits)} s`;
    let i = 0;
    for (; value >= 999.5 && i < 4; i++) value /= 1000;
    const number = +value.toPrecision(digits);
    return unit === "bytes" ? `${number} ${["B", "kB", "MB", "GB", "TB"][i]}` : number + ["", "k", "M", "G", "T"][i];
  }

  function element(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function line(svg, points, kind) {
    svg.append(element("polyline", { points: points.join(" "), class: kind }));
  }

  function text(svg, content, x, y, anchor, kind = "tick") {
    const made = element("text", { x, y, "text-anchor": anchor, class: kind });
    made.textContent = content;
    svg.append(made);
    return made;
  }
}
