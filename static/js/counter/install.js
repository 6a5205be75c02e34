// Offers to put the counter on this device's first screen, where the browser lets a page ask for it.

const button = document.querySelector("[data-install]");
let asking = null;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  asking = event;
  button.hidden = false;
});
addEventListener("appinstalled", () => { button.hidden = true; });
button.addEventListener("click", () => {
  button.hidden = true;
  asking.prompt();
});
