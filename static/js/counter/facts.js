// What a code gives, told without a line from what the server told ahead; and amounts as people write them.
// normalise, parseAmount and discount do what stores/codes.py, stores/l10n.py and rewards/rules.py do.

const DIGITS = [0x06f0, 0x0660, 0xff10];

export const foldDigits = (text) => text.replace(/[۰-۹٠-٩０-９]/g, (one) => {
  const start = DIGITS.find((first) => one.charCodeAt(0) >= first && one.charCodeAt(0) < first + 10);
  return String(one.charCodeAt(0) - start);
});

// The code out of a link that was scanned, as it is written.
export const bare = (typed) => {
  const text = typed.slice(0, 4096).trim();
  return text.includes("/") ? text.split("?")[0].split("#")[0].replace(/\/+$/, "").split("/").pop() : text;
};

export const normalise = (typed) => {
  const plain = foldDigits(bare(typed)).toUpperCase().replace(/[^0-9A-Z]/g, "");
  return plain.replace(/O/g, "0").replace(/[IL]/g, "1").slice(0, 40);
};

export const hashed = async (salt, code) => {
  const whole = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${salt}:${code}`));
  const text = btoa(String.fromCharCode(...new Uint8Array(whole).slice(0, 12)));
  return text.replace(/\+/g, "-").replace(/\//g, "_");
};

const SLACK = 5 * 60_000; // by so much a clock may be set back when it is set right

// When it is, in milliseconds as the server counts: from when the list was made, by as much as this device's clock
// went on since. So a wrong clock does no harm. Null when the list has ended, or the clock was set back since.
export const moment = (facts) => {
  const passed = Date.now() - facts.at;
  if (passed < -SLACK || passed > (facts.until - facts.issued) * 1000) return null;
  return facts.issued * 1000 + Math.max(0, passed);
};

// What the code gives, or null for one that cannot be told without a line.
export const lookUp = async (facts, code) => {
  if (!facts || !facts.permit || moment(facts) === null) return null;
  const told = facts.codes[await hashed(facts.salt, code)];
  return told ? { ...facts.offers[told.offer], who: told.who || "", cap: told.most ?? null, again: !!told.again } : null;
};

export const discount = (offer, amount) => {
  const worth = offer.percent === null ? offer.amount : Math.floor(amount * offer.percent / 100);
  return Math.min(...[worth, amount, offer.most, offer.cap].filter((one) => one !== null && one !== undefined));
};

// Minor units of what somebody typed; null where it is no amount.
export const parseAmount = (typed, places) => {
  let text = foldDigits(typed).trim().replace(/٫/g, ".").replace(/[٬،]/g, ",");
  text = text.replace(/(?<=\d)[ '’](?=\d{3})/g, "");
  const marks = [...text].filter((one) => one === "." || one === ",");
  const last = marks[marks.length - 1];
  let decimal = marks.filter((one) => one === last).length === 1 ? last : "";
  if (decimal === "," && marks.length === 1 && text.length - text.lastIndexOf(",") === 4) decimal = "";
  const at = decimal ? text.lastIndexOf(decimal) : text.length;
  const whole = text.slice(0, at).replace(/\./g, ",");
  const fraction = text.slice(at + 1);
  const grouped = /^\d{1,3}(,\d{2,3})*,\d{3}$/.test(whole) || /^\d+$/.test(whole) || (!whole && fraction);
  if (!grouped || !/^\d*$/.test(fraction)) return null;
  if (fraction.length > places && (/[1-9]/.test(fraction) || fraction.length === 3)) return null;
  const minor = Number(whole.replace(/,/g, "") + fraction.slice(0, places).padEnd(places, "0"));
  return Number.isSafeInteger(minor) && minor <= 1e13 ? minor : null;
};

// An amount in words people pay with; `pattern` is nothing at all in those words: "₱0", "۰ تومان".
export const money = (minor, { pattern, places }) => {
  const tag = document.documentElement.lang === "fa" ? "fa-IR" : document.documentElement.lang;
  const units = Math.abs(minor) / 10 ** places;
  const shown = Number.isInteger(units) ? 0 : places;
  const number = new Intl.NumberFormat(tag, { minimumFractionDigits: shown, maximumFractionDigits: shown }).format(units);
  return (minor < 0 ? "\u200e−" : "") + pattern.replace(/[0۰]/, () => number);
};
