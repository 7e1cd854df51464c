// The arrow keys go from call to call: up and down within a day, to the sides to the nearest hour of another day.
const week = document.querySelector("[data-week]");
const days = week ? [...week.querySelectorAll(".week-day")].map((day) => [...day.querySelectorAll(".entry")]) : [];
const sides = document.documentElement.dir === "rtl" ? { ArrowLeft: 1, ArrowRight: -1 } : { ArrowLeft: -1, ArrowRight: 1 };

function beside(entry, day, step) {
  const row = entry.getBoundingClientRect().top;
  for (let next = day + step; next >= 0 && next < days.length; next += step) {
    if (days[next].length) {
      return days[next].reduce((best, one) =>
        Math.abs(one.getBoundingClientRect().top - row) < Math.abs(best.getBoundingClientRect().top - row) ? one : best);
    }
  }
  return null;
}

week?.addEventListener("keydown", (event) => {
  const entry = event.target.closest(".entry");
  const day = days.findIndex((entries) => entries.includes(entry));
  if (day < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const place = days[day].indexOf(entry);
  const target = { ArrowUp: days[day][place - 1], ArrowDown: days[day][place + 1] }[event.key]
    ?? (sides[event.key] ? beside(entry, day, sides[event.key]) : null);
  if (!target) return;
  event.preventDefault();
  target.focus();
});
