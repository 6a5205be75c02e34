// The share buttons are plain links. This adds the phone's own share sheet, copying, and a note to the shop
// that a button was tapped.
(() => {
  "use strict";
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
})();
