// What plugins put into the composer: pages that open below the text, and texts that go to where the cursor is.
import { insertText, replaceText } from "./composer.js";

const pane = () => document.getElementById("composer-tool");
let opener;

function close(refocus) {
  if (!pane() || pane().hidden) return;
  pane().hidden = true;
  document.getElementById("composer-tool-page").replaceChildren();
  opener?.setAttribute("aria-expanded", "false");
  if (refocus) opener?.focus();
}

async function show(link) {
  const again = opener === link && !pane().hidden;
  close(again);
  if (again) return;
  opener = link;
  const page = document.getElementById("composer-tool-page");
  await window.htmx.ajax("GET", link.href, { source: page, target: page, swap: "innerHTML" });
}

// A tool may be a whole page, so that it works without a script; here only its content is shown.
function content(html) {
  const main = new DOMParser().parseFromString(html, "text/html").querySelector("main .sheet, main");
  if (!main) return html;
  main.querySelector(".sheet-head")?.remove();
  return main.innerHTML;
}

export function watchTools() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-tool]");
    if (link && pane() && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      show(link);
    }
    if (event.target.closest("[data-close-tool]")) close(true);
    const source = event.target.closest("[data-insert], [data-insert-from]");
    if (source?.closest("#composer")) {
      event.preventDefault();
      const text = source.dataset.insert ?? document.getElementById(source.dataset.insertFrom)?.value ?? "";
      if ("insertWhole" in source.dataset) replaceText(text);
      else insertText(text);
    }
  });
  document.addEventListener("keydown", (event) => {
    const inPane = pane()?.contains(event.target);
    if (inPane && event.key === "Escape") {
      event.preventDefault();
      close(true);
    }
    if (inPane && event.target.matches("[data-insert][role=button]") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      event.target.click();
    }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "composer-tool-page") event.detail.serverResponse = content(event.detail.serverResponse);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "composer-tool-page" || !pane()) return;
    // Whatever a plugin marked can be reached and pressed from the keyboard.
    for (const place of event.detail.target.querySelectorAll("[data-insert]:not(button, a[href], input)")) {
      place.tabIndex = 0;
      place.setAttribute("role", "button");
    }
    pane().hidden = false;
    document.getElementById("composer-tool-name").textContent = opener.dataset.tool;
    opener.setAttribute("aria-expanded", "true");
    // What had the focus may have gone with the old content.
    event.detail.target.focus();
  });
}
