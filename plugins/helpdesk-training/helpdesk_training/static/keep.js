// Keeps what is typed into a form marked data-keep: it is sent a second after the last key, and again until it arrives.
const PAUSE = 1000, AGAIN = 5000;

for (const form of document.querySelectorAll("form[data-keep]")) {
  const line = form.querySelector("[data-kept]");
  let timer = 0, dirty = false, leaving = false;

  const say = (what) => { if (line) line.textContent = line.dataset[what] ?? ""; };
  const later = (pause) => { clearTimeout(timer); timer = setTimeout(send, pause); };

  async function send() {
    if (leaving || !dirty) return;
    dirty = false;
    say("saving");
    const data = new FormData(form);
    data.append("quiet", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
      if (answer.status !== 204) throw new Error(String(answer.status));
      if (!dirty) say("saved");
    } catch {
      dirty = true;
      say("failed");
      later(AGAIN);
    }
  }

  form.addEventListener("input", () => { dirty = true; later(PAUSE); });
  form.addEventListener("submit", () => { leaving = true; clearTimeout(timer); });
  addEventListener("pagehide", () => {
    if (!dirty || leaving) return;
    const data = new FormData(form);
    data.append("quiet", "1");
    navigator.sendBeacon(form.action, data);
  });
  // A page that the browser brings back: the form may be sent once more.
  addEventListener("pageshow", () => { leaving = false; });
}
