// What just happened, at the foot of the screen. A toast leaves by itself unless somebody is on it.

const STAYS = 8000;

function leave(toast) {
  window.setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) leave(toast);
    else toast.remove();
  }, STAYS);
}

export function watchToasts() {
  document.querySelectorAll("[data-toast]").forEach(leave);
}

export function toast(text, action) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const bar = document.createElement("div");
  bar.className = "toastbar";
  bar.dataset.toast = "";
  bar.textContent = text;
  if (action) bar.append(" ", action);
  place.append(bar);
  leave(bar);
}
