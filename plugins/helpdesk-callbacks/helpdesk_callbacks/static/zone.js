// The customer's own time zone, once: the desk only supposed one, and nothing has been typed yet.
const form = document.querySelector("[data-guess-zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const chosen = form?.elements.namedItem("zone");
if (chosen && chosen.value !== own && [...chosen.options].some((option) => option.value === own)) {
  const address = new URL(location.href);
  address.searchParams.set("zone", own);
  location.replace(address);
}
