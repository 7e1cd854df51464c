// What "/" at the start of a line and "@" in a note offer: a list that is filtered as one types.
// The combobox pattern of WAI-ARIA 1.2: the focus stays in the text, the list says which entry is meant.

const SLASH = /(?:^|\n)\/([^\n/]{0,40})$/;
const AT = /(?:^|\s)@([^\n@]{0,40})$/;

export class Offers {
  constructor(composer) {
    this.composer = composer;
    this.section = composer.section;
    this.list = document.createElement("ul");
    this.list.id = "composer-offers";
    this.list.className = "canned offers";
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    this.section.querySelector(".cbox").append(this.list);
    this.said = document.createElement("span");
    this.said.className = "visually-hidden";
    this.said.setAttribute("role", "status");
    this.section.querySelector(".cbox").append(this.said);
    this.section.addEventListener("keydown", (event) => this.key(event), true);
    for (const kind of ["trix-selection-change", "trix-change", "input", "click"]) {
      this.section.addEventListener(kind, () => this.look());
    }
    this.section.addEventListener("focusout", (event) => {
      if (!this.section.contains(event.relatedTarget)) this.close();
    });
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option?.id) this.take([...this.list.children].indexOf(option));
    });
    this.section.querySelector("#composer-slash")?.addEventListener("click", () => this.begin());
  }

  get open() {
    return !this.list.hidden;
  }

  // The button: as if "/" had been typed on a line of its own.
  begin() {
    const { before } = this.composer.place();
    this.composer.insert(before && !before.endsWith("\n") ? "\n/" : "/");
    this.look();
  }

  look() {
    const { before } = this.composer.place();
    const slash = SLASH.exec(before);
    const at = !slash && this.composer.mode === "note" && AT.exec(before);
    const found = slash || at;
    if (!found || this.dismissed === found[0]) {
      if (!found) this.dismissed = undefined;
      this.close();
      return;
    }
    this.length = found[1].length + 1;
    const url = `${slash ? this.section.dataset.canned : this.section.dataset.colleagues}?q=${encodeURIComponent(found[1])}`;
    if (this.url === url) return;
    this.url = url;
    this.mark = found[0];
    this.list.setAttribute("aria-label", slash ? this.section.dataset.choices : this.section.dataset.people);
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.load(url), 80);
  }

  async load(url) {
    let answer;
    try {
      answer = await fetch(url, { headers: { Accept: "application/json" } });
    } catch {
      return;
    }
    if (this.url !== url || !answer.ok || answer.redirected) return;
    this.show(await answer.json());
  }

  show(entries) {
    this.entries = entries;
    this.list.replaceChildren(...entries.map((entry, place) => this.option(entry, place)));
    if (!entries.length) {
      const nothing = document.createElement("li");
      nothing.className = "nothing";
      nothing.setAttribute("role", "option");
      nothing.setAttribute("aria-disabled", "true");
      nothing.textContent = this.section.dataset.noneFound;
      this.list.append(nothing);
    }
    this.said.textContent = entries.length ? "" : this.section.dataset.noneFound;
    this.list.hidden = false;
    const field = this.composer.field;
    field.setAttribute("aria-controls", this.list.id);
    field.setAttribute("aria-haspopup", "listbox");
    this.choose(entries.length ? 0 : -1);
  }

  option(entry, place) {
    const item = document.createElement("li");
    item.id = `composer-offer-${place}`;
    item.setAttribute("role", "option");
    const name = document.createElement("b");
    name.textContent = entry.name;
    name.dir = "auto";
    const hint = document.createElement("span");
    hint.textContent = [entry.hint, entry.preview].filter(Boolean).join(" · ");
    hint.dir = "auto";
    item.append(name, hint);
    return item;
  }

  choose(place) {
    this.at = place;
    [...this.list.children].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === place));
      if (index === place) item.scrollIntoView({ block: "nearest" });
    });
    if (place >= 0) this.composer.field.setAttribute("aria-activedescendant", `composer-offer-${place}`);
    else this.composer.field.removeAttribute("aria-activedescendant");
  }

  close() {
    window.clearTimeout(this.timer);
    this.url = undefined;
    if (!this.open) return;
    this.list.hidden = true;
    for (const name of ["aria-activedescendant", "aria-controls", "aria-haspopup"]) {
      this.composer.field.removeAttribute(name);
    }
  }

  key(event) {
    if (!this.open || event.isComposing) return;
    const count = this.entries.length;
    if (event.key === "Escape") {
      this.dismissed = this.mark;
      this.close();
    } else if (event.key === "ArrowDown" && count) this.choose((this.at + 1) % count);
    else if (event.key === "ArrowUp" && count) this.choose((this.at + count - 1) % count);
    else if ((event.key === "Enter" || event.key === "Tab") && count && !event.ctrlKey && !event.metaKey) this.take(this.at);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  async take(place) {
    const entry = this.entries[place];
    const length = this.length;
    this.close();
    if (!entry.url) {
      this.composer.replace(length, `@${entry.name} `);
      return;
    }
    const answer = await fetch(entry.url, { headers: { Accept: "application/json" } }).catch(() => undefined);
    if (!answer?.ok) return;
    const { text, missing } = await answer.json();
    this.composer.replace(length, text);
    this.note(entry.id, missing);
  }

  // For the count of uses, and for whoever sends it.
  note(id, missing) {
    const used = document.createElement("input");
    used.type = "hidden";
    used.name = "canned";
    used.value = id;
    this.composer.form.append(used);
    const line = this.section.querySelector("#composer-missing");
    line.hidden = !missing.length;
    line.querySelector("span").textContent = missing.length
      ? this.section.dataset.missing.replace("{names}", missing.join(", "))
      : "";
  }
}
