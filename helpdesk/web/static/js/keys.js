// The keyboard: letters do something unless somebody is typing.
import { write } from "./composer.js";

const typing = (element) => element.closest("input, textarea, select, trix-editor, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] .trow > a")];

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row === document.activeElement);
  const from = at >= 0 ? at : all.findIndex((row) => row.getAttribute("aria-current")) - (by > 0 ? 0 : 0);
  const next = Math.min(Math.max(from + by, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function openMenu(id) {
  const summary = document.getElementById(id);
  const menu = summary?.closest("details");
  if (!menu) return;
  menu.open = true;
  window.setTimeout(() => (menu.querySelector(".menu-item, input:not([type=hidden])") ?? summary).focus(), 60);
}

function search() {
  const field = [...document.querySelectorAll("[data-search]")].find((found) => found.offsetParent);
  if (field) field.focus();
  else document.querySelector("#flt-text")?.closest("details")?.setAttribute("open", "");
  if (!field) document.getElementById("flt-text")?.focus();
}

export function showKeys() {
  document.getElementById("keymap")?.showModal();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => write("reply"),
  n: () => write("note"),
  a: () => openMenu("edit-assignee"),
  s: () => openMenu("edit-status"),
  t: () => openMenu("edit-tags"),
  u: () => document.querySelector("[data-close-ticket]")?.click(),
  "/": search,
  "?": showKeys,
};

export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape" && !event.target.closest("details[open]")) event.target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    const action = KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keymap]")) showKeys();
  });
}
