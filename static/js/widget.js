// Goodword on the shop's own site: <div data-goodword="banner"></div> becomes a frame as tall as what is in it.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script) return;
  const base = script.src.replace(/\.js([?#].*)?$/, "/"), home = new URL(base).origin;
  // Each kind with the height it most likely has, so that the page jumps little.
  const kinds = { banner: 150, share: 560, testimonials: 380, survey: 620 };
  const frames = new Set();

  const fill = (place) => {
    const kind = place.dataset.goodword;
    if (!kinds[kind] || place.firstElementChild) return;
    const address = new URL(kind + "/", base), visit = new URLSearchParams(location.search).get("visit");
    for (const name of ["lang", "code", "survey"]) {
      if (place.dataset[name]) address.searchParams.set(name, place.dataset[name]);
    }
    if (kind === "banner" && visit) address.searchParams.set("visit", visit);
    const frame = document.createElement("iframe");
    frame.src = address;
    frame.title = place.dataset.title || "Goodword";
    frame.loading = "lazy";
    frame.allow = (navigator.share ? "web-share; " : "") + "clipboard-write";
    frame.referrerPolicy = "no-referrer";
    frame.style.cssText = "display:block;width:100%;border:0;height:" + kinds[kind] + "px";
    // Each page of the frame is greeted, and answers with its height.
    frame.addEventListener("load", () => frame.contentWindow.postMessage("goodword", home));
    frames.add(frame);
    place.append(frame);
  };

  addEventListener("message", (event) => {
    const height = event.data && event.data.goodword;
    if (event.origin !== home || !Number.isFinite(height) || height < 0 || height > 5000) return;
    for (const frame of frames) {
      if (frame.contentWindow === event.source) {
        frame.style.height = height + "px";
        frame.style.display = height ? "block" : "none";
      }
    }
  });

  const start = () => document.querySelectorAll("[data-goodword]").forEach(fill);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
