// The keyboard: letters do something unless somebody is typing.
import { write } from "./composer.js";
import { select } from "./list.js";

const typing = (element) => element.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, trix-editor, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] .trow > a")];

function move(by) {
  const all = rows();
  if (!all.length) return;
  const here = document.activeElement?.closest(".trow");
  const at = all.findIndex((row) => row.parentElement === here);
  const from = at >= 0 ? at : all.findIndex((row) => row.getAttribute("aria-current"));
  const next = Math.min(Math.max(from + by, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function openMenu(id) {
  const summary = document.getElementById(id);
  const menu = summary?.closest("details");
  if (!menu) return;
  menu.open = true;
  const begin = () => (menu.querySelector(".menu-item, input:not([type=hidden])") ?? summary).focus();
  window.setTimeout(begin, 60);
  // What is loaded when it opens takes the place of what was there, and the focus with it.
  menu.addEventListener("htmx:afterSettle", begin, { once: true });
}

function search() {
  const field = [...document.querySelectorAll("[data-search]")].find((found) => found.offsetParent);
  if (field) field.focus();
  else document.querySelector("[data-palette]")?.click();
}

// What was done last and can be taken back: its toast says so, or the ticket.
function undo() {
  const ways = ["#toasts .toastbar:last-child :is(button, a)", "#conv [data-undo-send]", "#ticket [data-undo]"];
  for (const way of ways) {
    const last = [...document.querySelectorAll(way)].pop();
    if (!last) continue;
    last.click();
    return;
  }
}

export function showKeys() {
  document.getElementById("keymap")?.showModal();
}

const SWITCH = "helpdesk-keys-off";
const ACTS = {
  down: () => move(1),
  up: () => move(-1),
  reply: () => write("reply"),
  note: () => write("note"),
  close: () => document.querySelector("[data-close-ticket]")?.click(),
  select: () => select(false),
  "select-to": () => select(true),
  bulk: () => document.querySelector("[data-bulk-go]:not([disabled])")?.click(),
  merge: () => document.querySelector("[data-bulk-merge]:not([disabled])")?.click(),
  undo,
  search,
  keys: showKeys,
};

// The map is the table: what a key does stands beside it.
function table() {
  const found = new Map();
  for (const entry of document.querySelectorAll("#keymap [data-key]")) found.set(entry.dataset.key, entry.dataset.act);
  return found;
}

function act(name) {
  if (name.startsWith("menu:")) openMenu(name.slice(5));
  else if (name.startsWith("/")) window.location.assign(name);
  else ACTS[name]?.();
}

const isOff = () => {
  try {
    return window.localStorage.getItem(SWITCH) === "1";
  } catch {
    return false;
  }
};

function watchSwitch() {
  const box = document.querySelector("[data-keys-switch]");
  if (!box) return;
  box.checked = !isOff();
  box.addEventListener("change", () => {
    try {
      window.localStorage.setItem(SWITCH, box.checked ? "" : "1");
    } catch {
      // Without storage it counts for this page.
    }
  });
}

export function watchKeys() {
  const keys = table();
  const firsts = new Set([...keys.keys()].filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]));
  let first = "";
  watchSwitch();
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape" && !event.target.closest("details[open]")) event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]") || (isOff() && event.key !== "?")) return;
    if (event.key === "Shift") return;
    const name = keys.get(first ? `${first} ${event.key}` : event.key);
    const begins = !first && firsts.has(event.key);
    first = begins ? event.key : "";
    if (name) act(name);
    if (name || begins) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keymap]")) showKeys();
  });
}
