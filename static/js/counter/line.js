// On every page of the counter: says when there is no line and how much is held, sends what is held, and keeps
// what the device may need without a line at hand.

import { Vault } from "./vault.js";
import { all, replay } from "./queue.js";

const EVERY = 30_000;
const FRESH = 30 * 60_000;
const TOLD = "counter:told"; // this page's own news: the list has changed

const line = document.querySelector("[data-line]");
const { slug, whose, replay: replayUrl, facts: factsUrl, worker, home, csrf: csrfCookie } = line.dataset;
const number = (value) => new Intl.NumberFormat(document.documentElement.lang === "fa" ? "fa-IR" : document.documentElement.lang).format(value);
let vault = null, away = !navigator.onLine, locked = false, broken = false, busy = null, again = false;

const csrf = () => {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${csrfCookie}=`));
  return found ? found.slice(csrfCookie.length + 1) : "";
};

const show = async () => {
  const rows = vault ? await all(vault).catch(() => { broken = true; return []; }) : [];
  const waiting = rows.filter((one) => one.state === "held").length;
  const refused = rows.filter((one) => ["refused", "lost"].includes(one.state)).length;
  const facts = { away, locked: !away && locked && waiting, waiting, refused, broken };
  for (const part of line.querySelectorAll("[data-when]")) {
    part.hidden = !facts[part.dataset.when];
    const count = part.querySelector("[data-count]");
    if (count) count.textContent = number(facts[part.dataset.when]);
  }
  line.hidden = !Object.values(facts).some(Boolean);
  document.dispatchEvent(new CustomEvent(TOLD, { detail: rows }));
};

// What the device takes along, when it is old, another's, or was used.
const takeAlong = async (force) => {
  const known = await vault.get("facts");
  if (!force && known && known.whose === whose && Math.abs(Date.now() - known.at) < FRESH) return;
  const answer = await fetch(factsUrl);
  locked = answer.redirected || answer.status === 403 || answer.status === 404;
  if (locked) await vault.drop("facts"); // who is not let in keeps nothing to tell codes by
  if (!answer.ok || answer.redirected) return;
  await vault.put("facts", { ...await answer.json(), whose, at: Date.now() });
  (await navigator.serviceWorker?.getRegistration(home))?.active?.postMessage("renew");
};

const round = async () => {
  away = !navigator.onLine; // then nothing is tried, and what is held may still be taken back
  if (away) return show();
  try {
    const before = (await all(vault)).filter((one) => one.state === "held").length;
    if (!csrf() && before) await takeAlong(true); // it brings the cookie
    const why = await replay(vault, replayUrl, csrf());
    away = why === "line";
    if (why === "" || why === "login") await takeAlong(before > 0 || why === "login"); // it tells whether they are let in
  } catch (error) { // the line went in the middle of it, or what is kept here is out of reach
    if (error instanceof DOMException) broken = true;
    else away = true;
  }
  await show();
};

// One round at a time, in this page and in all tabs of this device; what happens during one asks for one more.
export const check = () => {
  if (busy) again = true;
  busy ??= navigator.locks.request(`counter-${slug}`, round).finally(() => {
    busy = null;
    if (again) check();
    again = false;
  });
  return busy;
};

export const opened = (async () => {
  if (!window.indexedDB || !window.crypto?.subtle || !navigator.locks) return null;
  vault = await Vault.open(slug);
  if ("serviceWorker" in navigator) await navigator.serviceWorker.register(worker, { scope: home }).catch(() => {});
  if (navigator.storage?.persist) navigator.storage.persist().catch(() => {});
  for (const moment of ["online", "focus"]) addEventListener(moment, check);
  addEventListener("offline", () => { away = true; show(); });
  setInterval(check, EVERY);
  return vault;
})().catch(() => { // a private window keeps nothing
  broken = true;
  show();
  return null;
});

opened.then((found) => found && check());
export { show, TOLD };
