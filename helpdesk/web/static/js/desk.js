// The panes of the desk: a click in the list opens the ticket beside it and the list stays where it is.
import { enhanceComposer, forgetDraft } from "./composer.js";
import { watchPresence } from "./presence.js";
import { watchList } from "./list.js";
import { watchTools } from "./tools.js";

watchTools();
watchList();
watchPresence();

const panes = () => document.getElementById("panes");
const conversation = () => document.getElementById("conv");

function toEnd() {
  const box = conversation();
  if (!box) return;
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && box.contains(target)) target.scrollIntoView();
  else box.scrollTop = box.scrollHeight;
}

function markRow(number) {
  for (const row of document.querySelectorAll("[data-rows] .trow")) {
    const on = row.dataset.ticket === number;
    row.classList.toggle("on", on);
    const link = row.querySelector("a");
    if (on) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (on) {
      row.classList.remove("unread");
      row.querySelector(".unread-word")?.remove();
    }
  }
}

function opened() {
  const ticket = document.getElementById("ticket");
  if (!ticket?.dataset.number) return;
  panes().dataset.pane = "ticket";
  markRow(ticket.dataset.number);
  enhanceComposer();
  toEnd();
}

function closed(link) {
  const list = document.querySelector("[data-rows]");
  if (!list) return false;
  const row = list.querySelector(".trow.on > a");
  panes().dataset.pane = "list";
  markRow("");
  history.pushState({}, "", link.href);
  document.getElementById("pane").replaceChildren();
  row?.focus();
  return true;
}

function refreshRow() {
  const row = document.querySelector("[data-rows] .trow.on");
  const list = document.getElementById("list");
  if (!row || !list?.dataset.view) return;
  const url = `${list.dataset.row.replace("/0/", `/${row.dataset.ticket}/`)}?view=${encodeURIComponent(list.dataset.view)}`;
  window.htmx.ajax("GET", url, { target: row, swap: "outerHTML", source: row });
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "pane" || event.detail.target?.id === "pane") opened();
  if (event.detail.target?.id === "list") markRow(document.getElementById("ticket")?.dataset.number ?? "");
  enhanceComposer();
});
// The conversation anew, because somebody asked for it: stay at its end.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "conv") toEnd();
});
// The list's own count stands beside its name as well.
function copyCount() {
  const place = document.querySelector("[data-count-of]");
  const count = place && document.getElementById(place.dataset.countOf);
  if (count) place.textContent = count.textContent;
}
document.addEventListener("htmx:oobAfterSwap", copyCount);
document.addEventListener("htmx:load", copyCount);
document.addEventListener("message-sent", forgetDraft);
document.addEventListener("list-changed", () => window.setTimeout(refreshRow, 0));
document.addEventListener("click", (event) => {
  const drawer = document.querySelector(".views:target, .side:target");
  if (drawer && !drawer.contains(event.target) && getComputedStyle(drawer).position === "fixed") {
    event.preventDefault();
    drawer.querySelector(".pane-close").click();
    return;
  }
  const link = event.target.closest("[data-close-ticket]");
  if (link && !event.ctrlKey && !event.metaKey && closed(link)) event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector(".views:target .pane-close, .side:target .pane-close")?.click();
});
// The editor is loaded after the page: take over when it is there.
if (customElements.get("trix-editor")) opened();
else customElements.whenDefined("trix-editor").then(opened);
