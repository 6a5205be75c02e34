// The counter works without this. It adds the camera where the browser can read QR codes by itself, and
// shows what the customer pays while the bill is typed.
(() => {
  "use strict";

  const start = document.querySelector("[data-camera-start]");
  if (start && "BarcodeDetector" in window && navigator.mediaDevices) {
    const box = document.querySelector("[data-camera]");
    const picture = document.querySelector("[data-camera-picture]");
    const code = document.getElementById("code");
    const look = async (detector, stream) => {
      const [found] = await detector.detect(picture).catch(() => []);
      if (!found) return setTimeout(look, 150, detector, stream);
      for (const track of stream.getTracks()) track.stop();
      code.value = found.rawValue;
      code.form.requestSubmit();
    };
    start.hidden = false;
    start.addEventListener("click", async () => {
      try {
        const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        picture.srcObject = stream;
        box.hidden = false;
        start.hidden = true;
        await picture.play();
        look(new BarcodeDetector({ formats: ["qr_code"] }), stream);
      } catch { // no camera, or not allowed: the field is still there
        start.hidden = true;
        code.focus();
      }
    });
  }

  const form = document.querySelector("[data-bill]");
  if (!form) return;
  const total = document.getElementById("total");
  const pay = form.querySelector("[data-redeem]");
  let timer, asked = 0;

  const withAmount = (url) => {
    const changed = new URL(url, location.href);
    changed.searchParams.set("amount", form.elements.amount.value.slice(0, 40));
    return changed;
  };
  const count = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(form.dataset.quote, { method: "POST", body: new FormData(form) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("total");
      if (mine !== asked || !fresh) return;
      const verdict = page.querySelector(".result"), card = total.closest(".result");
      total.replaceChildren(...fresh.childNodes);
      // The tick and the words above the bill may have changed their mind as well.
      if (verdict) {
        card.className = verdict.className;
        card.querySelector(".result-head").replaceWith(verdict.querySelector(".result-head"));
      }
      pay.disabled = !total.querySelector("[name=shown]");
    } catch { // no line: the button asks the server again
      pay.disabled = false;
    }
  };
  form.querySelector("[data-count]").hidden = true;
  form.addEventListener("input", () => {
    // After a login the bill is still there: it travels in the address.
    form.action = withAmount(form.action);
    total.replaceChildren();
    pay.disabled = true;
    clearTimeout(timer);
    if (form.elements.amount.value) timer = setTimeout(count, 300);
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent && event.submitter === pay) event.preventDefault();
    if (event.submitter === pay) form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { delete form.dataset.sent; });
})();
