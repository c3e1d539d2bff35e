"use strict";
// What the drawings share: the data, colours by meaning, words for numbers, and a little SVG.
const run = JSON.parse(document.getElementById("data").textContent);
const OUTCOMES = ["ok", "fail", "info"];

// A colour of the style sheet, as it is now: light, dark or print.
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

// Microseconds in words.
function span(us) {
  if (us < 1000) return us + " µs";
  if (us < 10000) return (us / 1e3).toFixed(1) + " ms";
  if (us < 1e6) return Math.round(us / 1e3) + " ms";
  return (us / 1e6).toFixed(us < 1e7 ? 2 : 1) + " s";
}

// An instant, as exactly as a step of the axis asks for.
function instant(us, step) {
  const digits = step >= 1e6 ? 0 : Math.min(6, Math.ceil(-Math.log10(step / 1e6) - 1e-9));
  return (us / 1e6).toFixed(digits) + " s";
}

function count(n) {
  return n.toLocaleString("en");
}

// A round step that divides a length into about so many parts.
function roundStep(length, parts) {
  const raw = Math.max(length / Math.max(parts, 1), 1e-9);
  const power = Math.pow(10, Math.floor(Math.log10(raw)));
  const digit = [1, 2, 5, 10].find((d) => d * power >= raw * 0.999);
  return digit * power;
}

// The top of an axis for counts: a few buckets that tower over the rest would flatten it, so they are cut off.
function ceiling(totals) {
  const sorted = totals.filter((n) => n > 0).sort((a, b) => a - b);
  const most = sorted[sorted.length - 1] || 1, usual = sorted[Math.floor(sorted.length * 0.96)] || 1;
  return most > usual * 2.5 ? usual * 1.5 : most;
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Overlapping faults go on lanes of their own; each gets the first that is free.
const faults = (() => {
  const free = [];
  return run.faults.map((fault) => {
    let lane = free.findIndex((end) => end <= fault.from);
    if (lane < 0) lane = free.length;
    free[lane] = fault.to;
    return { ...fault, lane };
  });
})();
const lanes = Math.min(4, Math.max(0, ...faults.map((fault) => fault.lane + 1)));

// Puts a small box of text near a point of its parent, inside the parent.
function placeTip(tip, parent, x, y) {
  tip.hidden = false;
  const room = parent.clientWidth - tip.offsetWidth - 6;
  tip.style.left = Math.max(6, Math.min(room, x + 14)) + "px";
  const above = y - tip.offsetHeight - 12;
  tip.style.top = (above > 2 ? above : y + 18) + "px";
}
