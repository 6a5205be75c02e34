// The counter works without this. It shows what the customer pays while the bill is typed.
(() => {
  "use strict";

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
  // The total comes by itself: the enter key of the bill, or of a hand scanner, is the other button's.
  Object.assign(form.querySelector("[data-count]"), { hidden: true, type: "button" });
  const changed = () => {
    // After a login the bill is still there: it travels in the address.
    form.action = withAmount(form.action);
    total.replaceChildren();
    pay.disabled = true;
    clearTimeout(timer);
    if (form.elements.amount.value) timer = setTimeout(count, 300);
  };
  form.addEventListener("input", changed);
  // Quick hands type before this is there; and a browser brings back what stood in the box.
  if (form.elements.amount.value !== form.elements.amount.defaultValue) changed();
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent && event.submitter === pay) event.preventDefault();
    if (event.submitter === pay) form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { delete form.dataset.sent; });
})();
