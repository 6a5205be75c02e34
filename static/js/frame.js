// Tells the page around this frame how tall it is: the shop's own site, and nobody else.
(() => {
  "use strict";
  const parents = new Set([location.origin, ...document.body.dataset.parents.split(" ")]);
  let home = "", before = -1;
  const tell = () => {
    const height = document.body.hasAttribute("data-empty") ? 0 : Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (!home || height === before) return;
    before = height;
    parent.postMessage({ goodword: height }, home);
  };
  addEventListener("message", (event) => {
    if (event.source !== parent || event.data !== "goodword" || !parents.has(event.origin)) return;
    home = event.origin;
    before = -1;
    tell();
  });
  new ResizeObserver(tell).observe(document.body);
})();
