// The page without a line: code, bill, what they pay, keep it; and what this device holds.

import { discount, lookUp, moment, money, normalise, parseAmount } from "./facts.js";
import { hold, hurdle, all, letGo, newKey } from "./queue.js";
import { check, opened, show, TOLD } from "./line.js";

const form = document.querySelector("[data-offline]");
const part = (name) => document.querySelector(`[data-${name}]`);
const unit = { pattern: form.dataset.pattern, places: Number(form.dataset.places) };
const word = (name, values = {}) => {
  const said = document.querySelector(`[data-word="${name}"]`).textContent;
  return Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, () => value), said);
};
const address = new URLSearchParams(location.search);
let key = /^[2-9a-hjkmnp-z]{20}$/.test(address.get("key") || "") ? address.get("key") : newKey();

const refuse = (name, values) => {
  part("refusal").textContent = name ? word(name, values) : "";
  part("refusal").hidden = !name;
};

const whyUnknown = (facts) => {
  if (facts && !facts.permit) return "not-allowed";
  return facts && moment(facts) !== null ? "unknown" : "no-facts";
};

// What is typed as it stands: the code's gift, the bill, what comes off; or what is in the way.
const look = async (vault) => {
  const facts = await vault.get("facts");
  const code = normalise(form.elements.code.value);
  const offer = code ? await lookUp(facts, code) : null;
  const amount = form.elements.amount.value ? parseAmount(form.elements.amount.value, unit.places) : undefined;
  const off = offer && amount ? discount(offer, amount) : 0;
  const why = !code ? "" : !offer ? whyUnknown(facts)
    : amount === null ? "no-amount" : amount !== undefined && amount < offer.minimum ? "below"
    : hurdle(await all(vault), facts, code, off, offer.again);
  return { facts, code, offer, amount, off, why };
};

const paint = ({ offer, amount, off, why }) => {
  refuse(why, why === "below" ? { amount: money(offer.minimum, unit) } : {});
  part("gives").hidden = !offer;
  if (offer) {
    part("gives").textContent = offer.who ? word("gives-from", { gift: offer.gives, who: offer.who }) : word("gives", { gift: offer.gives });
  }
  const ready = !!offer && Number.isInteger(amount) && amount > 0 && !why;
  part("sum").hidden = !ready;
  part("keep").disabled = !ready;
  if (!ready) return;
  part("sum-bill").textContent = money(amount, unit);
  part("sum-off").textContent = money(-off, unit);
  part("sum-pays").textContent = money(amount - off, unit);
};

const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });

const row = (vault, one) => {
  const copy = part("row").content.cloneNode(true);
  const fill = (name, text) => { copy.querySelector(`[data-row-${name}]`).textContent = text; };
  const isLost = one.state === "lost";
  fill("off", isLost ? word("lost") : word("off", { amount: money(one.discount, unit) }));
  fill("code", isLost ? "" : one.typed.toUpperCase());
  fill("time", isLost ? "" : clock.format(one.givenAt));
  fill("why", isLost ? word("why-lost") : one.why);
  copy.querySelector("[data-row-facts]").hidden = isLost;
  const badge = copy.querySelector("[data-row-state]");
  badge.textContent = word(`state-${isLost ? "refused" : one.state}`);
  badge.classList.add({ held: "wait", done: "good", refused: "bad", lost: "bad" }[one.state]);
  copy.querySelector("li").dataset.state = one.state;
  const ways = { back: one.state === "held" && !one.tried, seen: one.state === "refused" || isLost };
  for (const [name, open] of Object.entries(ways)) {
    const button = copy.querySelector(`[data-row-${name}]`);
    button.hidden = !open;
    button.addEventListener("click", async () => { await letGo(vault, one.key); await show(); });
  }
  return copy;
};

const start = (vault) => {
  let asked = 0, keeping = false;
  const again = async () => {
    const mine = ++asked;
    const found = await look(vault);
    if (mine === asked) paint(found);
  };
  form.addEventListener("input", again);
  const keep = async () => {
    const found = await look(vault);
    paint(found);
    if (part("keep").disabled) {
      if (found.offer) form.elements.amount.focus();
      return;
    }
    const { facts, code, amount, off } = found;
    try {
      await hold(vault, facts, { key, typed: form.elements.code.value, code, amount, discount: off });
    } catch { // the disk is full, or the browser took the store away
      refuse("not-kept");
      return;
    }
    key = newKey();
    history.replaceState(null, "", location.pathname); // a reload does not begin the same one again
    form.reset();
    part("kept").textContent = word("kept", { amount: money(amount - off, unit) });
    part("kept").hidden = false;
    await again();
    await show();
    form.elements.code.focus();
    check();
  };
  // The button may be off while somebody, or a hand scanner, is faster than the look-up: then enter does nothing.
  form.addEventListener("keydown", (event) => {
    const { code, amount } = form.elements;
    if (event.key !== "Enter" || ![code, amount].includes(event.target)) return;
    event.preventDefault();
    if (event.target === code && !amount.value) amount.focus();
    else form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (keeping) return; // a second tap finds nothing to do
    keeping = true;
    await keep().finally(() => { keeping = false; });
  });
  document.addEventListener(TOLD, ({ detail }) => {
    part("held").replaceChildren(...detail.map((one) => row(vault, one)));
    part("none").hidden = detail.length > 0;
  });
  for (const name of ["code", "amount"]) if (address.get(name)) form.elements[name].value = address.get(name).slice(0, 4096);
  again();
  show();
};

opened.then((vault) => {
  if (vault) start(vault);
  else refuse("no-facts");
});
