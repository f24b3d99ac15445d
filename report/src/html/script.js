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
