// Lists with tick boxes: tick all, say how many, and offer the buttons only when there is something to do.
// Without this script the boxes and buttons work as plain form fields.
const boxes = [...document.querySelectorAll(".pick")];
const bar = document.querySelector(".bulk-bar");

if (bar && boxes.length) {
  const all = bar.querySelector("[data-all]");
  const count = bar.querySelector("[data-count]");
  const number = new Intl.NumberFormat(document.documentElement.lang === "fa" ? "fa-IR" : document.documentElement.lang);
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    count.textContent = number.format(ticked);
    all.querySelector("input").checked = ticked === boxes.length;
    bar.style.position = ticked ? "" : "static"; // in nobody's way until it is of use
    for (const button of bar.querySelectorAll("button")) button.disabled = ticked === 0;
  };
  all.hidden = false;
  all.querySelector("input").addEventListener("change", (event) => {
    for (const box of boxes) box.checked = event.target.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  window.addEventListener("pageshow", show); // the back button restores ticks
  show();
}
