// A new store's address follows its name until somebody types one. Without this script the server makes it.
const form = document.querySelector("[data-suggest-slug]");

if (form) {
  const slug = form.elements.namedItem("slug");
  let own = slug.value !== "";
  slug.addEventListener("input", () => {
    own = slug.value !== "";
  });
  form.elements.namedItem("name").addEventListener("input", (event) => {
    if (own) return;
    const plain = event.target.value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
    slug.value = plain.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  });
}

// The browser knows where it is.
if (form) {
  const zone = form.elements.namedItem("timezone");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone.value === "UTC" && [...zone.options].some((option) => option.value === here)) zone.value = here;
}
