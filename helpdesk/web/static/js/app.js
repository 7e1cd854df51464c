// Every page of the team.
import { watchKeys } from "./keys.js";
import { watchMenus } from "./menus.js";
import { keepKeys } from "./once.js";
import { toast, watchToasts } from "./toasts.js";

const words = document.getElementById("words")?.dataset ?? {};

watchMenus();
watchToasts();
watchKeys();
keepKeys();

document.addEventListener("htmx:responseError", (event) => {
  // A part that refreshes by itself tries again by itself.
  if (event.target.hasAttribute?.("data-quiet")) return;
  toast((event.detail.xhr.status === 413 ? words.tooLarge : words.error) ?? "");
});
document.addEventListener("htmx:sendError", (event) => {
  if (event.target.hasAttribute?.("data-quiet")) return;
  toast(words.offline ?? "");
});
// The server may send words along with a part: HX-Trigger: {"toast": "..."}.
document.addEventListener("toast", (event) => toast(event.detail.value ?? ""));
// One that can be undone: the same form stands in the conversation.
document.addEventListener("toast-undo", ({ detail }) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "linklike";
  button.textContent = detail.label;
  button.addEventListener("click", () => document.querySelector(`form[action="${CSS.escape(detail.url)}"] button`)?.click());
  toast(detail.text, button);
});
