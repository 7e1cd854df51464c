// A ticket for a caller: people are chosen by keyboard, and the length of the call runs until somebody writes it.

const form = document.querySelector("form[data-calls]");
const box = form?.querySelector("[name=who]");
const picks = () => [...form.querySelectorAll("[name=requester][type=radio]")];

function pick(radio) {
  radio.checked = true;
  radio.focus();
}

function fromBox(event) {
  if (event.key === "ArrowDown" && picks().length) {
    event.preventDefault();
    pick(picks()[0]);
  }
  // Enter means this person, not that the form is done.
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    const chosen = picks().find((radio) => radio.checked);
    if (chosen || !picks().length) form.querySelector("[name=subject]").focus();
    else pick(picks()[0]);
  }
}

function fromPick(event) {
  if (event.key === "ArrowUp" && event.target === picks()[0]) {
    event.preventDefault();
    box.focus();
  }
  if (event.key === "Enter") {
    event.preventDefault();
    form.querySelector(event.target.value === "new" ? "[name=name]" : "[name=subject]").focus();
  }
}

function watchPeople() {
  form.addEventListener("keydown", (event) => {
    if (event.target === box) fromBox(event);
    else if (event.target.name === "requester") fromPick(event);
  });
}

function written(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

function watchLength() {
  const [length, timed] = ["call", "timed"].map((name) => form.querySelector(`[name=${name}]`));
  if (!length || !timed.value) return;
  // A form that came back goes on from where it was.
  const start = performance.now() - (length.value ? 1000 * length.value.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) : 0);
  const run = () => { length.value = written(Math.floor((performance.now() - start) / 1000)); };
  length.closest(".call-length").classList.add("runs");
  run();
  const clock = setInterval(run, 1000);
  length.addEventListener("input", () => {
    clearInterval(clock);
    timed.value = "";
    length.closest(".call-length").classList.remove("runs");
  });
}

if (form) {
  if (box) watchPeople();
  watchLength();
}
