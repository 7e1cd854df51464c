// The button that prints a certificate.
document.querySelector("[data-print]")?.addEventListener("click", () => print());
