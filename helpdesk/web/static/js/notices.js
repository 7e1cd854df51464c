// The bell: how many notices are unread, asked for while somebody looks; and what the browser itself shows.
// One question for all that a page wants to know every few seconds; nothing is asked of any other host.

const EVERY = 3000;
const SHOWN = "helpdesk-notice";

const bell = document.getElementById("bell");
const state = { since: "", unread: "" };

const popups = () => "Notification" in window && Notification.permission === "granted";
const wanted = () => document.visibilityState === "visible" || popups();

function draw(news) {
  const count = bell.querySelector("[data-count]");
  count.textContent = news.shown;
  count.hidden = news.unread === 0;
  bell.setAttribute("aria-label", news.label);
  bell.title = news.label;
}

// Of several tabs the first shows it; the others find its number taken.
function isTaken(id) {
  try {
    if (Number(localStorage.getItem(SHOWN) ?? 0) >= id) return true;
    localStorage.setItem(SHOWN, String(id));
  } catch {
    return false;
  }
  return false;
}

function isOnScreen(item) {
  return document.visibilityState === "visible" && document.hasFocus() && location.pathname === item.url;
}

function pop(item) {
  if (isTaken(item.id) || isOnScreen(item)) return;
  try {
    const shown = new Notification(item.title, { body: item.text, tag: `helpdesk-${item.id}`, lang: document.documentElement.lang });
    shown.addEventListener("click", () => {
      window.focus();
      location.assign(item.url);
    });
  } catch {
    // Some browsers of phones show them by a service worker only; the bell is there.
  }
}

async function ask() {
  const answer = await fetch(`${bell.dataset.news}?since=${state.since}&unread=${state.unread}`, {
    headers: { Accept: "application/json" },
    redirect: "manual",
  });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return false;
  if (answer.status !== 200) return true;
  const news = await answer.json();
  draw(news);
  Object.assign(state, { since: news.newest, unread: news.unread });
  if (popups()) [...news.items].reverse().forEach(pop);
  return true;
}

async function watch() {
  let goesOn = true;
  try {
    if (wanted()) goesOn = await ask();
  } catch {
    // Offline: asked again.
  }
  if (goesOn) window.setTimeout(watch, EVERY);
}

function offer() {
  const box = document.getElementById("browser-notices");
  if (!box) return;
  const show = () => {
    box.dataset.state = "Notification" in window && window.isSecureContext ? Notification.permission : "missing";
  };
  show();
  box.querySelector("[data-allow-notices]").addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
}

if (bell) {
  watch();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask().catch(() => {});
  });
}
offer();
