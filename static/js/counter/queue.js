// Codes redeemed without a line. Each is held under a key of its own, which names the redemption that is to come
// of it: however often it is sent, it counts once.

import { bare, moment } from "./facts.js";

const ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";
const KEPT = 24 * 3600 * 1000; // how long what is done stays in the list
const FINAL = [200, 400, 422];
const HELD = "held:";

export const newKey = () => {
  let key = "";
  while (key.length < 20) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 248) key += ALPHABET[byte % 31]; // 248 is 8 x 31: every letter is as likely
  }
  return key;
};

// Everything, the newest first. What cannot be read any more is "lost": something was given, nobody knows what.
export const all = async (vault) => {
  const found = [];
  for (const name of await vault.names(HELD)) {
    const one = await vault.get(name);
    found.push(one === undefined ? { key: name.slice(HELD.length), state: "lost", givenAt: 0 } : one);
  }
  return found.filter(Boolean).sort((one, other) => other.givenAt - one.givenAt);
};

// Why one more may not be held, a word's name; "" where it may.
export const hurdle = (held, facts, code, discount, again) => {
  const waiting = held.filter((one) => one.state === "held");
  const taken = waiting.reduce((sum, one) => sum + one.discount, 0);
  if (!again && held.some((one) => one.code === code && one.state !== "refused")) return "again";
  if (waiting.length >= facts.most_held) return "full";
  if (facts.most_minor !== null && taken + discount > facts.most_minor) return "too-much";
  return "";
};

export const hold = (vault, facts, { key, typed, code, amount, discount }) => vault.put(HELD + key, {
  key, typed: bare(typed).slice(0, 40), code, amount, discount,
  permit: facts.permit, givenAt: moment(facts), state: "held", why: "", tried: false,
});

// Take one back before anybody has tried to send it, or put away one whose answer was read.
export const letGo = (vault, key) =>
  vault.change(HELD + key, (one) => (one?.state === "held" && one.tried ? undefined : null));

const post = (url, csrf, one) => fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
  body: JSON.stringify({
    key: one.key, code: one.code, amount: one.amount, discount: one.discount, permit: one.permit, given_at: one.givenAt,
  }),
});

// Send what is held, the oldest first: "" when all was tried, else what stopped it: "line", "login" or "busy".
export const replay = async (vault, url, csrf) => {
  for (const { key, state, endedAt } of (await all(vault)).reverse()) {
    // By this device's clock, whatever that says; `givenAt` is by the server's.
    if (state === "done" && Math.abs(Date.now() - (endedAt ?? 0)) > KEPT) await vault.drop(HELD + key);
    // It may have been taken back meanwhile: it is claimed before it goes out.
    const one = await vault.change(HELD + key, (now) => (now?.state === "held" ? { ...now, tried: true } : undefined));
    if (!one) continue;
    let answer;
    try {
      answer = await post(url, csrf, one);
    } catch {
      return "line";
    }
    if (answer.redirected || answer.status === 403 || answer.status === 404) return "login";
    if (answer.status === 429) return "busy";
    if (!FINAL.includes(answer.status)) continue; // this one made the server stumble: the others need not wait for it
    const told = await answer.json();
    await vault.change(HELD + key, (now) => now && { ...now, state: told.state, why: told.why, endedAt: Date.now() });
  }
  return "";
};
