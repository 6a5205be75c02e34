// The counter's service worker: without a line every page of the counter leads to the one that works without it.
"use strict";
const CACHE = {{ cache|safe }};
const PAGE = {{ page|safe }};
const FIXED = {{ fixed|safe }}; // their addresses change with what is in them
const FRESH = {{ fresh|safe }};
const READER = {{ reader|safe }}; // of QR codes, for browsers that read none by themselves
const PATIENCE = 6000; // milliseconds for which a page may stay silent

const readsByItself = async () =>
  "BarcodeDetector" in self && (await BarcodeDetector.getSupportedFormats()).includes("qr_code");

const keepOnce = async (cache, urls) => {
  for (const url of urls) if (!(await cache.match(url))) await cache.add(url);
};

const keep = async () => {
  const cache = await caches.open(CACHE);
  const fresh = [PAGE, ...FRESH].map((url) => new Request(url, { cache: "reload", redirect: "error" }));
  await cache.addAll(fresh);
  await keepOnce(cache, FIXED);
  const wanted = [PAGE, ...FRESH, ...FIXED, ...READER];
  for (const { url } of await cache.keys()) if (!wanted.includes(new URL(url).pathname)) await cache.delete(url);
  // Large, and the counter works without it: it keeps nobody waiting.
  if (!(await readsByItself().catch(() => false))) await keepOnce(cache, READER).catch(() => {});
};

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
self.addEventListener("message", (event) => event.waitUntil(keep().catch(() => {})));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

const kept = async (url) => (await caches.open(CACHE)).match(url, { ignoreSearch: true });
const inTime = (request) => Promise.race([
  fetch(request),
  new Promise((_, reject) => { setTimeout(reject, PATIENCE, new Error("silent")); }),
]);

const page = async (request) => {
  try {
    // What was posted may have been done: it is not given up before the line says so.
    return await (request.method === "GET" ? inTime(request) : fetch(request));
  } catch {
    const { pathname, search } = new URL(request.url);
    if (pathname === PAGE) return (await kept(PAGE)) || Response.error();
    return Response.redirect(PAGE + search, 303); // the code, its key and the bill come along
  }
};

const fixed = async (request) => (await kept(request.url)) || fetch(request);

const fresh = async (request) => {
  try {
    return await inTime(request);
  } catch {
    return (await kept(request.url)) || Response.error();
  }
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (request.method !== "GET") return;
  else if (FIXED.includes(pathname) || READER.includes(pathname)) event.respondWith(fixed(request));
  else if (FRESH.includes(pathname)) event.respondWith(fresh(request));
});
