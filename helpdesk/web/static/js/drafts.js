// What somebody types is kept by the desk a second after the last key, and in this browser where the desk cannot be asked.

const SILENCE = 1000;

export class Keeper {
  constructor(composer) {
    this.composer = composer;
    this.section = composer.section;
    this.last = this.words();
    window.addEventListener("pagehide", () => this.leave());
    this.section.addEventListener("focusout", (event) => {
      if (!this.section.contains(event.relatedTarget)) this.keep();
    });
    composer.form.addEventListener("submit", () => this.stop());
  }

  // What a draft is made of: without the files that are still to be sent.
  words() {
    const { form, mode, textarea, html } = this.composer;
    const kept = [...form.querySelectorAll("[name=kept]:checked")].map((field) => field.value);
    return JSON.stringify([mode, textarea.value, html.disabled ? "" : html.value, kept]);
  }

  changed() {
    window.clearTimeout(this.timer);
    if (!this.stopped) this.timer = window.setTimeout(() => this.keep(), SILENCE);
  }

  stop() {
    this.stopped = true;
    window.clearTimeout(this.timer);
    this.running?.abort();
    // The form came back, or was not sent: go on.
    window.setTimeout(() => (this.stopped = false), 5000);
  }

  form() {
    const data = new FormData(this.composer.form);
    data.delete("files");
    return data;
  }

  async keep() {
    window.clearTimeout(this.timer);
    const words = this.words();
    if (this.stopped || words === this.last || !this.section.isConnected) return;
    if (this.running) {
      this.changed();
      return;
    }
    this.running = new AbortController();
    try {
      const answer = await fetch(this.section.dataset.save, {
        method: "POST",
        body: this.form(),
        headers: { Accept: "application/json" },
        signal: this.running.signal,
      });
      await this.kept(answer, words);
    } catch {
      // No connection: it is in this browser, and sent with the next key.
    }
    this.running = undefined;
  }

  async kept(answer, words) {
    const json = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (answer.ok && !answer.redirected && "draft" in json) {
      this.last = words;
      this.section.querySelector("#composer-draft").value = json.draft ?? "";
      this.composer.state.textContent = json.draft ? this.section.dataset.draftSaved : "";
    } else if (answer.redirected || answer.status === 401 || answer.status === 400) {
      this.composer.state.textContent = this.section.dataset.signedOut;
    } else if (json.problem) this.composer.state.textContent = json.problem;
  }

  leave() {
    if (this.stopped || !this.section.isConnected || this.words() === this.last) return;
    const body = new URLSearchParams();
    for (const [name, value] of this.form()) body.append(name, value);
    // More than this browsers do not take on the way out; it is in this browser all the same.
    if (body.toString().length > 60000) return;
    fetch(this.section.dataset.save, { method: "POST", body, headers: { Accept: "application/json" }, keepalive: true });
  }
}
