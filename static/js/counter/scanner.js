// A hand scanner is a keyboard that types a code and the enter key, wherever the last tap was: what nobody's field
// takes goes to the field of codes, and on a page without one it is the next customer's.

const { quote } = document.querySelector("[data-line]").dataset;
let typed = "";

document.addEventListener("keydown", (event) => {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.getElementById("code");
  const isCharacter = event.key.length === 1;
  if (field) {
    if (isCharacter) field.focus(); // in time to take this one too
  } else if (isCharacter) {
    typed += event.key;
  } else if (event.key === "Enter" && typed) {
    location.assign(`${quote}?code=${encodeURIComponent(typed)}`);
  }
});
