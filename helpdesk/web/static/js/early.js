// Runs before the first paint: the style sheets hide what only makes sense with, or without, a script.
document.documentElement.classList.add("js");
