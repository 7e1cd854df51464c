// Who else is on this ticket: told and asked every two seconds while the page can be seen.

const EVERY = 2000;
// After so long without a key nobody is writing any more, though text stands in the editor.
const IDLE = 10000;

let number = "";
let typedAt = 0;
let running = false;
let wanted = false;

const ticket = () => document.getElementById("ticket");
const place = () => document.getElementById("here");

function writing() {
  if (Date.now() - typedAt > IDLE) return "";
  return document.querySelector("#composer [name=mode]:checked")?.value ?? "reply";
}

function form(values) {
  const data = new FormData();
  data.append("csrf_token", document.querySelector("#composer-form [name=csrf_token]")?.value ?? "");
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  return data;
}

function show(html) {
  const box = place();
  // Only what is new is put there, so that it is read out once.
  if (!box || box.dataset.shown === html) return;
  box.dataset.shown = html;
  window.htmx.swap(box, html, { swapStyle: "innerHTML" }, { eventInfo: { target: box } });
}

async function tell() {
  const current = ticket();
  const address = current?.dataset.presence;
  if (!address || document.hidden) return;
  if (running) {
    wanted = true;
    return;
  }
  running = true;
  number = current.dataset.number;
  try {
    const answer = await fetch(address, { method: "POST", body: form({ writing: writing() }), redirect: "manual" });
    if (ticket() !== current) return;
    if (answer.ok) show(await answer.text());
    else if (answer.type === "opaqueredirect" || answer.status === 400) signedOut();
  } catch {
    // Without a connection nobody is known to be here; the next round asks again.
    show("");
  } finally {
    running = false;
    if (wanted) {
      wanted = false;
      tell();
    }
  }
}

// The session is over while the page stood open: say so before somebody presses "Send".
function signedOut() {
  const box = place();
  if (!box || box.dataset.shown === "signed-out") return;
  box.dataset.shown = "signed-out";
  box.textContent = document.getElementById("composer")?.dataset.signedOut ?? "";
}

function leave(address) {
  if (address) navigator.sendBeacon(address, form({ leaving: "1" }));
}

export function watchPresence() {
  let last = "";
  window.setInterval(tell, EVERY);
  const changed = () => {
    const address = ticket()?.dataset.presence ?? "";
    if (last && last !== address) leave(last);
    if (last !== address) typedAt = 0;
    last = address;
    tell();
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    if (ticket()?.dataset.number !== number || event.target.id === "pane") changed();
  });
  for (const kind of ["input", "trix-change"]) {
    document.addEventListener(kind, (event) => {
      if (!event.target.closest?.("#composer")) return;
      // What the editor puts in by itself when it begins is not typed.
      if (kind === "trix-change" && document.activeElement !== event.target) return;
      const began = writing() === "";
      typedAt = Date.now();
      if (began) tell();
    });
  }
  document.addEventListener("change", (event) => {
    if (event.target.name === "mode" && writing()) tell();
  });
  document.addEventListener("message-sent", () => {
    typedAt = 0;
    tell();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? leave(ticket()?.dataset.presence) : tell()));
  window.addEventListener("pagehide", () => leave(ticket()?.dataset.presence));
  changed();
}
