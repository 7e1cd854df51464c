// Menus are <details data-menu>: they open without a script; this closes them when the reader goes elsewhere.

const open = () => document.querySelectorAll("details[data-menu][open]");

function close(menu, refocus) {
  menu.open = false;
  if (refocus) menu.querySelector("summary")?.focus();
}

function items(menu) {
  return [...menu.querySelectorAll(".menu-item, .menu-pop input:not([type=hidden]), .menu-pop select, .menu-pop .btn")].filter((item) => item.offsetParent);
}

function step(menu, by) {
  const all = items(menu);
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  all[(at + by + all.length) % all.length].focus();
}

// A menu that would leave the window opens towards the other side.
function place(menu) {
  menu.classList.remove("menu-flip");
  const box = menu.querySelector(".menu-pop")?.getBoundingClientRect();
  if (box && (box.right > window.innerWidth || box.left < 0)) menu.classList.add("menu-flip");
}

export function watchMenus() {
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-menu][open]")) place(event.target);
  }, true);
  // What was chosen in a menu is done: the menu has served.
  document.addEventListener("htmx:afterRequest", (event) => {
    const menu = event.target.closest?.("form")?.closest("details[data-menu][open]");
    if (menu) close(menu, true);
  });
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) close(menu, false);
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) close(menu, false);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details[data-menu][open]") ?? open()[0];
    if (!menu) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close(menu, true);
    }
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (!typing && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      step(menu, event.key === "ArrowDown" ? 1 : -1);
    }
  });
}
