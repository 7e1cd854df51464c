// Who goes back to a form finds what was typed, put there by the browser on a page that is loaded anew. The form's key has
// to come back with it, or what was sent already would be sent as something new. Browsers put back what a script has set.
export function keepKeys() {
  document.querySelectorAll("form:has(textarea:not([hidden])) > [name=once]").forEach((field) => {
    field.value = field.value;
  });
}
