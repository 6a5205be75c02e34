// Small comforts for customers' and cashiers' pages; every page works without them.
(() => {
  "use strict";
  // Copy buttons: [data-copy="what"], shown only where copying works. Those of a share card are share.js's.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (button.closest("[data-share]") || !navigator.clipboard) continue;
    button.hidden = false;
    const label = button.querySelector("[data-copy-label]") || button;
    const before = label.textContent;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(button.dataset.copy).then(() => {
        label.textContent = button.dataset.copied || before;
        setTimeout(() => { label.textContent = before; }, 3000);
      }, () => {});
    });
  }

  // A form is sent once, however often the button is tapped. A page that comes back can be sent again.
  const busy = new Set();
  const free = () => {
    for (const form of busy) {
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
    busy.clear();
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (busy.has(form)) {
      event.preventDefault();
      return;
    }
    busy.add(form);
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    setTimeout(free, 8000);
  });
  window.addEventListener("pageshow", free);

  // After a refusal the first field to mend is at hand.
  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
})();
