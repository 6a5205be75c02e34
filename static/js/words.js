// In the editor of words: a press on a field writes it where one was writing.
(() => {
  "use strict";
  let last = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-words]")) last = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const open = last && last.offsetParent ? last : [...document.querySelectorAll("textarea[data-words]")].find((one) => one.offsetParent);
    if (!open) return;
    open.focus();
    open.setRangeText(button.dataset.insert, open.selectionStart, open.selectionEnd, "end");
    open.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
