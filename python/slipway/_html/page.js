// Sorts a table by the column whose heading is clicked; a second click turns the order round.
"use strict";

for (const table of document.querySelectorAll("table.sorted")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => sortTable(table, headings, column));
  });
}

function sortTable(table, headings, column) {
  const down = headings[column].getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compareCells(a.cells[column], b.cells[column]) * (down ? -1 : 1));
  headings.forEach((heading) => heading.removeAttribute("aria-sort"));
  headings[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows);
}

function compareCells(a, b) {
  if ("order" in a.dataset && "order" in b.dataset) return Number(a.dataset.order) - Number(b.dataset.order);
  return a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
}
