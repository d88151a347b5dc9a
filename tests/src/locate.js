// Finds what a person means by a role and a name. Arguments: role, name, whether the name must be the whole one.
// Returns the visible elements, in the order of the page; those of elements with a tree of their own come after.
const [role, name, exact] = arguments;

const selectors = {
  button: "button, [role=button], input[type=submit], input[type=button], summary",
  link: "a[href], [role=link]",
  heading: "h1, h2, h3, h4, h5, h6, [role=heading]",
  field: "input:not([type=hidden], [type=radio], [type=checkbox], [type=submit], [type=file]), textarea, select, [role=textbox], [role=searchbox]",
  file: "input[type=file]",
  choice: "input[type=radio], input[type=checkbox], [role=radio], [role=checkbox], [role=switch]",
  marked: "[data-testid]",
};
selectors.control = `${selectors.button}, ${selectors.link}`;

const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();

function accessibleName(element) {
  if (role === "marked") return element.dataset.testid;
  const labelledBy = element.getAttribute("aria-labelledby");
  if (labelledBy) {
    return plain(labelledBy.split(/\s+/).map((id) => document.getElementById(id)?.innerText).join(" "));
  }
  const label = element.getAttribute("aria-label");
  if (label) return plain(label);
  if (element.labels?.length) return plain([...element.labels].map((label) => label.innerText).join(" "));
  if (element.matches("input[type=submit], input[type=button]")) return plain(element.value);
  return plain(element.innerText) || plain(element.getAttribute("title"));
}

function isVisible(element) {
  // A radio button or a file field may be drawn by its label.
  const drawn = role === "choice" || role === "file" ? element.labels?.[0] ?? element : element;
  const box = drawn.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && drawn.checkVisibility({ visibilityProperty: true });
}

const wanted = plain(name).toLowerCase();
const roots = [document];
for (const root of roots) for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) roots.push(shadowRoot);
return roots.flatMap((root) => [...root.querySelectorAll(selectors[role])]).filter((element) => {
  const own = accessibleName(element).toLowerCase();
  return (exact ? own === wanted : own.includes(wanted)) && isVisible(element);
});
