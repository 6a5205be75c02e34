// In an editor: the page beside the form keeps its place when it is drawn anew, and nothing typed is left behind unasked.
(() => {
  "use strict";
  const form = document.querySelector("form[data-editor]");
  if (!form) return;

  // Where each frame was scrolled to, by what it shows. A load does not bubble, so it is caught on its way down.
  const places = new Map();
  const remember = (frame) => {
    const page = frame.contentWindow;
    page.scrollTo(0, places.get(frame.title) || 0);
    page.addEventListener("scroll", () => places.set(frame.title, page.scrollY), { passive: true });
  };
  document.addEventListener("load", (event) => {
    if (event.target.matches && event.target.matches("iframe.preview-page")) remember(event.target);
  }, true);
  document.querySelectorAll("iframe.preview-page").forEach((frame) => {
    if (frame.contentDocument && frame.contentDocument.readyState === "complete") remember(frame);
  });

  // What is only looked at (language, whose page) is nothing to lose.
  const seen = new Set(["language", "view", "bare", "margin", "phone"]);
  let isTyped = form.hasAttribute("data-typed");
  const note = (event) => {
    const field = event.target;
    if (field.form === form && !seen.has(field.name)) isTyped = true;
  };
  document.addEventListener("input", note);
  document.addEventListener("change", note);
  document.addEventListener("submit", (event) => {
    if (event.target === form && !event.defaultPrevented && !(event.submitter && event.submitter.formTarget)) isTyped = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (isTyped) event.preventDefault();
  });
})();
