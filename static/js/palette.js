// Quick search over any page: "/" or Ctrl+K opens it, arrows choose, Enter goes. Without script its link is a page.
(function () {
  "use strict";
  var opener = document.querySelector("[data-palette]");
  var dialog = document.getElementById("palette");
  if (!opener || !dialog || !dialog.showModal) return;
  var input = dialog.querySelector("input");
  var list = dialog.querySelector("[role=listbox]");
  var address = opener.getAttribute("href");
  var chosen = -1;
  var timer = 0;
  var asked = 0;

  function options() { return list.querySelectorAll("[role=option]"); }

  function choose(number) {
    var all = options();
    chosen = all.length ? (number + all.length) % all.length : -1;
    all.forEach(function (option, index) {
      option.setAttribute("aria-selected", String(index === chosen));
      if (index === chosen) option.scrollIntoView({ block: "nearest" });
    });
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", all[chosen].id);
  }

  function go(option) {
    if (option) location.assign(option.dataset.url);
  }

  // The answer to the last letter counts, in whatever order the answers come.
  function look() {
    var mine = ++asked;
    var query = new URLSearchParams({ list: "1", q: input.value });
    fetch(address + "?" + query, { headers: { Accept: "text/html" } }).then(function (answer) {
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      return answer.text();
    }).then(function (text) {
      if (mine !== asked) return;
      list.innerHTML = text;
      choose(0);
    }).catch(function () {
      if (mine === asked) location.assign(address + "?" + new URLSearchParams({ q: input.value }));
    });
  }

  function open() {
    if (dialog.open) return;
    dialog.showModal();
    input.value = "";
    list.textContent = "";
    chosen = -1;
    look();
  }

  function isTyping(node) {
    return node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName);
  }

  opener.addEventListener("click", function (event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", function (event) {
    var isK = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
    var isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
    if (!isK && !isSlash) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(look, 120);
  });
  input.addEventListener("keydown", function (event) {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen >= 0) go(options()[chosen]);
    }
  });
  list.addEventListener("click", function (event) { go(event.target.closest("[role=option]")); });
  dialog.addEventListener("click", function (event) { if (event.target === dialog) dialog.close(); });
})();
