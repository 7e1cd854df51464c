// The palette: Ctrl+K, then words. The arrows choose, Enter goes, Esc closes; the focus stays in the box (ARIA combobox).
const dialog = document.getElementById("palette");
const box = document.getElementById("palette-text");
const list = document.getElementById("palette-list");
const said = document.getElementById("palette-said");
const PAUSE = 90;
let asked = 0;
let shown = 0;
let timer;

const choices = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  if (!option) return box.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", option.id);
}

function move(by) {
  const all = choices();
  if (all.length) choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
}

async function ask() {
  const turn = ++asked;
  const number = document.getElementById("ticket")?.dataset.number ?? "";
  const query = new URLSearchParams({ q: box.value, ...(number && { ticket: number }) });
  try {
    const answer = await fetch(`${dialog.dataset.paletteUrl}?${query}`, { headers: { "HX-Request": "true" } });
    // An older answer may come after a newer one.
    if (!answer.ok || answer.redirected || turn < shown) return;
    shown = turn;
    window.htmx.swap(list, await answer.text(), { swapStyle: "innerHTML" }, { eventInfo: { target: list } });
    choose(choices()[0]);
    said.textContent = choices().length ? said.dataset.some : said.dataset.none;
  } catch {
    // No connection: what is shown stays, and the next letter asks again.
  }
}

function open() {
  if (dialog.open) return;
  box.value = "";
  dialog.showModal();
  box.focus();
  ask();
}

function take(option, apart) {
  if (!option) {
    if (box.value.trim()) location.assign(`${dialog.dataset.searchUrl}?${new URLSearchParams({ q: box.value })}`);
    return;
  }
  if (option.dataset.url) {
    if (apart) window.open(option.dataset.url, "_blank", "noopener");
    else location.assign(option.dataset.url);
    return;
  }
  dialog.close();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: option.dataset.key, bubbles: true, cancelable: true }));
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: (event) => take(shown === asked ? chosen() : null, event.ctrlKey || event.metaKey),
};

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-palette]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  box.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE);
  });
  box.addEventListener("keydown", (event) => {
    // Enter that ends a composition (Chinese, Japanese, Korean) chooses nothing.
    if (event.isComposing || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key](event);
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option, event.ctrlKey || event.metaKey);
  });
  list.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
