// The reply box: the rich editor over a plain textarea, files by paste and drop, a draft that survives.

import { Keeper } from "./drafts.js";
import { harmless } from "./harmless.js";
import { Offers } from "./slash.js";

const DRAFT = "draft:";

function words(form, name) {
  return form.closest(".composer").dataset[name] ?? "";
}

function escaped(text) {
  const holder = document.createElement("div");
  holder.textContent = text;
  return holder.innerHTML.replace(/\n/g, "<br>");
}

function size(bytes) {
  const megabytes = bytes / 1e6;
  const value = megabytes >= 1 ? megabytes.toFixed(1) : Math.ceil(bytes / 1000);
  return `${Number(value).toLocaleString(document.documentElement.lang)} ${megabytes >= 1 ? "MB" : "KB"}`;
}

class Composer {
  constructor(section) {
    this.section = section;
    // Drafts beside it have forms of their own, to be discarded by.
    this.form = section.querySelector("#composer-form");
    this.textarea = section.querySelector("#composer-text");
    this.html = section.querySelector("#composer-html");
    this.upload = section.querySelector("#composer-upload");
    this.list = section.querySelector("#composer-files");
    this.state = section.querySelector("#draft-state");
    this.key = DRAFT + section.dataset.ticket;
    this.files = [];
    this.restore();
    this.edit();
    this.listen();
    this.keeper = new Keeper(this);
    this.offers = new Offers(this);
    section.dataset.editor = "yes";
  }

  get mode() {
    return this.form.elements.mode?.value ?? this.section.querySelector("[name=mode]:checked")?.value ?? "reply";
  }

  get field() {
    return this.editor ?? this.textarea;
  }

  restore() {
    const stored = sessionStorage.getItem(this.key);
    // Somebody wants to begin something beside what is kept.
    if ("empty" in this.section.dataset) return;
    if (!stored || this.textarea.value.trim() || this.html.value.trim()) return;
    const draft = JSON.parse(stored);
    this.html.value = draft.html;
    this.textarea.value = draft.text;
    this.choose(draft.mode);
    // The desk may get the same words only now, from the page that was left: by its form's key they are one draft.
    if (draft.key) this.form.elements.once.value = draft.key;
  }

  edit() {
    if (!customElements.get("trix-editor")) return;
    this.html.value = harmless(this.html.value) || escaped(this.textarea.value);
    this.html.disabled = false;
    this.editor = document.createElement("trix-editor");
    this.editor.id = "composer-editor";
    this.editor.setAttribute("input", "composer-html");
    this.editor.setAttribute("toolbar", "composer-toolbar");
    this.editor.setAttribute("placeholder", this.textarea.placeholder);
    this.editor.setAttribute("aria-label", this.section.querySelector("label[for=composer-text]").textContent);
    this.editor.setAttribute("aria-multiline", "true");
    this.editor.setAttribute("role", "textbox");
    this.editor.setAttribute("dir", "auto");
    this.textarea.after(this.editor);
  }

  listen() {
    const changed = () => this.changed();
    this.textarea.addEventListener("input", changed);
    this.section.addEventListener("trix-change", changed);
    this.section.addEventListener("trix-before-paste", ({ paste }) => {
      if (paste.html) paste.html = harmless(paste.html);
    });
    for (const kind of ["trix-focus", "focusin"]) {
      this.section.addEventListener(kind, (event) => {
        if (event.target === this.editor || event.target === this.textarea) this.visited = true;
      });
    }
    this.section.addEventListener("trix-attributes-change", () => this.pressed());
    this.section.addEventListener("trix-file-accept", (event) => {
      event.preventDefault();
      this.add([event.file]);
    });
    this.upload?.addEventListener("change", () => this.add([...this.upload.files]));
    this.section.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      this.section.querySelector(".cbox").classList.add("drop");
    });
    this.section.addEventListener("dragleave", () => this.section.querySelector(".cbox").classList.remove("drop"));
    this.section.addEventListener("drop", (event) => {
      this.section.querySelector(".cbox").classList.remove("drop");
      if (!event.dataTransfer?.files.length || event.defaultPrevented) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
    this.section.addEventListener("click", (event) => {
      event.target.closest("[data-drop-file]")?.closest("li").remove();
      if (event.target.closest("[data-discard]")) sessionStorage.removeItem(this.key);
    });
    this.section.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.send();
      }
    });
    // Sending may end at the page of the sign-in, before what was typed last is kept.
    this.form.addEventListener("submit", () => this.save());
    this.section.addEventListener("change", (event) => {
      if (event.target.name === "mode") {
        this.changed();
        this.focus();
      }
    });
  }

  changed() {
    if (this.editor?.editor) this.textarea.value = this.editor.editor.getDocument().toString().trimEnd();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), 400);
    this.keeper?.changed();
  }

  save() {
    if (!this.section.isConnected) return;
    if (!this.textarea.value.trim()) {
      sessionStorage.removeItem(this.key);
      this.state.textContent = "";
      return;
    }
    const draft = {
      mode: this.mode,
      html: this.html.value,
      text: this.textarea.value,
      key: this.form.elements.once.value,
    };
    try {
      sessionStorage.setItem(this.key, JSON.stringify(draft));
      this.state.textContent = words(this.form, "draftKept");
    } catch {
      // A text of megabytes does not fit; the desk keeps it.
    }
  }

  pressed() {
    for (const button of this.section.querySelectorAll("[data-trix-attribute]")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("trix-active")));
    }
  }

  add(files) {
    const limit = Number(this.upload.dataset.limit);
    const fit = files.filter((file) => file.size <= limit);
    this.state.textContent = fit.length < files.length ? words(this.form, "tooLarge") : this.state.textContent;
    this.files.push(...fit);
    this.show();
  }

  show() {
    const transfer = new DataTransfer();
    this.files.forEach((file) => transfer.items.add(file));
    this.upload.files = transfer.files;
    this.list.querySelectorAll("[data-chosen]").forEach((item) => item.remove());
    this.files.forEach((file) => this.list.append(this.chip(file)));
  }

  chip(file) {
    const item = document.createElement("li");
    item.className = "chip";
    item.dataset.chosen = "";
    const name = document.createElement("bdi");
    name.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "linklike";
    remove.textContent = "×";
    remove.setAttribute("aria-label", words(this.form, "remove").replace("{name}", file.name));
    remove.addEventListener("click", () => {
      this.files = this.files.filter((other) => other !== file);
      this.show();
    });
    item.append(name, ` ${size(file.size)} `, remove);
    return item;
  }

  choose(mode) {
    const radio = this.section.querySelector(`[name=mode][value="${mode === "note" ? "note" : "reply"}"]`);
    if (radio) radio.checked = true;
  }

  focus() {
    (this.editor ?? this.textarea).focus();
  }

  // Where the cursor is, or was; at the end as long as nobody has been in the editor.
  insert(text) {
    const editor = this.editor?.editor;
    if (editor) {
      const range = editor.getSelectedRange();
      const end = Math.max(0, editor.getDocument().toString().length - 1);
      if (!this.visited || !range) editor.setSelectedRange(end);
      editor.recordUndoEntry("Insert");
      editor.insertString(text);
    } else {
      const { selectionStart, selectionEnd, value } = this.textarea;
      const [from, to] = this.visited ? [selectionStart, selectionEnd] : [value.length, value.length];
      this.textarea.setRangeText(text, from, to, "end");
      this.changed();
    }
    this.visited = true;
    this.focus();
  }

  // Instead of all that stands there; the editor can take it back.
  write(text) {
    const editor = this.editor?.editor;
    if (editor) {
      editor.recordUndoEntry("Insert");
      editor.setSelectedRange([0, Math.max(0, editor.getDocument().toString().length - 1)]);
      editor.insertString(text);
    } else {
      this.textarea.value = text;
      this.changed();
    }
    this.visited = true;
    this.focus();
  }

  // The text in front of the cursor.
  place() {
    const editor = this.editor?.editor;
    if (editor) {
      const [from, to] = editor.getSelectedRange() ?? [0, 0];
      return { before: from === to ? editor.getDocument().toString().slice(0, from) : "" };
    }
    return { before: this.textarea.value.slice(0, this.textarea.selectionStart) };
  }

  // Put a text in the place of so many characters before the cursor.
  replace(length, text) {
    const editor = this.editor?.editor;
    if (editor) {
      const [from] = editor.getSelectedRange();
      editor.recordUndoEntry("Insert");
      editor.setSelectedRange([from - length, from]);
      editor.insertString(text);
    } else {
      const from = this.textarea.selectionStart;
      this.textarea.setRangeText(text, from - length, from, "end");
      this.changed();
    }
    this.focus();
  }

  send() {
    const group = this.section.querySelector(this.mode === "note" ? ".split.for-note" : ".split.for-reply");
    const button = group?.querySelector(".btn[type=submit]");
    // The editor writes what was typed last into its form field with the next frame.
    const next = (then) => window.requestAnimationFrame(() => window.requestAnimationFrame(then));
    if (button) next(() => button.click());
  }
}

let current;

export function enhanceComposer() {
  const section = document.getElementById("composer");
  if (!section?.querySelector("#composer-form") || section.dataset.editor) return;
  current = new Composer(section);
}

export function write(mode) {
  if (!current?.section.isConnected) return;
  current.choose(mode);
  current.focus();
}

export function insertText(text) {
  if (current?.section.isConnected) current.insert(text);
}

export function replaceText(text) {
  if (current?.section.isConnected) current.write(text);
}

export function forgetDraft() {
  if (!current) return;
  window.clearTimeout(current.timer);
  sessionStorage.removeItem(current.key);
}
