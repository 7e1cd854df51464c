// Choosing tickets in a list: a box on each row, the bar that appears, ranges.
const boxes = () => [...document.querySelectorAll("[data-rows] [data-choose]")];
let last = null;

function show() {
  const bar = document.querySelector("[data-bulk-bar]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  const all = document.querySelector("[data-choose-all]");
  bar.classList.toggle("on", chosen > 0 || Boolean(all?.checked));
  bar.querySelector("[data-chosen]").textContent = chosen ? bar.dataset.words.replace("0", chosen) : "";
  for (const button of bar.querySelectorAll("[data-bulk-go]")) button.disabled = !chosen && !all?.checked;
}

function mark(box, range) {
  const every = boxes();
  const from = range && last ? every.indexOf(last) : -1;
  const to = every.indexOf(box);
  if (from >= 0) for (const one of every.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
  last = box;
  show();
}

export function select(range) {
  const row = document.activeElement?.closest?.(".trow") ?? document.querySelector("[data-rows] .trow.on") ?? document.querySelector("[data-rows] .trow");
  const box = row?.querySelector("[data-choose]");
  if (!box) return;
  box.checked = range ? true : !box.checked;
  mark(box, range);
}

export function watchList() {
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-choose]");
    if (box) mark(box, event.shiftKey);
    else if (event.target.closest("[data-choose-all]")) show();
    else if (event.target.closest("[data-choose-none]")) {
      for (const one of document.querySelectorAll("[data-choose], [data-choose-all]")) one.checked = false;
      show();
    }
  });
  document.addEventListener("htmx:afterSettle", show);
  // A page that comes back keeps its boxes.
  window.addEventListener("pageshow", show);
  show();
}
