// Small comforts for customers' and cashiers' pages; every page works without them.
(() => {
  "use strict";
  // Copy buttons: [data-copy="what"], shown only where copying works. Those of a share card come below.
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

  // The share buttons are plain links. This adds the phone's own share sheet, copying, and a note to the shop
  // that a button was tapped.
  const copyOf = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    field.className = "sr-only";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("not copied");
  };

  for (const box of document.querySelectorAll("[data-share]")) {
    const { beacon, url, text, title } = box.dataset;
    const tell = () => { if (beacon && navigator.sendBeacon) navigator.sendBeacon(beacon); };
    for (const link of box.querySelectorAll("[data-share-link]")) link.addEventListener("click", tell);

    const native = box.querySelector("[data-share-native]");
    if (native && navigator.share) {
      native.hidden = false;
      native.addEventListener("click", () => {
        navigator.share({ title, text, url }).then(tell, () => {});
      });
    }

    // The picture goes to the share sheet where files may; else the link downloads it.
    const picture = box.querySelector("[data-share-picture]");
    if (picture && navigator.canShare) {
      picture.addEventListener("click", (event) => {
        event.preventDefault();
        fetch(picture.href).then((answer) => answer.blob()).then((blob) => {
          const files = [new File([blob], "gift.png", { type: "image/png" })];
          if (!navigator.canShare({ files })) throw new Error("no files");
          return navigator.share({ files });
        }).then(tell, (error) => { if (error.name !== "AbortError") location.assign(picture.href); });
      });
    }

    for (const link of box.querySelectorAll('a[href="#qr"]')) {
      link.addEventListener("click", () => { document.getElementById("qr").closest("details").open = true; });
    }

    const copy = box.querySelector("[data-copy]");
    if (copy) {
      copy.closest("[data-copy-item]").hidden = false;
      const label = copy.querySelector("[data-copy-label]");
      const before = label.textContent;
      copy.addEventListener("click", () => {
        copyOf(copy.dataset.copy).then(() => {
          tell();
          label.textContent = copy.dataset.copied;
          setTimeout(() => { label.textContent = before; }, 3000);
        }, () => {});
      });
    }
  }

  // The Persian letters are fetched once the page can be read; on the next page of the visit they are at hand.
  const letters = () => document.documentElement.classList.add("settled");
  let known = "";
  try {
    known = sessionStorage.letters;
    sessionStorage.letters = "1";
  } catch { /* cookies and storage are blocked */ }
  if (known) letters();
  else if ((PerformanceObserver.supportedEntryTypes || []).includes("paint")) {
    new PerformanceObserver(letters).observe({ type: "paint", buffered: true });
  } else addEventListener("load", letters);
})();
