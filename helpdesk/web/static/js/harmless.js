// HTML from elsewhere (a clipboard, a draft) for the rich editor: what the editor itself writes, and nothing that acts
// or loads. The editor puts what it reads into the page before it cleans it.

const KEPT = new Set("A B BLOCKQUOTE BR CODE DEL DIV EM H1 H2 H3 H4 H5 H6 I LI OL P PRE S STRONG TABLE TD TH TR UL".split(" "));
const WITHOUT_WORDS = new Set("SCRIPT STYLE TEMPLATE NOSCRIPT IFRAME OBJECT HEAD TITLE TEXTAREA SELECT VIDEO AUDIO".split(" "));

export function harmless(html) {
  // Nothing in such a document runs or loads.
  const read = new DOMParser().parseFromString(html, "text/html");
  const written = read.createElement("div");
  copy(read.body, written, read);
  return written.innerHTML;
}

function copy(from, into, owner) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) into.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || WITHOUT_WORDS.has(node.nodeName.toUpperCase())) continue;
    // Of other elements the words alone stay; those of SVG and MathML have small names.
    if (!KEPT.has(node.nodeName)) {
      copy(node, into, owner);
      continue;
    }
    const element = owner.createElement(node.nodeName);
    if (node.nodeName === "A" && /^(https?|mailto):/i.test(node.getAttribute("href") ?? "")) {
      element.setAttribute("href", node.getAttribute("href"));
    }
    copy(node, element, owner);
    into.append(element);
  }
}
