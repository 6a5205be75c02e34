// What a page shows, measured inside the page; tests/browser/looking.py calls these by name.
(() => {
  const visible = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const name = (node) => {
    const tag = node.tagName.toLowerCase() + (node.id ? `#${node.id}` : "") + [...node.classList].map((c) => `.${c}`).join("");
    return `${tag} "${(node.innerText || node.value || node.ariaLabel || "").trim().slice(0, 40)}"`;
  };
  const hidden = (box) => box.width <= 1 || box.height <= 1;

  window.looking = {
    // How far the page is wider than its window.
    sideways: () => document.scrollingElement.scrollWidth - document.documentElement.clientWidth,

    // Elements whose own text is cut off at the side.
    clipped: () => [...document.querySelectorAll("body *")].filter((node) => {
      if (!["hidden", "clip"].includes(getComputedStyle(node).overflowX)) return false;
      if (node.clientWidth <= 1 || node.scrollWidth <= node.clientWidth + 1 || !visible(node)) return false;
      return getComputedStyle(node).textOverflow !== "ellipsis" && node.innerText.trim();
    }).map(name),

    // What is tapped and smaller than 44 px. Links inside running text are as high as the text (WCAG 2.5.8).
    small: () => [...document.querySelectorAll("a[href],button,summary,select,textarea,input:not([type=hidden]),[role=button]")].filter((node) => {
      if (!visible(node) || node.closest("[aria-hidden=true],.skip-link,.skip")) return false;
      if (node.closest(".plot-dot")) return false;  // the table below the plot says the same
      let box = node.getBoundingClientRect();
      if (hidden(box)) return false;
      if (node.matches("a") && getComputedStyle(node).display === "inline") return false;
      // A link may cover all of what it stands in.
      if (getComputedStyle(node, "::after").position === "absolute") box = node.offsetParent.getBoundingClientRect();
      const label = node.labels && node.labels[0];
      if (label && node.matches("[type=checkbox],[type=radio]")) {
        const wide = label.getBoundingClientRect();
        if (wide.height > box.height) box = wide;
      }
      return box.height < 43.5 || box.width < 43.5;
    }).map((node) => `${Math.round(node.getBoundingClientRect().width)}x${Math.round(node.getBoundingClientRect().height)} ${name(node)}`),

    // Texts people read: [text, whether it is "ours", the shop's or a customer's "own", or an "attribute"].
    texts: () => {
      const found = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const own = "bdi,code,pre,kbd,samp,textarea,blockquote,option,script,style,[dir=ltr],.preview-mail,[data-own]";
      const other = (node) => node.closest("[lang]").lang !== document.documentElement.lang;  // a language's own name
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.data.replace(/\s+/g, " ").trim();
        if (text.length > 1 && !other(node.parentElement)) found.push([text, node.parentElement.closest(own) ? "own" : "ours"]);
      }
      for (const node of document.querySelectorAll("[aria-label],[placeholder],[title],[alt],input[type=submit]")) {
        for (const key of ["aria-label", "placeholder", "title", "alt"]) {
          const text = (node.getAttribute(key) || "").trim();
          if (text.length > 1 && !other(node)) found.push([text, "attribute"]);
        }
      }
      found.push([document.title, "attribute"]);
      return found;
    },

    // Where the focus is, and whether one sees it.
    focus: () => {
      const node = document.activeElement;
      if (!node || node === document.body) return null;
      if (node.tagName === "IFRAME") return { name: name(node), number: -1 - Math.random(), ring: true, inside: true };  // its page shows the focus
      const shown = [node, node.nextElementSibling, node.labels && node.labels[0], node.closest("label")].filter(Boolean);
      const ring = shown.some((one) => {
        const style = getComputedStyle(one);
        return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
      });
      const number = [...document.querySelectorAll("*")].indexOf(node);
      return { name: name(node), number, ring, inside: Boolean(node.closest("main")) };
    },

    axe: async (rules) => {
      const isPart = document.body.classList.contains("framed");  // of the shop's own page, which has its heading
      const options = rules ? { runOnly: { type: "rule", values: rules } } :
        { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }, rules: { region: { enabled: false }, "page-has-heading-one": { enabled: !isPart } } };
      const found = await axe.run(document, { ...options, iframes: false, resultTypes: ["violations"] });
      return found.violations.map((one) => [one.id, one.nodes.slice(0, 4).map((node) => `${node.target.join(" ")} | ${node.html.slice(0, 160)} | ${(node.any[0] || node.all[0] || node.none[0] || {}).message || ""}`)]);
    },
  };
})();
