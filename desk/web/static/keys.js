/* Keys for those who want them; every page works without. A letter presses the control that carries it in data-key,
   only when no field has the focus, no modifier is held, the key does not repeat and the control has been painted.
   The switch (WCAG 2.1.4) is remembered in this browser. It also keeps a lease alive while somebody writes. */
"use strict";
(() => {
  const off = () => localStorage.getItem("keys") === "off";
  const toggle = document.querySelector("[data-keys-switch]");
  const tell = () => {
    if (!toggle) return;
    toggle.hidden = false;
    toggle.textContent = off() ? "Switch keys on" : "Switch keys off";
    document.documentElement.toggleAttribute("data-keys", !off());
  };
  if (toggle) toggle.addEventListener("click", () => { localStorage.setItem("keys", off() ? "on" : "off"); tell(); });
  tell();

  let painted = false;
  requestAnimationFrame(() => requestAnimationFrame(() => { painted = true; }));
  document.addEventListener("keydown", (event) => {
    if (off() || !painted || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || event.target.closest("input:not([type=radio],[type=checkbox]),select,textarea")) return;
    const key = event.key.toLowerCase();
    if (!/^[a-z0-9?]$/.test(key)) return;
    const control = document.querySelector(`[data-key="${key}"]:not(:disabled)`);
    if (!control || !control.checkVisibility()) return;
    event.preventDefault();
    control.focus();
    control.click();
  });

  const form = document.querySelector("form[data-renew]");
  let last = Date.now();
  if (form) form.addEventListener("input", () => {
    if (Date.now() - last < 60000) return;
    last = Date.now();
    const body = new URLSearchParams();
    for (const name of ["form_token", "key", "slot", "token"]) {
      const field = form.elements[name];
      if (field) body.set(name, field.value);
    }
    fetch(form.dataset.renew, { method: "POST", body, redirect: "manual" }).catch(() => {});
  });

  /* A double click sends a form once. Five seconds later it may go again: on a poor line the first may have been lost. */
  document.addEventListener("submit", (event) => {
    if (Date.now() - (event.target.dataset.sent || 0) < 5000) { event.preventDefault(); return; }
    event.target.dataset.sent = Date.now();
  });
  addEventListener("pageshow", () => document.querySelectorAll("form").forEach((f) => delete f.dataset.sent));
})();
