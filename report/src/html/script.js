"use strict";
// Sorts a table by the column whose heading is clicked; what is not known stays at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const isNumber = heading.classList.contains("number");
      const now = heading.getAttribute("aria-sort");
      // The first click shows the largest number, or the first letter, on top.
      const descending = now ? now === "ascending" : isNumber;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sort(table.tBodies[0], column, isNumber, descending ? -1 : 1);
    });
  });
}

function sort(body, column, isNumber, direction) {
  const number = (row) => parseFloat(row.cells[column].dataset.value);
  const text = (row) => row.cells[column].textContent;
  const compare = (a, b) => {
    if (!isNumber) return direction * text(a).localeCompare(text(b), undefined, { numeric: true });
    const [x, y] = [number(a), number(b)];
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return direction * (x - y);
  };
  body.append(...[...body.rows].sort(compare));
}

// Hides what belongs to a method or a budget that is not ticked.
const hidden = { series: new Set(), budget: new Set() };
const isHidden = (series, budget) => hidden.series.has(series) || hidden.budget.has(budget);
const filter = document.getElementById("filter");
if (filter) {
  const owned = [...document.querySelectorAll("[data-series]")];
  const distinct = (key) => [...new Set(owned.map((one) => one.dataset[key]))].filter(Boolean);
  const order = (a, b) => a.localeCompare(b, undefined, { numeric: true });
  const columns = { series: ["Methods", distinct("series")], budget: ["Budgets", distinct("budget").sort(order)] };
  const apply = () => {
    for (const one of owned) {
      one.classList.toggle("gone", isHidden(one.dataset.series, one.dataset.budget));
    }
    dispatchEvent(new Event("filtered"));
  };
  for (const [key, [title, values]] of Object.entries(columns)) {
    const boxes = [];
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = title;
    group.append(legend);
    for (const value of values) {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
      box.addEventListener("change", () => {
        hidden[key][box.checked ? "delete" : "add"](value);
        apply();
      });
      boxes.push(box);
      label.append(box, value);
      group.append(label);
    }
    for (const [name, checked] of [["all", true], ["none", false]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.addEventListener("click", () => {
        for (const box of boxes) box.checked = checked;
        hidden[key] = new Set(checked ? [] : values);
        apply();
      });
      group.append(button);
    }
    if (values.length > 1) filter.lastElementChild.append(group);
  }
  filter.hidden = !filter.lastElementChild.childElementCount;
}
