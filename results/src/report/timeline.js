// The timeline: a canvas that shows a window of the run, and a small map of the whole above it.
function timeline(section) {
  const board = section.querySelector(".board");
  const main = section.querySelector("canvas.main");
  const mini = section.querySelector("canvas.mini");
  const tip = section.querySelector(".tip");
  const said = section.querySelector(".said");
  const keys = section.querySelector("[data-keys]");
  const ops = run.detail, texts = ops.texts, total = ops.index.length;
  // The anomaly that is outlined: the first, until another is chosen.
  let chosen = run.cores[0], core = new Set(chosen ? chosen.ops : []), illegal = new Set(chosen ? chosen.illegal : []);
  const rows = run.rows.length;
  const rowHeight = rows > 40 ? 15 : rows > 24 ? 19 : 26;
  const laneHeight = 17, axis = 22, top = axis + lanes * laneHeight + 6;
  const height = top + rows * rowHeight + 8;
  const least = 20; // A window of 20 µs shows even the quickest op.
  let view = [0, run.end], picked = -1, filter = "", width = 0, gutter = 0, ink = {};

  // Ops are in order of their beginnings; the longest decides how far back a window must look.
  const longest = ops.took.reduce((most, took) => Math.max(most, took), 0);
  function firstFrom(time) {
    let low = 0, high = total;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (ops.from[mid] < time) low = mid + 1; else high = mid;
    }
    return low;
  }
  const x = (time) => gutter + (time - view[0]) / (view[1] - view[0]) * (width - gutter);
  const timeAt = (px) => view[0] + (px - gutter) / (width - gutter) * (view[1] - view[0]);
  const y = (row) => top + row * rowHeight;
  const keysOf = (op) => [ops.key[op]].flat().map((key) => texts[key]);
  const matches = (op) => filter === "" || keysOf(op).includes(filter);

  function look(from, to) {
    const length = Math.max(least, Math.min(run.end * 1.02, to - from));
    const start = Math.max(-run.end * 0.01, Math.min(run.end * 1.01 - length, from));
    view = [start, start + length];
    draw();
  }
  function zoom(factor, around) {
    const at = around === undefined ? (view[0] + view[1]) / 2 : around;
    look(at - (at - view[0]) * factor, at + (view[1] - at) * factor);
  }
  const pan = (share) => look(view[0] + (view[1] - view[0]) * share, view[1] + (view[1] - view[0]) * share);
  function lookAtCore() {
    const around = Math.max((chosen.to - chosen.from) * 0.35, 3000);
    look(chosen.from - around, chosen.to + around);
  }
  function choose(one) {
    chosen = one;
    core = new Set(one.ops);
    illegal = new Set(one.illegal);
    picked = -1;
    lookAtCore();
  }

  function prepare(canvas, tall) {
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = tall + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, tall);
    return pen;
  }

  function measure() {
    width = board.clientWidth;
    gutter = width < 560 ? 62 : 136;
    for (const name of ["ink", "soft", "faint", "line", "sheet", "well", "ok", "fail", "info", "illegal", "ok-fill",
      "fail-fill", "info-fill", "illegal-fill", "link", "process", "disk", "clock", "accent"]) ink[name] = colour(name);
  }

  function draw() {
    if (!width) return;
    drawMain();
    drawMini();
  }

  function drawMain() {
    const pen = prepare(main, height);
    pen.font = "12px " + colour("sans");
    pen.textBaseline = "middle";
    drawRows(pen);
    pen.save();
    pen.beginPath();
    pen.rect(gutter, 0, width - gutter, height);
    pen.clip();
    drawAxis(pen);
    drawFaults(pen);
    drawBins(pen);
    drawOps(pen);
    pen.restore();
  }

  function drawRows(pen) {
    run.rows.forEach((row, place) => {
      if (place % 2) {
        pen.fillStyle = ink.well;
        pen.fillRect(0, y(place), width, rowHeight);
      }
      const name = width < 560 ? "p" + row.first : "process " + row.first;
      pen.fillStyle = ink.ink;
      pen.fillText(name, 8, y(place) + rowHeight / 2);
      if (row.processes > 1) {
        // The process was retired after an info, and its thread went on as another.
        pen.fillStyle = ink.faint;
        pen.fillText("+" + (row.processes - 1), 12 + pen.measureText(name).width, y(place) + rowHeight / 2);
      }
      if (row.node && width >= 560) {
        pen.fillStyle = ink.soft;
        pen.textAlign = "right";
        pen.fillText(row.node, gutter - 8, y(place) + rowHeight / 2);
        pen.textAlign = "left";
      }
    });
  }

  function drawAxis(pen) {
    const step = Math.max(1, roundStep(view[1] - view[0], (width - gutter) / 110));
    for (let time = Math.max(0, Math.ceil(view[0] / step) * step); time <= view[1]; time += step) {
      pen.fillStyle = ink.line;
      pen.fillRect(Math.round(x(time)), axis - 5, 1, height);
      pen.fillStyle = ink.soft;
      pen.fillText(instant(time, step), x(time) + 4, axis / 2);
    }
  }

  function drawFaults(pen) {
    for (const fault of faults) {
      if (fault.to < view[0] || fault.from > view[1]) continue;
      const left = Math.max(gutter - 4, x(fault.from)), right = Math.min(width + 4, x(fault.to));
      const lane = axis + Math.min(fault.lane, lanes - 1) * laneHeight;
      pen.fillStyle = ink[fault.family];
      pen.globalAlpha = 0.07;
      pen.fillRect(left, lane, right - left, height - lane);
      pen.globalAlpha = 0.22;
      pen.fillRect(left, lane, Math.max(2, right - left), laneHeight - 3);
      pen.globalAlpha = 1;
      pen.fillRect(left, lane, 2, laneHeight - 3);
      const words = fault.kind + " " + fault.what, room = right - Math.max(left, gutter) - 10;
      const fits = pen.measureText(words).width < room ? words : pen.measureText(fault.kind).width < room ? fault.kind : "";
      pen.fillText(fits, Math.max(left, gutter) + 6, lane + laneHeight / 2 - 1);
    }
  }

  // Ops that are only counted: their height says how many, against the fullest bin.
  function drawBins(pen) {
    if (filter !== "") return;
    let most = 1;
    for (const row of run.bins.rows) for (let i = 0; i < row.length; i += 4) most = Math.max(most, row[i + 1] + row[i + 2] + row[i + 3]);
    run.bins.rows.forEach((row, place) => {
      for (let i = 0; i < row.length; i += 4) {
        const left = x(row[i] * run.bins.width), right = x((row[i] + 1) * run.bins.width);
        if (right < gutter || left > width) continue;
        let base = y(place) + rowHeight - 2;
        for (let outcome = 0; outcome < 3; outcome++) {
          const tall = row[i + 1 + outcome] / most * (rowHeight - 5);
          if (!tall) continue;
          pen.globalAlpha = 0.4;
          pen.fillStyle = ink[OUTCOMES[outcome]];
          pen.fillRect(left, base - Math.max(1, tall), Math.max(1, right - left - 0.5), Math.max(1, tall));
          base -= tall;
        }
        pen.globalAlpha = 1;
        if (right - left > 84) {
          pen.fillStyle = ink.soft;
          pen.fillText(count(row[i + 1] + row[i + 2] + row[i + 3]) + " ops", left + 6, y(place) + rowHeight / 2);
        }
      }
    });
  }

  function drawOps(pen) {
    const open = new Map();
    const last = firstFrom(view[1]);
    // Who is still open from before the window leaves a trail on its row.
    for (let op = 0; op < last; op++) {
      if (ops.outcome[op] === 2 && matches(op) && !open.has(ops.row[op])) open.set(ops.row[op], ops.from[op] + Math.max(0, ops.took[op]));
    }
    pen.setLineDash([2, 4]);
    pen.globalAlpha = 0.55;
    pen.strokeStyle = ink.info;
    for (const [row, from] of open) {
      const level = Math.round(y(row) + rowHeight - 2) + 0.5;
      pen.beginPath();
      pen.moveTo(Math.max(gutter, x(from)), level);
      pen.lineTo(width, level);
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    for (let op = firstFrom(view[0] - longest); op < last; op++) if (!core.has(ops.index[op])) drawOp(pen, op);
    for (let op = 0; op < last; op++) if (core.has(ops.index[op])) drawOp(pen, op);
    if (picked >= 0) outline(pen, picked, ink.ink, 2);
  }

  function box(op) {
    const left = x(ops.from[op]);
    const right = ops.took[op] < 0 ? width + 20 : x(ops.from[op] + ops.took[op]);
    return [left, y(ops.row[op]) + 3, Math.max(2, right - left), rowHeight - 7];
  }

  function drawOp(pen, op) {
    const [left, up, wide, tall] = box(op);
    if (left + wide < gutter || left > width) return;
    const name = illegal.has(ops.index[op]) ? "illegal" : OUTCOMES[ops.outcome[op]];
    const roomy = wide > 7;
    pen.globalAlpha = matches(op) ? 1 : 0.1;
    pen.fillStyle = roomy ? ink[name + "-fill"] : ink[name];
    if (ops.outcome[op] === 2 && roomy) torn(pen, left, up, wide, tall);
    else {
      pen.beginPath();
      pen.rect(left, up, wide, tall);
    }
    pen.fill();
    if (roomy) {
      pen.strokeStyle = ink[name];
      pen.lineWidth = core.has(ops.index[op]) ? 2 : 1;
      pen.stroke();
      const from = Math.max(left, gutter) + 4, room = Math.min(left + wide, width) - from - 4;
      if (room > 16 && rowHeight > 16) {
        const action = texts[ops.action[op]], words = action + " → " + texts[ops.result[op]];
        const fits = pen.measureText(words).width <= room ? words : pen.measureText(action).width <= room ? action : "";
        pen.fillStyle = name === "illegal" ? ink.illegal : ink.ink;
        pen.fillText(fits, from, up + tall / 2 + 0.5);
      }
    }
    if (core.has(ops.index[op]) && matches(op)) outline(pen, op, name === "illegal" ? ink.illegal : ink.accent, 2);
    pen.globalAlpha = 1;
  }

  function torn(pen, left, up, wide, tall) {
    pen.beginPath();
    pen.moveTo(left, up);
    for (let tooth = 0; tooth <= 4; tooth++) pen.lineTo(left + wide + (tooth % 2 ? 4 : 0), up + tall * tooth / 4);
    pen.lineTo(left, up + tall);
    pen.closePath();
  }

  function outline(pen, op, style, weight) {
    const [left, up, wide, tall] = box(op);
    pen.strokeStyle = style;
    pen.lineWidth = weight;
    pen.strokeRect(left - 2, up - 2, wide + 4, tall + 4);
    pen.lineWidth = 1;
  }

  function drawMini() {
    const tall = 56, pen = prepare(mini, tall);
    const at = (time) => gutter + time / run.end * (width - gutter - 6);
    for (const fault of faults) {
      pen.fillStyle = ink[fault.family];
      pen.globalAlpha = 0.16;
      pen.fillRect(at(fault.from), 0, Math.max(1, at(fault.to) - at(fault.from)), tall);
    }
    pen.globalAlpha = 1;
    const [ok, fail, info] = run.rate.counts;
    const most = ceiling(ok.map((n, i) => n + fail[i] + info[i]));
    ok.forEach((_, bucket) => {
      let base = tall - 4;
      const left = at(bucket * run.rate.width), wide = Math.max(1, at((bucket + 1) * run.rate.width) - left - 0.5);
      run.rate.counts.forEach((counts, outcome) => {
        const up = Math.min(counts[bucket] / most * (tall - 10), base);
        pen.fillStyle = ink[OUTCOMES[outcome]];
        if (up > 0) pen.fillRect(left, base - Math.max(1, up), wide, Math.max(1, up));
        base -= up;
      });
    });
    if (chosen) {
      const from = at(chosen.from) - 1, wide = Math.max(3, at(chosen.to) - from);
      pen.fillStyle = ink.illegal;
      pen.globalAlpha = wide > 8 ? 0.3 : 1;
      pen.fillRect(from, 0, wide, tall);
      pen.globalAlpha = 1;
    }
    const left = at(Math.max(0, view[0])), right = at(Math.min(run.end, view[1]));
    pen.fillStyle = ink.sheet;
    pen.globalAlpha = 0.45;
    pen.fillRect(gutter, 0, left - gutter, tall);
    pen.fillRect(right, 0, width - right, tall);
    pen.globalAlpha = 1;
    pen.strokeStyle = ink.accent;
    pen.lineWidth = 2;
    pen.strokeRect(left, 1, Math.max(3, right - left), tall - 2);
    pen.lineWidth = 1;
    pen.fillStyle = ink.soft;
    pen.font = "12px " + colour("sans");
    pen.fillText(width < 560 ? "whole" : "the whole run", 8, tall / 2 + 4);
  }

  function opAt(px, py) {
    const row = Math.floor((py - top) / rowHeight);
    if (px < gutter || row < 0 || row >= rows) return -1;
    let best = -1, nearest = 6;
    const last = firstFrom(timeAt(px + 6));
    for (let op = firstFrom(timeAt(px - 6) - longest); op < last; op++) {
      if (ops.row[op] !== row || !matches(op)) continue;
      const [left, , wide] = box(op);
      const away = px < left ? left - px : px > left + wide ? px - left - wide : 0;
      if (away <= nearest) { nearest = away; best = op; }
    }
    return best;
  }

  function describe(op) {
    const from = ops.from[op], took = ops.took[op], key = Array.isArray(ops.key[op]) ? "" : texts[ops.key[op]], node = texts[ops.node[op]];
    const title = texts[ops.action[op]] + " → " + texts[ops.result[op]];
    const rest = ["op " + ops.index[op] + (ops.completion[op] >= 0 ? "–" + ops.completion[op] : ""), "process " + ops.process[op]];
    if (node) rest.push("node " + node);
    if (key) rest.push("key " + key);
    rest.push(took < 0 ? "from " + instant(from, 1) + ", never ended"
      : instant(from, 1) + " to " + instant(from + took, 1) + " (" + span(took) + ")");
    if (illegal.has(ops.index[op])) rest.push("cannot be");
    return [title, rest.join(" · ")];
  }

  function point(px, py) {
    const op = opAt(px, py);
    const fault = op < 0 && py < top ? faults.find((f) => timeAt(px) >= f.from && timeAt(px) <= f.to
      && Math.min(f.lane, lanes - 1) === Math.floor((py - axis) / laneHeight)) : undefined;
    if (op < 0 && !fault) { tip.hidden = true; return -1; }
    const [title, rest] = op >= 0 ? describe(op)
      : [fault.kind + " " + fault.what, instant(fault.from, 1000) + " to " + (fault.healed ? instant(fault.to, 1000) : "the end, not healed")];
    tip.replaceChildren(html("b", {}, title), rest);
    const scroll = main.parentElement;
    placeTip(tip, board, px, py + scroll.offsetTop - scroll.scrollTop);
    return op;
  }

  function pick(op) {
    picked = op;
    said.textContent = op < 0 ? "" : describe(op).join(" · ");
    if (op >= 0 && (ops.from[op] < view[0] || ops.from[op] > view[1])) {
      const half = (view[1] - view[0]) / 2;
      look(ops.from[op] - half, ops.from[op] + half);
    } else draw();
  }
  function step(by) {
    let op = picked < 0 ? firstFrom(view[0]) - (by > 0 ? 1 : 0) : picked;
    do op += by; while (op >= 0 && op < total && !matches(op));
    if (op >= 0 && op < total) pick(op);
  }

  const views = {
    in: () => zoom(0.5), out: () => zoom(2), left: () => pan(-0.4), right: () => pan(0.4),
    all: () => look(0, run.end), core: () => chosen && lookAtCore(),
  };
  section.querySelectorAll("[data-view]").forEach((button) => {
    if (button.dataset.view === "core") button.hidden = !chosen;
    button.addEventListener("click", () => views[button.dataset.view]());
  });
  main.addEventListener("keydown", (event) => {
    const does = { "+": views.in, "=": views.in, "-": views.out, ArrowLeft: views.left, ArrowRight: views.right,
      0: views.all, c: views.core, n: () => step(1), p: () => step(-1) }[event.key];
    if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    does();
  });
  main.addEventListener("wheel", (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    // A page that scrolls must not get caught here: the wheel zooms only when asked to.
    if (!sideways && !event.ctrlKey && !event.metaKey && document.activeElement !== main) return;
    event.preventDefault();
    if (sideways) pan(event.deltaX / (width - gutter));
    else zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.006), timeAt(event.offsetX));
  }, { passive: false });

  // Pointers: one drags, two pinch, and one that did not move picks.
  const down = new Map();
  let moved = 0;
  main.addEventListener("pointerdown", (event) => {
    main.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event.offsetX);
    moved = 0;
  });
  main.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) { point(event.offsetX, event.offsetY); return; }
    const others = [...down].filter(([id]) => id !== event.pointerId).map(([, px]) => px);
    moved += Math.abs(event.offsetX - before);
    if (moved > 4) { main.classList.add("moving"); tip.hidden = true; }
    if (others.length) {
      const apart = Math.max(8, Math.abs(event.offsetX - others[0])), was = Math.max(8, Math.abs(before - others[0]));
      zoom(was / apart, timeAt((event.offsetX + others[0]) / 2));
    } else if (moved > 4) {
      const by = (before - event.offsetX) / (width - gutter) * (view[1] - view[0]);
      look(view[0] + by, view[1] + by);
    }
    down.set(event.pointerId, event.offsetX);
  });
  const up = (event) => {
    if (down.delete(event.pointerId) && moved <= 4 && event.type === "pointerup") {
      const op = point(event.offsetX, event.offsetY);
      if (op >= 0) pick(op);
    }
    if (!down.size) main.classList.remove("moving");
  };
  main.addEventListener("pointerup", up);
  main.addEventListener("pointercancel", up);
  main.addEventListener("pointerleave", () => { tip.hidden = true; });
  const scrub = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    if (event.type === "pointerdown") mini.setPointerCapture(event.pointerId);
    const at = (event.offsetX - gutter) / (width - gutter - 6) * run.end, half = (view[1] - view[0]) / 2;
    look(at - half, at + half);
  };
  mini.addEventListener("pointerdown", scrub);
  mini.addEventListener("pointermove", scrub);

  document.querySelectorAll("[data-core]").forEach((button) => {
    const one = run.cores.find((other) => other.anomaly === Number(button.dataset.core));
    button.hidden = !one;
    button.addEventListener("click", () => { choose(one); section.scrollIntoView(); main.focus({ preventScroll: true }); });
  });
  const names = [...new Set(ops.key.flat().map((key) => texts[key]))].filter((key) => key !== "");
  names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const key of names.slice(0, 1000)) {
    const at = run.cores.some((one) => one.keys.includes(key)) ? " (the anomaly)" : "";
    keys.append(html("option", { value: key }, key + at));
  }
  keys.parentElement.hidden = names.length < 2;
  keys.addEventListener("change", () => { filter = keys.value; draw(); });

  measure();
  if (chosen) lookAtCore(); else look(0, run.end);
  return () => { measure(); draw(); };
}
